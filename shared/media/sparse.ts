// A source with holes, for who does not need what lies there: zeros stand in it, and only the rest is fetched, ahead of need.
import type { Hole } from '../encode/ports.ts'

export interface Sparse {
  /** Where holes lie: `[start, end)`. */
  readonly start: number
  readonly end: number
  /** From `offset` within that, up to where the next piece or hole begins. */
  part(offset: number): Promise<Uint8Array>
}

const pieceBytes = 1 << 20
/** A request of the store takes its time however little it brings: so many are under way at once. */
const piecesAhead = 8
const piecesKept = 64
const zeros = new Uint8Array(64 << 10)

export function createSparse(
  holes: readonly Hole[],
  fetch: (offset: number, count: number) => Promise<Uint8Array>,
): Sparse {
  const pieces = piecesBetween(holes)
  const fetched = new Map<number, Promise<Uint8Array>>()

  function piece(index: number, { start, end }: Hole): Promise<Uint8Array> {
    const known = fetched.get(index)
    if (known) return known
    const bytes = fetch(start, end - start)
    fetched.set(index, bytes)
    // Whoever needs it is told; one that was fetched ahead may never be needed.
    bytes.catch(() => fetched.delete(index))
    const [oldest] = fetched.keys()
    if (fetched.size > piecesKept && oldest !== undefined) fetched.delete(oldest)
    return bytes
  }

  const end = holes.at(-1)?.end ?? 0
  return {
    start: holes[0]?.start ?? 0,
    end,
    async part(offset) {
      const index = firstEndingAfter(pieces, offset)
      for (const [ahead, next] of pieces.slice(index, index + piecesAhead).entries())
        void piece(index + ahead, next)
      const next = pieces[index]
      if (!next || offset < next.start)
        return zeros.subarray(0, Math.min(zeros.length, (next?.start ?? end) - offset))
      return (await piece(index, next)).subarray(offset - next.start)
    },
  }
}

/** What lies between holes, in pieces of a bounded size. */
function piecesBetween(holes: readonly Hole[]): Hole[] {
  return holes.slice(1).flatMap(({ start: end }, n) => {
    const start = holes[n]?.end ?? end
    return Array.from({ length: Math.ceil((end - start) / pieceBytes) }, (_, part) => ({
      start: start + part * pieceBytes,
      end: Math.min(end, start + (part + 1) * pieceBytes),
    }))
  })
}

/** By halves: a film has hundreds of thousands. */
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
