// How long the rest of a job will take, by the speed since this process first heard of it.
import type { Clock } from '../core/clock.ts'

export interface Pace {
  /** Whole seconds, or undefined until there is something to go by. */
  estimate(jobId: string, done: number, total: number): number | undefined
}

const remembered = 100
const leastMs = 3000

export function createPace(clock: Clock): Pace {
  const first = new Map<string, { done: number; atMs: number }>()
  return {
    estimate(jobId, done, total) {
      const start = first.get(jobId)
      if (!start) {
        first.set(jobId, { done, atMs: clock.now() })
        const [oldest] = first.keys()
        if (first.size > remembered && oldest !== undefined) first.delete(oldest)
        return undefined
      }
      const ms = clock.now() - start.atMs
      if (ms < leastMs || done <= start.done) return undefined
      return Math.ceil(((total - done) * ms) / (done - start.done) / 1000)
    },
  }
}
