// Chance that is the same for the same seed and purpose, so that every strategy meets the same boots, viewers and deaths.

export interface Chance {
  /** From 0 to 1, without 1. */
  share(): number
  between(least: number, most: number): number
  /** Around the median, by a factor of about `spread` either way, never outside. */
  logNormal(options: { median: number; spread: number; least: number; most: number }): number
  /** How many come when `mean` are expected (Poisson; the normal distribution above a hundred). */
  arrivals(mean: number): number
}

/** FNV-1a: small, and good enough to keep purposes apart. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let n = 0; n < text.length; n++) value = Math.imul(value ^ text.charCodeAt(n), 0x01000193)
  return value >>> 0
}

export function createChance(seed: number, purpose: string): Chance {
  let state = hash(`${seed} ${purpose}`)
  /** Mulberry32: one word of state. */
  const share = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let word = Math.imul(state ^ (state >>> 15), 1 | state)
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32
  }
  /** Box and Muller. */
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - share())) * Math.cos(2 * Math.PI * share())
  return {
    share,
    between: (least, most) => least + (most - least) * share(),
    logNormal({ median, spread, least, most }) {
      if (least >= most) return least
      for (let tries = 0; tries < 100; tries++) {
        const value = median * spread ** normal()
        if (value >= least && value <= most) return value
      }
      return Math.min(most, Math.max(least, median))
    },
    arrivals(mean) {
      if (mean <= 0) return 0
      if (mean > 100) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()))
      const limit = Math.exp(-mean)
      let count = 0
      for (let product = share(); product > limit; product *= share()) count++
      return count
    },
  }
}
