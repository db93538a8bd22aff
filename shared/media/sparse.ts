// A source with holes, for a reader that does not need what lies there: holes read as zeros, and only the rest is fetched, ahead of need.
import type { Hole, Layout, ReadBytes, Stretch } from '../encode/ports.ts'

export interface Sparse {
  /** From `offset` up to where the next piece or hole begins; undefined where the layout says nothing. */
  part(offset: number): Promise<Uint8Array | undefined>
}

const pieceBytes = 1 << 20
/** A request to the store takes its time however little it brings, so this many are under way at once. */
const piecesAhead = 8
const stretchesAhead = 8
const piecesKept = 64
const zeros = new Uint8Array(64 << 10)

interface Known extends Stretch {
  readonly pieces: Promise<readonly Hole[]>
}

export function createSparse(layout: Layout, fetch: ReadBytes): Sparse {
  const stretches: Promise<Known | undefined>[] = []
  const fetched = new Map<number, Promise<Uint8Array>>()
  /** A reader that goes on finds the stretch that it had last. */
  let last = 0

  function stretch(index: number): Promise<Known | undefined> {
    stretches[index] ??= quietly(follow(index))
    return stretches[index]
  }

  async function follow(index: number): Promise<Known | undefined> {
    const start = index === 0 ? layout.start : (await stretch(index - 1))?.end
    const next = start === undefined ? undefined : await layout.next(start, fetch)
    return next && { ...next, pieces: quietly(next.holes.then((holes) => piecesOf(next, holes))) }
  }

  async function around(offset: number): Promise<Known | undefined> {
    if (offset < layout.start) return undefined
    const from = await stretch(last)
    let index = from && from.start <= offset ? last : 0
    let found = await stretch(index)
    while (found && found.end <= offset) found = await stretch(++index)
    last = found ? index : 0
    for (let ahead = 1; ahead <= stretchesAhead; ahead++) void stretch(index + ahead)
    return found
  }

  function piece({ start, end }: Hole): Promise<Uint8Array> {
    const bytes = fetched.get(start) ?? quietly(fetch(start, end - start))
    fetched.set(start, bytes)
    const [oldest] = fetched.keys()
    if (fetched.size > piecesKept && oldest !== undefined) fetched.delete(oldest)
    return bytes
  }

  return {
    async part(offset) {
      const here = await around(offset)
      if (!here) return undefined
      const pieces = await here.pieces
      const index = firstEndingAfter(pieces, offset)
      const next = pieces[index]
      for (const one of pieces.slice(index, index + piecesAhead)) void piece(one)
      if (!next || offset < next.start)
        return zeros.subarray(0, Math.min(zeros.length, (next?.start ?? here.end) - offset))
      return (await piece(next)).subarray(offset - next.start)
    },
  }
}

/** Whoever needs it hears of its failure; what was fetched ahead may never be needed. */
function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/** What lies between holes, in pieces of a bounded size. */
function piecesOf({ start, end }: { start: number; end: number }, holes: readonly Hole[]): Hole[] {
  const starts = [start, ...holes.map((hole) => hole.end)]
  const ends = [...holes.map((hole) => hole.start), end]
  return starts.flatMap((from, n) => {
    const to = ends[n] ?? end
    return Array.from({ length: Math.ceil((to - from) / pieceBytes) }, (_, part) => ({
      start: from + part * pieceBytes,
      end: Math.min(to, from + (part + 1) * pieceBytes),
    }))
  })
}

/** A binary search: a film has hundreds of thousands. */
function firstEndingAfter(pieces: readonly Hole[], offset: number): number {
  let low = 0
  let high = pieces.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((pieces[middle]?.end ?? 0) > offset) high = middle
    else low = middle + 1
  }
  return low
}
