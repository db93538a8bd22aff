// What workers still have to do: along whole encodes it is what is truly left, and nothing of a title that is over.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { workOf } from '../../shared/encode/backlog.ts'
import { chunkPixels, picturePixels } from '../../shared/encode/effort.ts'
import { newTenantId } from '../support/documents.ts'
import { seeded } from '../support/seeded.ts'
import { planOf, setYard, type Title, type Yard } from './offered.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const pixelsPerSecond = 1e6

let yard: Yard
beforeAll(async () => {
  yard = await setYard({ patienceMs: 60_000 })
  yard.crew.pixelsPerSecond = pixelsPerSecond
})
afterAll(() => yard?.stop())
beforeEach(async () => {
  for (const { jobId, id } of await yard.stores.offers.unfinished())
    await yard.stores.offers.remove(jobId, id)
  yard.pass(2000)
})

/** One part of a title's window, as its orchestration goes through it. */
interface Walk {
  readonly title: Title
  chunk: number
  alone: boolean
}

const walksOf = (title: Title): Walk[] =>
  Array.from({ length: Math.min(title.step, title.chunks - 1) }, (_, n) => ({
    title,
    chunk: n + 1,
    alone: false,
  }))

/** What is truly left: nobody has begun it for this app, nor ended it. */
const leftOf = ({ title, chunk }: Walk, isTaken: boolean): number => {
  let left = 0
  for (let n = chunk; n < title.chunks; n += title.step) left += chunkPixels(title.plan, n)
  return isTaken ? left - chunkPixels(title.plan, chunk) : left
}

test(`along encodes of several tenants it is what is left, whoever does what (SEED=${seed})`, async () => {
  const random = seeded(seed)
  const tenantId = newTenantId()
  const titles = await Promise.all([
    yard.title(planOf(60), { tenantId, step: 3 }),
    yard.title(planOf(47, { chunkSegments: 2 }), { tenantId, step: 4 }),
    yard.title(planOf(31), { step: 5 }),
  ])
  let walks = titles.flatMap(walksOf)
  for (const { title, chunk } of walks)
    expect(await title.look(chunk)).toMatchObject({ ok: true, fresh: true })
  const pictures = titles.reduce((sum, { plan }) => sum + picturePixels(plan) - chunkPixels(plan, 0), 0)
  expect(await yard.encode.backlog.read()).toEqual({
    seconds: pictures / pixelsPerSecond,
    parallel: walks.length,
  })

  const done = { worker: 0, app: 0, failed: 0 }
  for (let steps = 0; walks.length > 0; steps++) {
    if (steps > 2000) throw new Error(`${walks.length} parts never end`)
    if (random() < 0.6) {
      const offer = await yard.claim(`node-${Math.floor(random() * 3)}`)
      const how = random() < 0.15 ? 'failed' : random() < 0.1 ? 'returned' : 'done'
      const title = titles.find(({ jobId }) => jobId === offer?.jobId)
      if (offer && title) {
        // A unit that fails three times ends its title; here they all get through.
        const outcome = how === 'failed' && offer.failures >= 1 ? 'done' : how
        if (outcome === 'done') await title.make(offer.chunk ?? 0)
        await yard.report(offer, outcome)
        if (outcome === 'done') done.worker++
        if (outcome === 'failed') done.failed++
      }
    }
    if (random() < 0.1) yard.pass(70_000)
    const walk = walks[Math.floor(random() * walks.length)]
    if (walk) await goOn(walk)
    walks = walks.filter(({ title, chunk }) => chunk < title.chunks)
    const truth = await Promise.all(
      walks.map(async (one) => {
        const offer = await one.title.offer(one.chunk)
        // Reported, and its orchestration has not heard of it yet.
        return offer?.state === 'over'
          ? leftOf({ ...one, chunk: one.chunk + one.title.step }, false)
          : leftOf(one, false)
      }),
    )
    const { seconds, parallel } = workOf(await yard.stores.offers.unfinished(), 1)
    expect(seconds).toBe(truth.reduce((sum, left) => sum + left, 0))
    expect(parallel).toBe(truth.filter((left) => left > 0).length)
  }
  // How many each makes is up to the seed; between them they make all, and both some.
  expect(done.worker + done.app).toBe(titles.reduce((sum, { chunks }) => sum + chunks - 1, 0))
  expect(Math.min(done.worker, done.app)).toBeGreaterThan(0)
  expect(await yard.stores.offers.unfinished()).toEqual([])

  async function goOn(walk: Walk): Promise<void> {
    const { title, chunk, alone } = walk
    const looked = await title.look(chunk, { alone })
    if (!looked.ok) throw new Error(looked.detail)
    if (looked.unclaimed) {
      await title.make(chunk)
      const outcome = await title.unclaimed(chunk)
      if (!outcome.ok) throw new Error(outcome.detail)
      if (outcome.waitSeconds) return
      done.app++
    } else if (!looked.over) return
    walk.alone = looked.unclaimed ?? false
    walk.chunk += title.step
    if (walk.chunk < title.chunks) await title.look(walk.chunk, { alone: walk.alone })
  }
})

test('a hundred who ask within a second are one query, and see what this process has offered', async () => {
  const title = await yard.title(planOf(60), { step: 3 })
  await title.look(1)
  const before = yard.queries()
  const all = await Promise.all(Array.from({ length: 100 }, () => yard.encode.backlog.read()))
  expect(yard.queries()).toBe(before + 1)
  await title.look(2)
  const after = await yard.encode.backlog.read()
  expect(after.seconds).toBeGreaterThan(all[0]?.seconds ?? 0)
  expect([all[0]?.parallel, after.parallel]).toEqual([1, 2])
})

test('until something was measured it goes by the setting', async () => {
  const title = await yard.title(planOf(60), { step: 3 })
  await title.look(1)
  const measured = await yard.encode.backlog.read()
  delete yard.crew.pixelsPerSecond
  const { seconds } = await yard.encode.backlog.read()
  yard.crew.pixelsPerSecond = pixelsPerSecond
  expect(measured.seconds).toBeGreaterThan(0)
  expect(seconds).toBeCloseTo((measured.seconds * pixelsPerSecond) / 1e8)
})

const endings: Array<[string, (title: Title) => Promise<unknown>]> = [
  ['its tenant cancels it', ({ target }) => yard.encode.control.cancel(target.tenantId, target.assetId)],
  ['it fails, or is deleted', ({ target }) => yard.encode.fail({ ...target, code: 'source-truncated' })],
]
test.each(endings)('nothing is left of a title once %s, nor comes after', async (_name, end) => {
  const title = await yard.title(planOf(60), { step: 3 })
  const other = await yard.title(planOf(40), { step: 3 })
  for (const chunk of [1, 2, 3]) await title.look(chunk)
  await other.look(1)
  const held = await yard.claim('node')
  expect((await yard.encode.backlog.read()).parallel).toBe(4)
  await end(title)
  const left = await yard.stores.offers.unfinished()
  expect(left.map(({ jobId }) => jobId)).toEqual([other.jobId])
  expect(await title.look(1)).toMatchObject({ ok: false, code: 'asset-failed' })
  // Whoever holds a unit of it is told so.
  if (held?.jobId === title.jobId)
    await expect(yard.report(held, 'done')).rejects.toMatchObject({ code: 'not-found' })
  expect(await yard.stores.offers.list(title.jobId)).toEqual([])
})

test('a look that was under way when its title was cancelled offers nothing', async () => {
  const title = await yard.title(planOf(60), { step: 3 })
  const { change } = yard.offers
  let cancelled = false
  yard.offers.change = async (...of) => {
    if (!cancelled) await yard.encode.control.cancel(title.target.tenantId, title.target.assetId)
    cancelled = true
    return change(...of)
  }
  try {
    expect(await title.look(1)).toMatchObject({ ok: false, code: 'asset-failed' })
  } finally {
    yard.offers.change = change
  }
  expect(cancelled).toBe(true)
  expect(await yard.stores.offers.unfinished()).toEqual([])
})

test('while a unit takes the place of the one before it, what is left is told all along', async () => {
  const title = await yard.title(planOf(60), { step: 3 })
  await title.look(1)
  const held = await yard.claim('node')
  await title.make(1)
  if (held) await yard.report(held, 'done')
  await title.look(1)
  const left = async () => workOf(await yard.stores.offers.unfinished(), 1)
  const [before, told] = [await left(), [] as unknown[]]
  const { change, remove } = yard.offers
  yard.offers.change = async (...of) => {
    const after = await change(...of)
    told.push(await left())
    return after
  }
  yard.offers.remove = async (...of) => {
    await remove(...of)
    told.push(await left())
  }
  try {
    expect(await title.look(4)).toMatchObject({ ok: true, fresh: true })
  } finally {
    Object.assign(yard.offers, { change, remove })
  }
  expect(before).toMatchObject({ parallel: 1 })
  expect(told).toEqual([before])
  expect((await yard.stores.offers.list(title.jobId)).map(({ chunk }) => chunk)).toEqual([4])
})

test('one that fails for good ends what would come after it, and stays to be read', async () => {
  const title = await yard.title(planOf(60), { step: 1 })
  await title.look(1)
  for (let n = 0; n < 3; n++) {
    const offer = await yard.claim('node')
    if (offer) await yard.report(offer, 'failed')
    yard.pass(10_000)
  }
  expect(await title.offer(1)).toMatchObject({ state: 'over', failures: 3, left: 0 })
  expect(await yard.stores.offers.unfinished()).toEqual([])
  expect(await title.look(1)).toMatchObject({ ok: false, code: 'encode-failed' })
})

test('late repetitions of a look offer nothing anew', async () => {
  const title = await yard.title(planOf(20), { step: 2 })
  for (let chunk = 1; chunk < title.chunks; chunk += 2) {
    await title.look(chunk)
    const offer = await yard.claim('node')
    await title.make(chunk)
    if (offer) await yard.report(offer, 'done')
    expect(await title.look(chunk)).toMatchObject({ over: true })
  }
  expect(await yard.stores.offers.unfinished()).toEqual([])
  for (let chunk = 1; chunk < title.chunks; chunk += 2)
    expect(await title.look(chunk)).toMatchObject({ over: true })
  expect(await yard.stores.offers.unfinished()).toEqual([])
})
