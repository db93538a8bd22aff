// How many requests of one tenant one instance accepts: a token bucket each, a second's worth deep.
import type { Clock } from '../core/clock.ts'

const mostTenants = 10_000

/** Returns the seconds to wait before the next try, or 0. Buckets of the longest silent are forgotten first. */
export function createThrottle(perSecond: number, clock: Clock): (tenantId: string) => number {
  const buckets = new Map<string, { tokens: number; atMs: number }>()
  return (tenantId) => {
    const now = clock.now()
    const before = buckets.get(tenantId) ?? { tokens: perSecond, atMs: now }
    const tokens = Math.min(perSecond, before.tokens + ((now - before.atMs) / 1000) * perSecond)
    const allowed = tokens >= 1
    buckets.delete(tenantId)
    buckets.set(tenantId, { tokens: allowed ? tokens - 1 : tokens, atMs: now })
    if (buckets.size > mostTenants) buckets.delete(buckets.keys().next().value as string)
    return allowed ? 0 : Math.ceil((1 - tokens) / perSecond)
  }
}
