// Which renditions a title gets: two to five, by the size of its picture, never larger than the source.
export interface Rung {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly profile: 'high' | 'main'
  /** Most that the encoder's rate control lets through; twice as much fits its buffer. */
  readonly maxrateKbps: number
}

/** A rung is a frame that the picture is fitted into, lying or standing. */
const frames = [
  { lines: 2160, long: 3840, kbps: 12_000 },
  { lines: 1440, long: 2560, kbps: 8000 },
  { lines: 1080, long: 1920, kbps: 5000 },
  { lines: 720, long: 1280, kbps: 2800 },
  { lines: 480, long: 854, kbps: 1400 },
  { lines: 360, long: 640, kbps: 800 },
  { lines: 240, long: 426, kbps: 400 },
  { lines: 144, long: 256, kbps: 200 },
] as const
type Frame = (typeof frames)[number]

/** The lines of the rungs below the top one. */
const below: Record<Frame['lines'], readonly number[]> = {
  2160: [1080, 720, 480, 240],
  1440: [1080, 720, 480, 240],
  1080: [720, 480, 240],
  720: [480, 240],
  480: [240],
  360: [240],
  240: [144],
  144: [],
}

export interface Picture {
  readonly width: number
  readonly height: number
}

const even = (value: number): number => Math.max(2, 2 * Math.round(value / 2))
const evenBelow = (value: number): number => Math.max(2, 2 * Math.floor(value / 2))

const scaleInto = ({ width, height }: Picture, frame: Frame): number =>
  Math.min(1, frame.long / Math.max(width, height), frame.lines / Math.min(width, height))

function rung(picture: Picture, scale: number, facts: { lines: number; kbps: number; fast: boolean }): Rung {
  const maxrateKbps = Math.round(facts.kbps * (facts.fast ? 1.5 : 1))
  return {
    name: `v${facts.lines}`,
    width: Math.min(even(picture.width * scale), evenBelow(picture.width)),
    height: Math.min(even(picture.height * scale), evenBelow(picture.height)),
    profile: facts.lines > 240 ? 'high' : 'main',
    maxrateKbps,
  }
}

/** `picture` as it is seen: upright and with square pixels. The best rendition comes first. */
export function planLadder(picture: Picture, framesPerSecond: number): Rung[] {
  const fast = framesPerSecond > 30.5
  const top = frames.findLast((frame) => scaleInto(picture, frame) === 1) ?? frames[0]
  const topScale = scaleInto(picture, top)
  const lower = frames.filter((frame) => below[top.lines].includes(frame.lines))
  const rungs = [rung(picture, topScale, { ...top, fast })]
  for (const frame of lower) {
    // One that is hardly smaller than the one above would only cost.
    const scale = scaleInto(picture, frame)
    if (scale <= 0.85 * topScale) rungs.push(rung(picture, scale, { ...frame, fast }))
  }
  if (rungs.length > 1) return rungs
  // So small that no frame lies below: half of it, but no less than an encoder can use.
  const half = Math.max(0.5, 16 / Math.min(picture.width, picture.height)) * topScale
  return [...rungs, rung(picture, Math.min(1, half), { lines: top.lines / 2, kbps: top.kbps / 2, fast })]
}
