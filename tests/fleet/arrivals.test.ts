// Work is done by its goal, counted from when it came in: what came first is due first, and nothing of it drags on.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arrivals, slotsFor } from '../../shared/fleet/arrivals.ts'
import type { Sample } from '../../shared/fleet/ports.ts'

const goalMs = 600_000
const bootMs = 120_000
const work = (seconds: number, parallel = 1000) => ({ kind: 'work', seconds, parallel }) as const
const came = (...given: [atMs: number, seconds: number][]): Sample[] =>
  given.map(([atMs, seconds]) => ({ atMs, demand: work(seconds) }))
const later = (samples: readonly Sample[], nowMs: number, seconds: number) =>
  arrivals(samples, { demand: work(seconds), nowMs, goalMs })
const slots = (samples: readonly Sample[], nowMs: number, parallel?: number) =>
  slotsFor(samples, work(0, parallel), { plan: { goalMs, bootMs }, nowMs })

describe('what came in', () => {
  test('is what there is more than before, and what is done was there first', () => {
    expect(later([], 0, 500)).toEqual(came([0, 500]))
    expect(later(came([0, 500]), 100_000, 700)).toEqual(came([0, 500], [100_000, 200]))
    expect(later(came([0, 500], [100_000, 200]), 200_000, 300)).toEqual(came([0, 100], [100_000, 200]))
    expect(later(came([0, 500], [100_000, 200]), 200_000, 150)).toEqual(came([100_000, 150]))
    expect(later(came([0, 500]), 1000, 0)).toEqual([])
  })

  test('a little later counts with what came before, so that little is kept', () => {
    expect(later(came([0, 500]), 74_999, 700)).toEqual(came([0, 700]))
    let samples: Sample[] = []
    for (let n = 1; n < 500; n++) samples = later(samples, n * 80_000, n)
    expect(samples).toHaveLength(40)
  })
})

describe('slots', () => {
  test('for all of it by the goal, whatever of it is done already', () => {
    expect(slots(came([0, 6000]), 0)).toBe(10)
    // Ten slots that were ready after two minutes need no others, and all ten, to the end.
    for (const minute of [2, 4, 6, 8]) {
      const undone = 6000 - 10 * (minute - 2) * 60
      expect(slots(came([0, undone]), minute * 60_000)).toBe(10)
    }
  })

  test('for what is due first, and for everything together', () => {
    expect(slots(came([0, 3000], [300_000, 60]), 420_000)).toBe(10)
    expect(slots(came([0, 300], [300_000, 6000]), 420_000)).toBe(11)
  })

  test('for what is late as if a quarter of the goal were left', () => {
    expect(slots(came([0, 3000]), 10 * goalMs)).toBe(20)
  })

  test('as many as could work at once, and one while there is any', () => {
    expect(slots(came([0, 6000]), 0, 3)).toBe(3)
    expect(slots(came([0, 1]), 0, 0)).toBe(1)
    expect(slots([], 0, 5)).toBe(0)
    const soon = slotsFor(came([0, 1]), work(1, 4), { plan: { goalMs: 0, bootMs }, nowMs: 0 })
    expect(soon).toBe(4)
  })
})

test('as much as there is is kept, oldest first, whatever comes and goes', () => {
  const step = fc.record({ afterMs: fc.integer({ min: -2000, max: 300_000 }), seconds: fc.nat(10_000) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let nowMs = 0
      let samples: Sample[] = []
      for (const { afterMs, seconds } of steps) {
        nowMs += afterMs
        samples = later(samples, nowMs, seconds)
        const times = samples.map(({ atMs }) => atMs)
        expect(times).toEqual(times.toSorted((a, b) => a - b))
        const sum = samples.reduce(
          (all, { demand }) => all + (demand.kind === 'work' ? demand.seconds : 0),
          0,
        )
        expect(sum).toBeCloseTo(seconds, 6)
        expect(later(samples, nowMs, seconds)).toEqual(samples)
      }
    }),
  )
})
