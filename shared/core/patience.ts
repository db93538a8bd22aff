// How long an answer is waited for before its asker is told that there is none now; what was asked goes on by itself.
import type { Clock } from './clock.ts'
import { Problem } from './problem.ts'

export const isUnavailable = (error: unknown): boolean =>
  error instanceof Problem && error.code === 'unavailable'

/** Rejects with `unavailable` after `patienceMs`. */
export function within<T>(clock: Pick<Clock, 'wait'>, patienceMs: number, answer: Promise<T>): Promise<T> {
  const given = clock.wait(patienceMs).then(() => {
    throw new Problem('unavailable', { retryAfterSeconds: 2 })
  })
  // Whichever comes second has nobody who listens.
  for (const one of [answer, given]) one.catch(() => {})
  return Promise.race([answer, given])
}
