// What the fleet shows in the scenarios that are shipped: nobody refused where it can be helped, for less than always on.
import { expect, test } from 'vitest'
import { type PoolRun, peersOf, runPool } from '../../bench/simulate/run.ts'
import { ours, type Strategy } from '../../bench/simulate/strategies.ts'
import { shipped } from './simulate-scenario.ts'

/** Ours, and those peers that are asked for: each run takes time. */
function runs(name: string, peers: readonly string[] = [], seed = 1): PoolRun[] {
  const scenario = shipped(name)
  const plan = scenario.pools[0]!
  const run = (strategy: Strategy): PoolRun => runPool({ scenario, plan, strategy, seed })
  const own = run(ours())
  return [
    own,
    ...peersOf(scenario, plan, own)
      .filter((peer) => peers.includes(peer.name))
      .map(run),
  ]
}

const refused = ({ audience }: PoolRun): number => audience!.refused
const flaps = ({ turns, wakes }: PoolRun): number => turns / Math.max(1, wakes)

test.each(['evening', 'zone-without-capacity'])('%s: nobody is refused', (name) => {
  const [own, always, threshold] = runs(name, ['always-on', 'threshold']) as [PoolRun, PoolRun, PoolRun]
  expect(refused(own)).toBe(0)
  expect(own.audience?.secondsWithout).toBe(0)
  expect(own.cost).toBeLessThan(0.7 * always.cost)
  expect(own.cost).toBeLessThan(threshold.cost)
  expect(refused(own)).toBeLessThanOrEqual(refused(threshold))
  expect(flaps(own)).toBe(0)
})

test.each([1, 2])('a premiere, with seed %i', (seed) => {
  const [own, always, ...peers] = runs('premiere', ['always-on', 'threshold', 'tracking'], seed) as [
    PoolRun,
    PoolRun,
    ...PoolRun[],
  ]
  expect(refused(own)).toBe(0)
  expect(own.cost).toBeLessThan(always.cost)
  expect(peers).toHaveLength(2)
  for (const peer of peers) expect(refused(peer)).toBeGreaterThan(1000)
})

test('a premiere that was announced costs no minimum, and nobody is refused', () => {
  const [own, always] = runs('premiere-announced', ['always-on']) as [PoolRun, PoolRun]
  expect(refused(own)).toBe(0)
  expect(own.cost).toBeLessThan(always.cost)
})

test('a million viewers', () => {
  const before = process.cpuUsage()
  const [own] = runs('million') as [PoolRun]
  expect(refused(own)).toBe(0)
  expect(Math.max(...own.points.map(({ wanted }) => wanted))).toBeGreaterThan(990_000)
  // Of this process, however busy the machine is.
  expect(process.cpuUsage(before).user / 1e6).toBeLessThan(15)
})

test('a night of encoding: all is done, without machines that have nothing to do', () => {
  const [own] = runs('bulk-night') as [PoolRun]
  const { titles, titlesDone, units } = own.work!
  expect(titlesDone).toBe(titles)
  // Eight slots of 1.85 slot-seconds a second of film.
  const busyHours = (units * 16 * 1.85) / 8 / 3600
  expect(own.vmHours / busyHours).toBeLessThan(1.25)
})

test('a small audience is the app’s: edges are awake while it is not small, and nobody is refused', () => {
  const [own, tracking] = runs('small-audience', ['tracking']) as [PoolRun, PoolRun]
  expect(refused(own)).toBe(0)
  expect(own.mostAwake).toBe(1)
  expect(own.vmHours).toBeLessThan(2.5)
  expect(own.cost).toBeLessThan(tracking.cost)
  const during = (from: number, to: number) =>
    own.points.filter(({ minute }) => minute >= from && minute < to)
  expect(during(0, 480).every(({ awake }) => awake === 0)).toBe(true)
  expect(during(515, 570).every(({ awake }) => awake === 1)).toBe(true)
})

test('the budget holds where viewers are refused for it', () => {
  const [own] = runs('budget-reached') as [PoolRun]
  expect(refused(own)).toBeGreaterThan(0)
  expect(own.mostAwake * 0.384).toBeLessThanOrEqual(2)
})
