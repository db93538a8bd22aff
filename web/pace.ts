// How fast bytes leave, so that a time can be promised.

const paceWindowMs = 10_000

/** Bytes a second over the last ten seconds. */
export function createPace() {
  const samples: Array<{ atMs: number; sentBytes: number }> = []
  return (atMs: number, sentBytes: number): number => {
    samples.push({ atMs, sentBytes })
    while (samples.length > 2 && atMs - samples[0]!.atMs > paceWindowMs) samples.shift()
    const first = samples[0]!
    return atMs === first.atMs ? 0 : ((sentBytes - first.sentBytes) / (atMs - first.atMs)) * 1000
  }
}
