// A clock that stands still until a test lets time pass: what is due then runs, in its order, however fast the machine is.
import { setImmediate as turn } from 'node:timers/promises'
import type { ArmClock } from '../../host/arm/clock.ts'

export interface HandClock extends ArmClock {
  pass(ms: number): Promise<void>
}

export function createHandClock(): HandClock {
  let nowMs = Date.now()
  const due = new Set<{ readonly atMs: number; readonly run: () => void }>()
  return {
    now: () => nowMs,
    after(ms, run) {
      const one = { atMs: nowMs + ms, run }
      due.add(one)
      return () => void due.delete(one)
    },
    async pass(ms) {
      const untilMs = nowMs + ms
      for (;;) {
        const next = [...due].filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)[0]
        if (!next) break
        due.delete(next)
        nowMs = next.atMs
        next.run()
        await turn()
      }
      nowMs = untilMs
    },
  }
}
