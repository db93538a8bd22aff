// How many requests of a tenant, or refusals of a network, one instance answers: a token bucket each.
import type { Clock } from '../core/clock.ts'

const mostBuckets = 10_000

/**
 * Returns the seconds to wait before the next try, or 0. A bucket is `depth` deep, by default a second's worth; those of
 * the longest silent are forgotten first.
 */
export function createThrottle(
  perSecond: number,
  clock: Clock,
  depth = perSecond,
): (subject: string) => number {
  const buckets = new Map<string, { tokens: number; atMs: number }>()
  return (subject) => {
    const now = clock.now()
    const before = buckets.get(subject) ?? { tokens: depth, atMs: now }
    // A clock that was set back takes nothing away.
    const passedMs = Math.max(0, now - before.atMs)
    const tokens = Math.min(depth, before.tokens + (passedMs / 1000) * perSecond)
    const allowed = tokens >= 1
    buckets.delete(subject)
    buckets.set(subject, { tokens: allowed ? tokens - 1 : tokens, atMs: now })
    if (buckets.size > mostBuckets) buckets.delete(buckets.keys().next().value as string)
    return allowed ? 0 : Math.ceil((1 - tokens) / perSecond)
  }
}
