// Where segments and chunks lie on a title's frames: pure functions that everything which needs an edge goes through.
export interface Edges {
  readonly frames: number
  /** Frames of segment 0, the opening; all others but the last have `segmentFrames`. */
  readonly openingFrames: number
  readonly segmentFrames: number
}

export interface Grid extends Edges {
  /** Segments of a chunk, once chunks have grown. */
  readonly chunkSegments: number
  /** What is left after the last whole chunk joins that chunk when it has fewer frames than this. */
  readonly leastFrames: number
}

/** The work of one unit: whole segments, all renditions of them. */
export interface Chunk {
  readonly firstSegment: number
  readonly segments: number
  readonly firstFrame: number
  readonly frames: number
}

/** With a pyramid of B-frames, pictures are decoded at most two frames before they are shown. */
export const leadFrames = 2

/** What is too short for a segment of its own goes with the opening. */
export const openingOf = ({
  frames,
  most,
  least,
}: {
  frames: number
  most: number
  least: number
}): number => (frames - most < Math.max(least, leadFrames + 1) ? frames : most)

/**
 * A tail no longer than the lead goes with the segment before it: hls.js heeds no edit list, would look for such a
 * segment behind the end of the film, and never come to its end.
 */
export const segmentCount = ({ frames, openingFrames, segmentFrames }: Edges): number =>
  openingFrames >= frames
    ? 1
    : 1 + Math.max(1, Math.ceil((frames - openingFrames - leadFrames) / segmentFrames))

/** First frame of segment `number`; the end of the title behind the last one. */
export function segmentStart(grid: Edges, number: number): number {
  if (number <= 0) return 0
  if (number >= segmentCount(grid)) return grid.frames
  return grid.openingFrames + (number - 1) * grid.segmentFrames
}

/** The opening alone, then one segment, then two, then as many as a unit takes: a title plays soon, and later units are worth their start. */
function firstSegmentOf({ chunkSegments }: Grid, chunk: number): number {
  if (chunk < 3) return chunk
  return 2 + Math.min(2, chunkSegments) + (chunk - 3) * chunkSegments
}

export function chunkCount(grid: Grid): number {
  const segments = segmentCount(grid)
  if (segments <= 2) return segments
  const grown = Math.max(0, segments - firstSegmentOf(grid, 3))
  const count = 3 + Math.ceil(grown / grid.chunkSegments)
  // What is left may be too short to tell a missing tail from a missing chunk.
  const left = grid.frames - segmentStart(grid, firstSegmentOf(grid, count - 1))
  return left < grid.leastFrames ? count - 1 : count
}

export function chunkAt(grid: Grid, number: number): Chunk {
  const count = chunkCount(grid)
  if (!Number.isInteger(number) || number < 0 || number >= count)
    throw new RangeError(`there is no chunk ${number} of ${count}`)
  const firstSegment = firstSegmentOf(grid, number)
  const end = number === count - 1 ? segmentCount(grid) : firstSegmentOf(grid, number + 1)
  const firstFrame = segmentStart(grid, firstSegment)
  return {
    firstSegment,
    segments: end - firstSegment,
    firstFrame,
    frames: segmentStart(grid, end) - firstFrame,
  }
}
