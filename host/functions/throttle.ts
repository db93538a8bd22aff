// How many requests run at once and how many may wait, by host.json; what is over that gets a 429.
export interface Throttle {
  /** False when the queue is full; otherwise the work has run. */
  run(work: () => Promise<void>): Promise<boolean>
}

/** -1 stands for no limit, as in host.json; `maxOutstanding` counts the running ones too. */
export function createThrottle(maxConcurrent: number, maxOutstanding: number): Throttle {
  const waiting: (() => void)[] = []
  let running = 0
  return {
    async run(work) {
      if (maxOutstanding >= 0 && running + waiting.length >= maxOutstanding) return false
      if (maxConcurrent >= 0 && running >= maxConcurrent) await new Promise<void>((go) => waiting.push(go))
      else running++
      try {
        await work()
      } finally {
        // The place goes straight to the next in line, so that nobody slips in between.
        const next = waiting.shift()
        if (next) next()
        else running--
      }
      return true
    },
  }
}
