// Lets through as many requests as Azure's Compute does, by machine and kind: so many at once, then so many a minute.
import { tooMany } from './answer.ts'

/** Start and deallocate have buckets of their own; those of a whole subscription are out of one machine's reach. */
export const buckets = {
  start: { burst: 12, perMinute: 4 },
  deallocate: { burst: 12, perMinute: 4 },
  look: { burst: 36, perMinute: 12 },
  list: { burst: 300, perMinute: 300 },
} as const

export type Bucket = keyof typeof buckets

/** Refuses with 429, and says when the next one is let through. */
export const createThrottle = (now: () => number) => {
  const levels = new Map<string, { tokens: number; atMs: number }>()
  return (bucket: Bucket, machine: string): void => {
    const { burst, perMinute } = buckets[bucket]
    const key = `${bucket} ${machine}`
    const nowMs = now()
    const before = levels.get(key) ?? { tokens: burst, atMs: nowMs }
    const tokens = Math.min(burst, before.tokens + ((nowMs - before.atMs) * perMinute) / 60_000)
    if (tokens < 1) throw tooMany(Math.ceil(((1 - tokens) * 60) / perMinute))
    levels.set(key, { tokens: tokens - 1, atMs: nowMs })
  }
}
