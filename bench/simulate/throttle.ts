// A limit that the resource manager sets: so many a minute, and so many at once when nothing was asked for a while.

export interface Bucket {
  /** How long until one may be taken; 0 when it may be now. */
  waitMs(nowMs: number): number
  take(): void
}

export function createBucket(perMinute: number, burst: number): Bucket {
  const perMs = perMinute / 60_000
  let tokens = burst
  let filledToMs: number | undefined
  return {
    waitMs(nowMs) {
      tokens = Math.min(burst, tokens + (nowMs - (filledToMs ?? nowMs)) * perMs)
      filledToMs = nowMs
      return tokens >= 1 ? 0 : Math.ceil((1 - tokens) / perMs)
    },
    take: () => {
      tokens--
    },
  }
}
