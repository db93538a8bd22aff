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

test('whoever has one of its units ends that', async () => {
  await title.look(1)
  expect(await progress()).toMatchObject({ stage: 'waking-encoders' })
  yard.pass(patienceMs + 1)
  await title.make(1)
  expect(await title.unclaimed(1)).toEqual({ ok: true })
  expect(await progress()).toEqual({ percent: expect.any(Number), stage: 'encoding' })
  expect((await progress())?.percent).toBeGreaterThan(0)
})
