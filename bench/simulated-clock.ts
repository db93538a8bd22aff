// Time that a bench moves by hand: whoever waits goes on when it is there.
import type { Clock } from '../shared/core/clock.ts'

export function createSimulatedClock(startMs: number) {
  let nowMs = startMs
  let waiting: Array<{ atMs: number; resume: () => void }> = []
  const clock: Clock = {
    now: () => nowMs,
    wait: (ms) => new Promise((resume) => waiting.push({ atMs: nowMs + ms, resume })),
  }
  return {
    ...clock,
    advanceTo(ms: number): void {
      nowMs = ms
      const due = waiting.filter(({ atMs }) => atMs <= ms)
      waiting = waiting.filter(({ atMs }) => atMs > ms)
      for (const { resume } of due) resume()
    },
  }
}
