// What an audience is expected to be: a clean trend is followed, noise is not, and a forecast never lowers anything.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { forecast } from '../../shared/fleet/forecast.ts'
import type { Sample } from '../../shared/fleet/ports.ts'
import { seeded } from '../support/seeded.ts'

const lookMs = 10_000
const aheadMs = 130_000
const audience = (sessions: number) => ({ kind: 'audience', sessions, bytesPerSecond: 0 }) as const

/** Looks every ten seconds at a curve, the last of them at `untilMs`. */
function foreseen(curve: (ms: number) => number, untilMs: number, of = 25): number {
  const samples = Array.from({ length: of }, (_, n): Sample => {
    const atMs = untilMs - (of - 1 - n) * lookMs
    return { atMs, demand: audience(curve(atMs)) }
  })
  return forecast(samples, audience(curve(untilMs)), aheadMs).sessions
}

describe('follows', () => {
  test('a ramp whole', () => {
    expect(foreseen((ms) => 50_000 + ms / 10, 600_000)).toBeCloseTo(50_000 + 60_000 + 13_000, 3)
  })

  test('an explosion from nothing within half a minute', () => {
    const explosion = (ms: number) => Math.max(0, ms - 600_000) * (20_000 / 300_000)
    expect(foreseen(explosion, 590_000)).toBe(0)
    expect(foreseen(explosion, 630_000)).toBeGreaterThan(3.9 * explosion(630_000))
    expect(foreseen(explosion, 660_000) / explosion(660_000 + aheadMs)).toBeGreaterThan(0.9)
    expect(foreseen(explosion, 660_000) / explosion(660_000 + aheadMs)).toBeLessThan(1.3)
  })

  test('a ramp under noise, by most of it', () => {
    const random = seeded(7)
    const ramp = (ms: number) => 100_000 + ms / 4
    const noisy = (ms: number) => ramp(ms) * (0.99 + 0.02 * random())
    const part = (foreseen(noisy, 600_000) - ramp(600_000)) / (ramp(600_000 + aheadMs) - ramp(600_000))
    expect(part).toBeGreaterThan(0.6)
    expect(part).toBeLessThan(1.5)
  })
})

describe('does not follow', () => {
  test('what stays as it is, or falls', () => {
    expect(foreseen(() => 5000, 600_000)).toBe(5000)
    expect(foreseen((ms) => 100_000 - ms / 10, 600_000)).toBe(40_000)
  })

  test('noise by more than a little, on average over many looks', () => {
    const random = seeded(1)
    const over = Array.from({ length: 300 }, (_, n) => {
      return foreseen(() => 10_000 * (0.95 + 0.1 * random()), n * lookMs) / 10_000
    })
    expect(over.reduce((sum, part) => sum + part, 0) / over.length).toBeLessThan(1.1)
    expect(Math.max(...over)).toBeLessThan(1.5)
  })

  test('one look that stands out, by more than its clamp', () => {
    expect(foreseen((ms) => (ms === 600_000 ? 900 : 300), 600_000)).toBeLessThan(1200)
    expect(foreseen((ms) => (ms === 590_000 ? 900 : 300), 600_000)).toBeLessThan(450)
  })

  test('two looks: it takes more to see a trend', () => {
    expect(foreseen((ms) => ms, 600_000, 2)).toBe(600_000)
  })
})

test('is never less than what is there, never more than four times that, and a number', () => {
  const sample = fc.record({
    afterMs: fc.nat(60_000),
    sessions: fc.nat(1_000_000),
    bytesPerSecond: fc.nat(1e12),
  })
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 60 }), (given) => {
      let atMs = 0
      const samples = given.map(({ afterMs, sessions, bytesPerSecond }): Sample => {
        atMs += afterMs
        return { atMs, demand: { kind: 'audience', sessions, bytesPerSecond } }
      })
      const now = samples.at(-1)?.demand
      if (now?.kind !== 'audience') throw new Error('not an audience')
      const coming = forecast(samples, now, aheadMs)
      for (const what of ['sessions', 'bytesPerSecond'] as const) {
        expect(coming[what]).toBeGreaterThanOrEqual(now[what])
        expect(coming[what]).toBeLessThanOrEqual(4 * now[what])
      }
    }),
  )
})
