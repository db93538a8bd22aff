// Whose turn it is: of one tenant only so many titles are encoded at once, first come first served.
import type { AssetId } from '../core/ids.ts'
import type { Line } from './ports.ts'

export interface Ask {
  readonly assetId: AssetId
  /** Of those in the line: titles that are not being encoded any more. */
  readonly over: ReadonlySet<AssetId>
  /** How many may be encoded at once. */
  readonly places: number
}

/** What waits beyond has no place in the line yet: it asks again, and finds one when the line is shorter. */
const longestLine = 1000

/** The line after a title has asked, and how many are before it; 0 when it may begin, or has begun already. */
export function afterAsk(
  line: Line | undefined,
  { assetId, over, places }: Ask,
): { line: Line; before: number } {
  const running = (line?.running ?? []).filter((id) => !over.has(id))
  const waiting = (line?.waiting ?? []).filter((id) => !over.has(id))
  if (running.includes(assetId)) return { line: { running, waiting }, before: 0 }
  if (!waiting.includes(assetId) && waiting.length < longestLine) waiting.push(assetId)
  const place = waiting.indexOf(assetId)
  // Those before it in the line have a claim on a free place each, even if it asks first.
  const free = places - running.length
  if (place < 0 || place >= free)
    return { line: { running, waiting }, before: (place < 0 ? waiting.length : place) + running.length }
  return {
    line: { running: [...running, assetId], waiting: waiting.filter((id) => id !== assetId) },
    before: 0,
  }
}

/** The line without a title that will not be encoded any more. */
export const afterLeave = (line: Line, assetId: AssetId): Line => ({
  running: line.running.filter((id) => id !== assetId),
  waiting: line.waiting.filter((id) => id !== assetId),
})
