// How long the idle slots of a worker wait before they look again: longer each time, and not at all once one of them finds a unit.
import type { Clock } from '../core/clock.ts'

/** Each look is a query across all titles, and paid for; work that wakes a machine waits for minutes anyway. */
const firstMs = 500
const mostMs = 5000
const growth = 1.5

export interface Idle {
  /** Ends early when something is found, or `ended` is aborted. */
  wait(): Promise<void>
  found(): void
}

export function createIdle(clock: Pick<Clock, 'wait'>, ended: AbortSignal): Idle {
  const waiting = new Set<() => void>()
  const ring = () => {
    for (const wake of waiting) wake()
    waiting.clear()
  }
  ended.addEventListener('abort', ring, { once: true })
  let pauseMs = firstMs
  return {
    async wait() {
      if (ended.aborted) return
      const ms = pauseMs
      pauseMs = Math.min(mostMs, pauseMs * growth)
      await new Promise<void>((wake) => {
        waiting.add(wake)
        void clock.wait(ms).then(() => {
          waiting.delete(wake)
          wake()
        })
      })
    },
    found() {
      pauseMs = firstMs
      ring()
    },
  }
}
