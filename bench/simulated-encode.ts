// How long a film takes with any number of workers: list scheduling of its units, by what units were measured to take.
import { windowOf } from '../shared/encode/executor.ts'

export interface EncodeFacts {
  readonly filmSeconds: number
  readonly workers: number
  /** One chunk of full size, on one worker. */
  readonly chunkSeconds: number
  /** The whole sound, which is one unit. */
  readonly soundSeconds: number
  /** Between one unit and the next: offer, claim, report, event. */
  readonly overheadSeconds: number
}

export type Bound =
  | 'the workers'
  | 'the sound, which is one unit'
  | 'the window of units under way'
  | 'one chunk'

export interface Simulated {
  readonly totalSeconds: number
  readonly bound: Bound
}

const segmentSeconds = 4
const openingSeconds = 2
/** As deployed: segments of a chunk, and units of one title that are offered at once, with few workers. */
const chunkSegments = 4
const smallestWindow = 32

export function simulateEncode(facts: EncodeFacts): Simulated {
  const { filmSeconds, workers, chunkSeconds, soundSeconds, overheadSeconds } = facts
  const share = (units: number): number => (chunkSeconds * units) / chunkSegments
  const whole = Math.ceil((filmSeconds - openingSeconds) / segmentSeconds - 3) / chunkSegments
  // The opening is half a segment; then one segment, then two, then chunks of full size.
  const chunks = [0.5, 1, 2, ...Array.from({ length: Math.ceil(whole) }, () => chunkSegments)].map(share)
  const window = windowOf('workers', { window: smallestWindow, slots: workers })
  const atOnce = Math.max(1, Math.min(workers - 1, window))
  const freeAt = Array.from({ length: workers === 1 ? 1 : atOnce }, () => 0)
  for (const one of chunks) {
    const first = freeAt.indexOf(Math.min(...freeAt))
    freeAt[first] = (freeAt[first] ?? 0) + one + overheadSeconds
  }
  const chunksSeconds = Math.max(...freeAt)
  // One worker does the sound too; where there are more, one of them does it beside the chunks.
  const totalSeconds =
    workers === 1 ? chunksSeconds + soundSeconds : Math.max(chunksSeconds, soundSeconds + overheadSeconds)
  return { totalSeconds, bound: boundOf(facts, { chunksSeconds, units: chunks.length, window }) }
}

function boundOf(
  { workers, soundSeconds }: EncodeFacts,
  { chunksSeconds, units, window }: { chunksSeconds: number; units: number; window: number },
): Bound {
  if (workers === 1) return 'the workers'
  if (soundSeconds > chunksSeconds) return 'the sound, which is one unit'
  if (workers - 1 < Math.min(window, units)) return 'the workers'
  return units > window ? 'the window of units under way' : 'one chunk'
}
