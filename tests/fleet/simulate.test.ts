// The simulator counts right: nobody is lost, nothing is paid twice, and what can be worked out by hand comes out so.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Bill } from '../../bench/simulate/fleet.ts'
import { type PoolRun, runPool } from '../../bench/simulate/run.ts'
import type { Scenario } from '../../bench/simulate/scenario.ts'
import {
  alwaysOn,
  ours,
  type Strategy,
  thresholdByOne,
  thresholdByShare,
  tracking,
} from '../../bench/simulate/strategies.ts'
import { edges, encoders, group, scenario } from './simulate-scenario.ts'

const run = (one: Scenario, strategy: Strategy = ours(), seed = 1): PoolRun =>
  runPool({ scenario: one, plan: one.pools[0]!, strategy, seed })

const rush = (more: object = {}) => ({
  fleet: edges({ minimum: 1, reserve: 1 }),
  viewers: {
    stayMinutes: 10,
    curve: [
      { atMinutes: 0, viewers: 100 },
      { atMinutes: 5, viewers: 100 },
      { atMinutes: 15, viewers: 3000, by: 'ease' },
      { atMinutes: 40, viewers: 50 },
    ],
  },
  ...more,
})

describe('chance', () => {
  test('the same seed makes the same run, another one another', () => {
    const one = scenario(rush())
    expect(run(one)).toEqual(run(one))
    expect(run(one, ours(), 2)).not.toEqual(run(one))
  })

  test('every strategy meets the same viewers', () => {
    const arrived = [ours(), thresholdByOne(), alwaysOn(8)].map(
      (strategy) => run(scenario(rush()), strategy).audience?.arrived,
    )
    expect(new Set(arrived).size).toBe(1)
  })
})

/** Prices of all that were paid for at one time, added up. */
function mostPerHour(bills: readonly Bill[]): number {
  const changes = bills
    .flatMap(({ fromMs, toMs, pricePerHour }) => [
      { atMs: fromMs, by: pricePerHour },
      { atMs: toMs, by: -pricePerHour },
    ])
    .sort((a, b) => a.atMs - b.atMs || a.by - b.by)
  let [sum, most] = [0, 0]
  for (const { by } of changes) {
    sum += by
    most = Math.max(most, sum)
  }
  return most
}

/** No chance at all: every boot takes a minute, every stop half of one. */
const exact = {
  boot: { leastSeconds: 60, mostSeconds: 60 },
  stop: { leastSeconds: 30, mostSeconds: 30 },
  errandSeconds: 0,
}

test.each([...[ours(), thresholdByOne(), thresholdByShare(), tracking()], alwaysOn(4)])(
  '$title: who dies is missed, sent to sleep, and others come',
  (strategy) => {
    const { viewers } = rush()
    const level = { ...rush(), viewers: { ...viewers, curve: [{ atMinutes: 0, viewers: 1500 }] } }
    const events = [{ kind: 'death', atMinutes: 10, share: 0.5 }]
    const { bills, wakes, audience } = run(scenario({ ...level, cloud: exact, events }), strategy)
    expect(wakes).toBeGreaterThanOrEqual(2)
    // Half a minute of silence, a request, half a minute to stop, and the watch's ten seconds.
    const startMs = Math.min(...bills.map(({ fromMs }) => fromMs))
    const gone = bills.filter(({ toMs }) => toMs - startMs > 10.5 * 60_000 && toMs - startMs <= 11.5 * 60_000)
    expect(gone.length).toBeGreaterThanOrEqual(2)
    expect(audience?.waiting).toBe(0)
  },
)

describe('accounts', () => {
  const courses = fc.record({
    seed: fc.nat(1e6),
    strategy: fc.constantFrom(ours, thresholdByOne, thresholdByShare, tracking, () => alwaysOn(3)),
    peak: fc.integer({ min: 0, max: 6000 }),
    share: fc.constantFrom(0, 0.3, 1),
    deathAt: fc.integer({ min: 0, max: 59 }),
    scarceAt: fc.integer({ min: 0, max: 59 }),
    muteShare: fc.constantFrom(0, 0.2),
  })

  test('whoever came was served, was refused, or is still there; each machine is paid once, and both books agree', () => {
    fc.assert(
      fc.property(courses, ({ seed, strategy, peak, share, deathAt, scarceAt, muteShare }) => {
        const base = rush()
        const curve = [...base.viewers.curve, { atMinutes: 50, viewers: peak }]
        const one = scenario({
          ...base,
          viewers: { ...base.viewers, curve },
          cloud: { muteShare },
          events: [
            { kind: 'death', atMinutes: deathAt, share },
            { kind: 'no-capacity', atMinutes: scarceAt, forMinutes: 10, zone: 'a' },
          ],
        })
        const { audience, bills, cost, costCounted } = run(one, strategy(), seed)
        const { arrived, finished, refused, watching, waiting, secondsWanted, secondsWithout } = audience!
        expect(finished + refused + watching + waiting).toBeCloseTo(arrived, 4)
        for (const count of [finished, refused, watching, waiting]) expect(count).toBeGreaterThanOrEqual(0)
        expect(secondsWithout).toBeLessThanOrEqual(secondsWanted)
        expect(cost).toBeCloseTo(costCounted, 6)
        for (const bill of bills) {
          expect(bill.toMs).toBeGreaterThan(bill.fromMs)
          const same = bills.filter(({ id, fromMs }) => id === bill.id && fromMs > bill.fromMs)
          for (const later of same) expect(later.fromMs).toBeGreaterThanOrEqual(bill.toMs)
        }
      }),
      { numRuns: 25, seed: 7 },
    )
  })

  test('no unit is lost when machines die, and none counts twice', () => {
    const uploads = [{ atMinutes: 1, filmMinutes: 30, count: 5, everyMinutes: 2 }]
    const one = scenario({
      fleet: encoders({ goalSeconds: 300 }, [group('a', { count: 8 })]),
      work: { uploads, slotSecondsPerFilmSecond: 1 },
      events: [4, 7, 9].map((atMinutes) => ({ kind: 'death', atMinutes, share: 0.5 })),
    })
    const { work } = run(one)
    expect(work?.unitsRepeated).toBeGreaterThan(0)
    expect(work).toMatchObject({ titlesDone: 5, unitsDone: work?.units, unitsUnderWay: 0 })
  })

  test('the budget of an hour holds, where it would be passed without', () => {
    const most = (budgetPerHour: number) =>
      mostPerHour(run(scenario(rush({ fleet: edges({ budgetPerHour }) }))).bills)
    expect(most(1000)).toBeGreaterThan(3 * 3.6)
    expect(most(3 * 3.6)).toBeCloseTo(3 * 3.6)
  })
})

describe('by hand', () => {
  test('one film on one machine', () => {
    // 60 units of 16 s. Uploaded and seen at 1:00, ready at 2:00; 15 rounds of 4 units: 4 min. Done at 6:00, gone at 6:30.
    const one = scenario({
      fleet: encoders({ staySeconds: 0, coolSeconds: 0, goalSeconds: 3600 }, [group('a', { count: 1 })]),
      work: { uploads: [{ atMinutes: 1, filmMinutes: 16 }], slotSecondsPerFilmSecond: 1 },
      cloud: exact,
    })
    const { work, bills, vmHours, cost } = run(one)
    expect(work).toMatchObject({ units: 60, tookP50: 5, allDoneAfter: 6 })
    expect(bills.map(({ fromMs, toMs }) => (toMs - fromMs) / 1000)).toEqual([330])
    expect([vmHours, cost]).toEqual([330 / 3600, expect.closeTo(0.33)])
  })

  test('places for 600 of 1000', () => {
    const one = scenario({
      fleet: edges({ minimum: 1 }, [group('a', { count: 1 })]),
      // So long that hardly anybody leaves.
      viewers: { stayMinutes: 1440, curve: [{ atMinutes: 0, viewers: 1000 }] },
    })
    const { audience, cost } = run(one)
    expect(audience?.watching).toBeGreaterThan(598)
    expect(audience?.watching).toBeLessThanOrEqual(600)
    expect(audience?.secondsWithout).toBeGreaterThan(380 * 3600)
    expect(audience?.secondsWithout).toBeLessThan(420 * 3600)
    expect(cost).toBeCloseTo(3.6)
  })

  test('always on costs its machines, all the time', () => {
    const { cost, wakes } = run(scenario(rush()), alwaysOn(5))
    expect([cost, wakes]).toEqual([expect.closeTo(5 * 3.6), 0])
  })

  test('a zone without capacity sends the wakes to the next', () => {
    const events = [{ kind: 'no-capacity', atMinutes: 0, forMinutes: 60, zone: 'a' }]
    const booted = (parts: object) => run(scenario(rush(parts))).bills.filter(({ id }) => id.includes('-a-'))
    expect(booted({}).length).toBeGreaterThan(1)
    // The one that was awake already.
    expect(booted({ events }).length).toBe(1)
  })

  test('no more starts than the resource manager takes', () => {
    const cloud = { ...exact, startsPerMinute: 1, startsBurst: 1 }
    const { bills } = run(scenario(rush({ cloud })))
    // The first was awake from the start.
    const [, ...wakes] = bills.map(({ fromMs }) => fromMs).sort((a, b) => a - b)
    expect(wakes.length).toBeGreaterThan(2)
    wakes.forEach((atMs, n) => {
      if (n > 0) expect(atMs - wakes[n - 1]!).toBeGreaterThanOrEqual(59_999)
    })
  })
})
