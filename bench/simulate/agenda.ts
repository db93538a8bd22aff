// What happens when: events in the order of their times, and of their making where the times are the same.

interface Entry {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

const before = (a: Entry, b: Entry): boolean => (a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs)

export interface Agenda {
  now(): number
  at(atMs: number, run: () => void): void
  after(ms: number, run: () => void): void
  /** Runs all that is due until then, and what that makes due; then it is then. */
  runTo(atMs: number): void
}

export function createAgenda(startMs: number): Agenda {
  /** A binary heap: the next one is its first. */
  const heap: Entry[] = []
  let nowMs = startMs
  let made = 0

  const put = (entry: Entry): void => {
    let n = heap.push(entry) - 1
    while (n > 0) {
      const parent = (n - 1) >> 1
      if (!before(entry, heap[parent]!)) break
      heap[n] = heap[parent]!
      n = parent
    }
    heap[n] = entry
  }

  const take = (): Entry => {
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let n = 0
    for (;;) {
      let child = 2 * n + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[n] = heap[child]!
      n = child
    }
    heap[n] = last
    return first
  }

  const at = (atMs: number, run: () => void): void => put({ atMs: Math.max(atMs, nowMs), order: made++, run })
  return {
    now: () => nowMs,
    at,
    after: (ms, run) => at(nowMs + ms, run),
    runTo(atMs) {
      while (heap.length > 0 && heap[0]!.atMs <= atMs) {
        const entry = take()
        nowMs = entry.atMs
        entry.run()
      }
      nowMs = atMs
    },
  }
}
