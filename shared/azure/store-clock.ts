// What time it is by the store's own clock, as far as its answers prove it: the one clock that all nodes share.
import type { Clock } from '../core/clock.ts'

export interface StoreClock {
  now(): number
  /** `date` is the header of an answer to what was asked at `askedAtMs` by this node's own clock. */
  observe(askedAtMs: number, date: unknown): void
}

/**
 * A date of HTTP names a second D (RFC 9110 5.6.7): at some moment between question and answer the store's clock
 * stood in [D, D + 1 s). The correction moves no further than the newest answer demands, so that a clock which is
 * right is never corrected, and one that is wrong is right to about a second and the way of one answer.
 */
export function createStoreClock(clock: Pick<Clock, 'now'>): StoreClock {
  let offsetMs = 0
  return {
    now: () => clock.now() + offsetMs,
    observe(askedAtMs, date) {
      const secondMs = typeof date === 'string' && date.endsWith(' GMT') ? Date.parse(date) : Number.NaN
      if (Number.isNaN(secondMs)) return
      const leastMs = secondMs - clock.now()
      const mostMs = secondMs + 1000 - askedAtMs
      // A clock that was set between question and answer proves nothing.
      if (leastMs <= mostMs) offsetMs = Math.min(Math.max(offsetMs, leastMs), mostMs)
    },
  }
}
