// The clock by which machines start, boot and stop, and by which requests are counted.

export interface ArmClock {
  now(): number
  /** Runs it after so long; what is returned calls it off. */
  after(ms: number, run: () => void): () => void
}

export const systemClock: ArmClock = {
  now: Date.now,
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}
