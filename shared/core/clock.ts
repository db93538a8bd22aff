// The only place that reads the time; everything else is handed a Clock.
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms` milliseconds. */
  wait(ms: number): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}

/** RFC 3339 in UTC, as all our documents and answers write it. */
export const isoTime = (ms: number): string => new Date(ms).toISOString()
