// Work is done by the goal: who has something to do is not sent to sleep because less is left than before.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runPool } from '../../bench/simulate/run.ts'
import { ours } from '../../bench/simulate/strategies.ts'
import { encoders, group, scenario } from './simulate-scenario.ts'

const goalMinutes = 40
const bootMinutes = 3.5
/** Of one unit, and of the titles that are done one after another where there are more slots than units. */
const restMinutes = 3

const runBatch = (
  { films, minutes, reserve }: { films: number; minutes: number; reserve: number },
  seed = 1,
) => {
  const one = scenario({
    hours: 2,
    fleet: encoders({ goalSeconds: goalMinutes * 60, reserve }, [
      group('a', { count: 6, slots: 8 }),
      group('b', { count: 40, slots: 4 }),
    ]),
    work: {
      uploads: [{ atMinutes: 5, filmMinutes: minutes, count: films }],
      slotSecondsPerFilmSecond: 1,
      titlesAtOnce: 1000,
    },
  })
  return runPool({ scenario: one, plan: one.pools[0]!, strategy: ours(), seed })
}

describe('a batch', () => {
  const batches = fc.record({
    films: fc.integer({ min: 1, max: 60 }),
    minutes: fc.integer({ min: 10, max: 90 }),
    reserve: fc.constantFrom(0, 1),
  })

  test('of any size is done by the goal and a boot, and costs what its work does', () => {
    fc.assert(
      fc.property(batches, fc.nat(1e6), (batch, seed) => {
        const { work, vmHours, bills } = runBatch(batch, seed)
        expect(work?.tookMost).toBeLessThan(goalMinutes + bootMinutes + restMinutes)
        // Each machine boots, stays for ten minutes more than it is needed, and stops.
        const slotHours = (batch.films * batch.minutes) / 60
        expect(vmHours).toBeLessThan(slotHours / 4 + bills.length * 0.4)
      }),
      { numRuns: 8, seed: 5 },
    )
  })
})
