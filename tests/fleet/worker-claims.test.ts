// What a worker takes: only while its node is ready, as many units as it is sized for, and looking seldom where there is nothing.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { systemClock } from '../../shared/core/clock.ts'
import type { AssetId } from '../../shared/core/ids.ts'
import { claimed, offered } from '../../shared/encode/claims.ts'
import { createIdle } from '../../shared/encode/idle.ts'
import { createEncode } from '../../shared/encode/index.ts'
import type { Offer, OfferStore } from '../../shared/encode/ports.ts'
import { createEncoder } from '../../worker/encoder.ts'
import { setStage, target } from '../encode/stage.ts'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { pace, schemas } from './stores.ts'

describe('where there is nothing to do', () => {
  /** Waits are noted, and end when the test says so. */
  function slowly() {
    const waits: number[] = []
    const ends: Array<() => void> = []
    const wait = (ms: number) => {
      waits.push(ms)
      return new Promise<void>((resolve) => ends.push(resolve))
    }
    return { waits, wait, pass: () => ends.splice(0).forEach((end) => void end()) }
  }

  test('it looks less and less often, until something is found', async () => {
    const { waits, wait, pass } = slowly()
    const idle = createIdle({ wait }, new AbortController().signal)
    for (let n = 0; n < 10; n++) {
      const waited = idle.wait()
      pass()
      await waited
    }
    expect(waits.slice(0, 3)).toEqual([500, 750, 1125])
    expect(waits.slice(-3)).toEqual([5000, 5000, 5000])
    // All who wait look at once, whatever they look for.
    const both = [idle.wait(), idle.wait()]
    idle.found()
    await Promise.all(both)
    void idle.wait()
    expect(waits.at(-1)).toBe(500)
  })

  test('it does not wait out a pause to hear that it is to end', async () => {
    const { waits, wait } = slowly()
    const ended = new AbortController()
    const idle = createIdle({ wait }, ended.signal)
    const waiting = idle.wait()
    ended.abort()
    await waiting
    await idle.wait()
    expect(waits).toHaveLength(1)
  })
})

describe('an encoder', () => {
  let cosmos: CosmosServer
  let offers: OfferStore
  /** How many looks of a kind are under way, and the most there ever were. */
  let looks: Record<string, { now: number; most: number; all: number }>
  /** Units wait here, as if they were encoded. */
  let finish: () => void
  let reports: Array<{ unit: string; outcome: string }>
  let isReady: boolean
  let awake: { awake: number }
  /** What a look finds, and what happens before anything follows from it. */
  let seen: (found: Offer[], look: number) => Promise<Offer[]>
  let encoder: ReturnType<typeof createEncoder>

  beforeAll(async () => {
    cosmos = await startCosmos()
  })
  afterAll(() => cosmos?.stop())

  beforeEach(async () => {
    const stores = createCosmosStores(cosmos, { ...pace, schemas })
    for (const kind of ['chunk', 'audio'] as const)
      for (const { jobId, id } of await stores.offers.open(kind)) await stores.offers.remove(jobId, id)
    looks = { chunk: { now: 0, most: 0, all: 0 }, audio: { now: 0, most: 0, all: 0 } }
    offers = {
      ...stores.offers,
      async open(kind) {
        const look = looks[kind] ?? { now: 0, most: 0, all: 0 }
        look.all++
        look.most = Math.max(look.most, ++look.now)
        const found = await stores.offers.open(kind).finally(() => look.now--)
        return kind === 'chunk' ? seen(found, look.all) : found
      },
    }
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const { parts, crew } = setStage(new Uint8Array(1))
    awake = crew
    seen = async (found) => found
    const media = { ...parts.media, get: () => finished.then(() => undefined) }
    const { worker, reports: heard } = createEncode({ ...parts, media, offers, clock: systemClock })
    reports = []
    isReady = true
    encoder = createEncoder({
      ...{ node: 'encoder-test-1', slots: 3, serve: worker.serve, isReady: () => isReady },
      async tell(unit, number, report) {
        reports.push({ unit, outcome: report.outcome })
        // A title that fails takes its units along.
        return heard.take(unit, { node: 'encoder-test-1', number }, report).then(
          () => 'heard',
          () => 'refused',
        )
      },
    })
  })

  /** Of as many titles. */
  const titleOf = (n: number): AssetId => `ast_${String(n).repeat(20)}`
  const jobOf = (n: number) => `encode-${titleOf(n)}-v1`
  const unitOf = (n: number) => `${jobOf(n)}.1`
  const unitsOf = (...all: number[]) => all.map(unitOf)
  const stateOf = async (n: number) => (await offers.get(jobOf(n), `${unitOf(n)}.offer`))?.state
  const offer = async (n: number): Promise<void> => {
    const unit = { ...target, assetId: titleOf(n), jobId: jobOf(n), plan: 'plan.json', sinceMs: 0 }
    const one: Offer = offered(
      { ...unit, unitId: unitOf(n), kind: 'chunk', chunk: 1, pixels: 1e6, rest: 0 },
      { waits: 'nobody', nowMs: offers.now() },
    )
    await offers.change(jobOf(n), one.id, () => one)
  }

  test('does as many at once as it has slots, and one of them looks for all', async () => {
    for (const n of [1, 2, 3, 4, 5]) await offer(n)
    encoder.obey('work')
    await expect.poll(encoder.holds).toEqual(unitsOf(1, 2, 3))
    const before = looks['chunk']?.all
    await systemClock.wait(1500)
    expect(encoder.holds()).toEqual(unitsOf(1, 2, 3))
    expect(looks['chunk']).toMatchObject({ all: before, most: 1 })
    finish()
    await expect.poll(() => reports.length).toBe(5)
    await expect.poll(encoder.holds).toEqual([])
    await systemClock.wait(600)
    expect(looks['chunk']?.most).toBe(1)
    encoder.obey('leave')
    await encoder.idle()
  })

  test('finds the unit that eight others have left, though all began with the same list', async () => {
    for (let n = 1; n <= 9; n++) await offer(n)
    awake.awake = 3
    const taken = (n: number) => (one: Offer | undefined) =>
      (one && claimed(one, { node: `encoder-other-${n}`, nowMs: offers.now(), leaseMs: 60_000 })) ??
      'unchanged'
    seen = async (found, look) => {
      for (let n = 1; look === 1 && n <= 8; n++) await offers.change(jobOf(n), `${unitOf(n)}.offer`, taken(n))
      // In the order of that list it would have tried those eight; there is no other.
      return look === 1 ? found : []
    }
    encoder.obey('work')
    await expect.poll(encoder.holds).toEqual(unitsOf(9))
    finish()
    encoder.obey('leave')
    await encoder.idle()
  })

  test('takes nothing while it is not ready, however it was told before', async () => {
    await offer(1)
    isReady = false
    encoder.obey('work')
    await expect.poll(() => looks['chunk']?.all).toBeGreaterThan(2)
    expect(encoder.holds()).toEqual([])
    expect(await stateOf(1)).toBe('queued')
    isReady = true
    await expect.poll(encoder.holds).toEqual(unitsOf(1))
    finish()
    encoder.obey('drain')
    await encoder.idle()
  })

  test('draining it ends what it has and takes nothing new; told to work again it goes on', async () => {
    for (const n of [1, 2, 3, 4]) await offer(n)
    encoder.obey('work')
    await expect.poll(encoder.holds).toEqual(unitsOf(1, 2, 3))
    encoder.obey('drain')
    let isIdle = false
    const idle = encoder.idle().then(() => (isIdle = true))
    await systemClock.wait(300)
    expect(isIdle).toBe(false)
    finish()
    await idle
    expect(reports.map(({ unit }) => unit).sort()).toEqual(unitsOf(1, 2, 3))
    expect(await stateOf(4)).toBe('queued')
    encoder.obey('work')
    await expect.poll(() => reports.map(({ unit }) => unit)).toContain(unitOf(4))
    encoder.obey('leave')
    await encoder.idle()
  })

  test('told to leave it gives back what it has, at once', async () => {
    await offer(1)
    encoder.obey('work')
    await expect.poll(encoder.holds).toEqual(unitsOf(1))
    encoder.obey('leave')
    finish()
    await encoder.idle()
    expect(reports).toEqual([{ unit: unitOf(1), outcome: 'returned' }])
    expect(await stateOf(1)).toBe('queued')
  })
})
