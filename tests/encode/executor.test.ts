// Who does a title's units: a rule of its plan and the limits; and what units take, which adds up to the film.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chunkPixels, effortOf, picturePixels, soundPixels } from '../../shared/encode/effort.ts'
import { executorOf, windowOf } from '../../shared/encode/executor.ts'
import { chunkCount } from '../../shared/encode/grid.ts'
import { partsOf } from '../../shared/encode/work.ts'
import { planOf } from './offered.ts'
import { target } from './stage.ts'

const film = planOf(600)
/** By which its pictures take one unit after another exactly a hundred seconds. */
const speed = picturePixels(film) / 100
const auto = { executor: 'auto', fleetMs: 99_999, slots: 4 } as const

test('with `auto` what takes longer than the limit is shared with workers, and nothing else', () => {
  expect(executorOf(film, auto, speed)).toBe('both')
  expect(executorOf(film, { ...auto, fleetMs: 100_000 }, speed)).toBe('app')
  expect(executorOf(film, auto, 1.001 * speed)).toBe('app')
  // Where there are no machines nobody waits for them.
  expect(executorOf(film, { ...auto, slots: 0 }, speed)).toBe('app')
  // One that is all opening has nothing to share.
  const glimpse = planOf(2)
  expect(chunkCount(glimpse.video)).toBe(1)
  expect(executorOf(glimpse, { ...auto, fleetMs: 0 }, 1)).toBe('app')
  expect(executorOf(planOf(9), { ...auto, fleetMs: 0 }, 1)).toBe('both')
})

test('the other executors ask for nothing of the plan', () => {
  for (const slots of [0, 4]) {
    expect(executorOf(film, { executor: 'function', fleetMs: 0, slots }, 1)).toBe('app')
    expect(executorOf(planOf(2), { executor: 'fleet', fleetMs: 1e9, slots }, 1e12)).toBe('workers')
  }
})

test('a title alone keeps all workers of the pool busy, up to what a history bears', () => {
  const of = (slots: number, window = 8) => windowOf('both', { window, slots })
  expect([0, 1, 6, 7, 20, 100, 205, 1000].map((slots) => of(slots))).toEqual([8, 8, 8, 9, 25, 125, 256, 256])
  expect(of(4, 256)).toBe(256)
  expect(windowOf('workers', { window: 8, slots: 100 })).toBe(125)
  expect(windowOf('app', { window: 8, slots: 100 })).toBe(8)
})

describe('of a film of any length, in any window', () => {
  const films = fc.record({
    seconds: fc.integer({ min: 1, max: 4000 }),
    chunkSegments: fc.integer({ min: 1, max: 15 }),
    window: fc.integer({ min: 1, max: 64 }),
  })
  test('the opening and what the first offers of all parts tell is all of its pictures', () => {
    fc.assert(
      fc.property(films, ({ seconds, chunkSegments, window }) => {
        const plan = planOf(seconds, { chunkSegments })
        const chunks = chunkCount(plan.video)
        const parts = partsOf({ ...target, plan: '' }, { chunks, window })
        const told = parts.map(({ chunk, step }) => effortOf(plan, { chunk, step }))
        const all = told.reduce((sum, { pixels, rest }) => sum + pixels + rest, chunkPixels(plan, 0))
        expect(all).toBe(picturePixels(plan))
        // And each one tells as much less as it is itself.
        for (const { chunk, step } of parts.slice(0, 3)) {
          const { rest } = effortOf(plan, { chunk, step })
          if (chunk + step >= chunks) expect(rest).toBe(0)
          else {
            const next = effortOf(plan, { chunk: chunk + step, step })
            expect(next.pixels + next.rest).toBe(rest)
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  test('the sound is something, and little beside the pictures', () => {
    const plan = planOf(600, { sound: true })
    expect(soundPixels(plan)).toBeGreaterThan(0)
    expect(soundPixels(plan)).toBeLessThan(0.1 * picturePixels(plan))
    expect(soundPixels(planOf(600))).toBe(0)
  })
})
