// How long viewers wait for their first segment: a model of an edge's load, and the quantiles of all who were asked to wait.

/** An edge whose places are all taken is busy to so much: they are meant as "without slowdown". */
const fullLoad = 0.8
/** Of one request on an idle edge; `docs/7-simulate.md` says from what. */
const serviceSeconds = 0.002
/** Session, master, playlist with its key, first segment: one after the other. */
const requests = 4
/** The opening of a title. */
const openingSeconds = 2

/** Of the standard normal distribution, at the middles of unequal parts of all viewers; the tail is cut finer. */
const parts = [
  { z: -1.2816, weight: 0.2 },
  { z: -0.5244, weight: 0.2 },
  { z: 0, weight: 0.2 },
  { z: 0.5244, weight: 0.2 },
  { z: 1.0364, weight: 0.1 },
  { z: 1.4395, weight: 0.05 },
  { z: 1.8808, weight: 0.03 },
  { z: 2.1701, weight: 0.01 },
  { z: 2.5758, weight: 0.01 },
]

export interface Opening {
  readonly roundTripSeconds: number
  readonly lineBytesPerSecond: number
  readonly bytesPerSecond: number
}

/**
 * Each request is answered as by a server that shares itself among all (processor sharing, M/M/1): on average
 * service / (1 - load), spread exponentially; four of them in a row make a gamma distribution of shape 4, whose
 * quantiles are Wilson and Hilferty's approximation.
 */
export function openingSecondsOf(
  opening: Opening,
  share: number,
): Array<{ seconds: number; weight: number }> {
  const mean = serviceSeconds / (1 - fullLoad * Math.min(1, share))
  const still =
    requests * opening.roundTripSeconds +
    (openingSeconds * opening.bytesPerSecond) / opening.lineBytesPerSecond
  return parts.map(({ z, weight }) => {
    const root = 1 - 1 / (9 * requests) + z / (3 * Math.sqrt(requests))
    return { seconds: still + mean * requests * root ** 3, weight }
  })
}

export interface Delays {
  /** In seconds; undefined where so many never got one. */
  readonly p50: number | undefined
  readonly p99: number | undefined
  /** Viewers who came, whether they were given one or not. */
  readonly asked: number
  /** Of those who got one. */
  readonly worst: number | undefined
}

/** Buckets grow by a hundredth, from a millisecond on. */
const growth = Math.log(1.01)
const leastSeconds = 0.001

export function createDelays() {
  const buckets = new Map<number, number>()
  let got = 0
  let never = 0
  let worst: number | undefined
  return {
    add(seconds: number, viewers: number): void {
      const bucket = Math.ceil(Math.log(Math.max(seconds, leastSeconds) / leastSeconds) / growth)
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + viewers)
      got += viewers
      worst = Math.max(worst ?? 0, seconds)
    },
    addNever(viewers: number): void {
      never += viewers
    },
    read(): Delays {
      const sorted = [...buckets].sort(([a], [b]) => a - b)
      const quantile = (share: number): number | undefined => {
        let rest = share * (got + never)
        for (const [bucket, viewers] of sorted) {
          rest -= viewers
          if (rest <= 0) return Math.min(leastSeconds * Math.exp(bucket * growth), worst ?? 0)
        }
        return undefined
      }
      return {
        p50: got > 0 ? quantile(0.5) : undefined,
        p99: got > 0 ? quantile(0.99) : undefined,
        worst,
        asked: got + never,
      }
    },
  }
}
