// What a title says while its units wait for encoders that are asleep: once, until somebody has one of them.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { progressed } from '../../shared/assets/machine.ts'
import { planOf, setYard, type Title, type Yard } from './offered.ts'

const patienceMs = 60_000

let yard: Yard
let title: Title
beforeAll(async () => {
  yard = await setYard({ patienceMs })
})
afterAll(() => yard?.stop())
beforeEach(async () => {
  yard.crew.awake = 0
  title = await yard.title(planOf(60), { step: 3 })
})

const progress = async () => (await title.asset())?.progress
const moveTo = ({ target: { tenantId, assetId } }: Title, percent: number) =>
  yard.stores.assets.update(tenantId, assetId, (asset) =>
    progressed(asset, { version: 1, percent, stage: 'encoding' }, Date.now()),
  )

test('it waits, as long as nobody is awake and nobody has a unit of it; many looks are one write', async () => {
  expect(await progress()).toEqual({ percent: 0, stage: 'encoding' })
  await title.look(1)
  const first = await title.asset()
  expect(first?.progress).toEqual({ percent: 0, stage: 'waking-encoders' })
  for (const chunk of [1, 2, 3, 1, 2, 3]) await title.look(chunk)
  expect((await title.asset())?.updatedAt).toBe(first?.updatedAt)
})

test('what the app makes meanwhile moves the percent, and not the stage', async () => {
  await title.look(1)
  await moveTo(title, 7)
  expect(await progress()).toEqual({ percent: 7, stage: 'waking-encoders' })
  await moveTo(title, 3)
  expect(await progress()).toEqual({ percent: 7, stage: 'waking-encoders' })
})

test('with somebody awake it is only queued', async () => {
  yard.crew.awake = 1
  await title.look(1)
  expect(await progress()).toMatchObject({ stage: 'encoding' })
})

test('nor does it wait while a unit of it is in somebody’s hands; once that one is lost, it does', async () => {
  yard.crew.awake = 1
  await title.look(1)
  await title.look(2)
  while ((await yard.claim('a'))?.jobId !== title.jobId);
  yard.crew.awake = 0
  await title.look(2)
  expect(await progress()).toMatchObject({ stage: 'encoding' })
  yard.pass(30_001)
  await title.look(2)
  expect(await progress()).toMatchObject({ stage: 'waking-encoders' })
})

test('nor once nobody came for so long that the app does it', async () => {
  for (const chunk of [1, 2, 3]) await title.look(chunk)
  yard.pass(patienceMs + 1)
  await title.make(1)
  expect(await title.unclaimed(1)).toEqual({ ok: true })
  expect(await progress()).toMatchObject({ stage: 'encoding' })
  // Nor does a part that is begun only now.
  const late = await yard.title(planOf(60), { step: 3 })
  await late.look(1)
  yard.pass(patienceMs + 1)
  await late.make(1)
  expect(await late.unclaimed(1)).toEqual({ ok: true })
  await late.look(2)
  await late.look(4, { alone: true })
  await late.look(3)
  expect((await late.asset())?.progress.stage).toBe('encoding')
  const before = await title.asset()
  // Others of it are still to be had, and the next one of that part is.
  await title.look(2)
  await title.look(4, { alone: true })
  // What was read of its units is a second old at most.
  yard.pass(2000)
  for (const chunk of [2, 3]) {
    await title.make(chunk)
    expect(await title.unclaimed(chunk)).toEqual({ ok: true })
  }
  await title.look(4, { alone: true })
  const after = await title.asset()
  expect(after?.progress.stage).toBe('encoding')
  expect(after?.progress.percent).toBeGreaterThan(before?.progress.percent ?? 100)
})

test('whoever has one of its units ends that', async () => {
  await title.look(1)
  expect(await progress()).toMatchObject({ stage: 'waking-encoders' })
  yard.pass(patienceMs + 1)
  await title.make(1)
  expect(await title.unclaimed(1)).toEqual({ ok: true })
  expect(await progress()).toEqual({ percent: expect.any(Number), stage: 'encoding' })
  expect((await progress())?.percent).toBeGreaterThan(0)
})

test('nor while the app makes its beginning', async () => {
  const beginning = await setYard({ patienceMs, beginningSeconds: 10 })
  try {
    const early = await beginning.title(planOf(60), { step: 2 })
    const stage = async () => (await early.asset())?.progress.stage
    for (const chunk of [1, 2]) await early.look(chunk)
    expect(await stage()).toBe('encoding')
    beginning.pass(3001)
    for (const chunk of [1, 2]) {
      await early.make(chunk)
      expect(await early.unclaimed(chunk)).toEqual({ ok: true })
      await early.look(chunk + 2, { alone: true })
    }
    // What was read of its units is a second old at most.
    beginning.pass(2000)
    await early.look(3, { alone: true })
    expect(await stage()).toBe('waking-encoders')
  } finally {
    await beginning.stop()
  }
})

test('what the app has made of it is no work that is under way, also where nothing comes behind it', async () => {
  const beginning = await setYard({ patienceMs, beginningSeconds: 10 })
  try {
    // A part for each chunk: nobody takes the place of those that are done.
    const early = await beginning.title(planOf(60), { step: 100 })
    for (const chunk of [1, 2, 3]) await early.look(chunk)
    beginning.pass(3001)
    for (const chunk of [1, 2]) {
      await early.make(chunk)
      expect(await early.unclaimed(chunk)).toEqual({ ok: true })
    }
    // What was read of its units is a second old at most.
    beginning.pass(2000)
    await early.look(3)
    expect((await early.asset())?.progress.stage).toBe('waking-encoders')
  } finally {
    await beginning.stop()
  }
})
