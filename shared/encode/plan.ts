// The plan of an encode: frame grid, segments, chunks and renditions, as a pure function of what the source is.
import { z } from 'zod'
import { gridRate } from './frame-rate.ts'
import { planLadder } from './ladder.ts'
import { seenPicture, shownColours, sourceMatrix, toneMapping } from './picture.ts'
import type { Probe, VideoStream } from './probe.ts'
import { type Rational, ratioOf } from './rational.ts'
import type { Container } from './sniff.ts'

const whole = z.number().int().min(0)
const Rung = z.object({
  name: z.string(),
  width: whole,
  height: whole,
  profile: z.enum(['high', 'main']),
  maxrateKbps: whole,
})

export const Chunk = z.object({
  firstSegment: whole,
  segments: whole,
  firstFrame: whole,
  frames: whole,
})
export type Chunk = z.infer<typeof Chunk>

export const Plan = z.object({
  schema: z.literal(1),
  /** Of everything below and of the argv; part of every blob's name and of every IV. */
  hash: z.string(),
  /** The ffmpeg that all units must run. */
  build: z.string(),
  source: z.object({
    blob: z.string(),
    etag: z.string(),
    sizeBytes: whole,
    isoBoxes: z.boolean(),
    indexed: z.boolean(),
    demuxers: z.string(),
  }),
  threads: whole,
  video: z.object({
    stream: whole,
    /** The source's time that becomes 0, as ffprobe wrote it. */
    startSeconds: z.number(),
    frameRate: z.object({ num: whole, den: whole }),
    /** Ticks a second, and ticks of a frame. */
    timescale: whole,
    frameTicks: whole,
    frames: whole,
    /** Frames of a segment, which is one closed group of pictures. */
    segmentFrames: whole,
    deinterlace: z.boolean(),
    /** Of the source, in the words of `scale`, or `rgb`. */
    matrix: z.string(),
    colours: z.object({ matrix: z.string(), space: z.string(), primaries: z.string(), transfer: z.string() }),
    toneMapping: z.array(z.string()),
  }),
  renditions: z.array(Rung),
  audio: z
    .object({ stream: whole, channels: z.union([z.literal(1), z.literal(2)]), frames: whole })
    .optional(),
  chunks: z.array(Chunk).min(1),
})
export type Plan = z.infer<typeof Plan>

export const segmentSeconds = 4
export const audioRate = 48_000
export const audioFrameSamples = 1024
export const audioRendition = 'audio'
/** A tail that is missing up to this is filled with the last picture; the last chunk is never shorter than twice that. */
export const tailSeconds = 0.5

/** With a pyramid of B-frames, pictures are decoded at most two frames before they are shown. */
export const leadFrames = 2

/**
 * A tail no longer than the lead goes with the segment before it: hls.js heeds no edit list, would look for such a
 * segment behind the end of the film, and never come to its end.
 */
export const segmentCount = ({ frames, segmentFrames }: { frames: number; segmentFrames: number }): number =>
  Math.max(1, Math.ceil((frames - leadFrames) / segmentFrames))

export interface PlanFacts {
  readonly probe: Probe & { readonly video: VideoStream }
  readonly container: Container
  readonly source: { readonly blob: string; readonly etag: string; readonly sizeBytes: number }
  readonly durationSeconds: number
  readonly build: string
  readonly filters: ReadonlySet<string>
  readonly threads: number
  readonly chunkSegments: number
}

/** Enough ticks that other clocks fit, whole ticks to a frame: 30 → 15360, 30000/1001 → 30000 (ISO/IEC 14496-12 8.4.2). */
function timescaleOf({ num, den }: Rational): { timescale: number; frameTicks: number } {
  let factor = 1
  while (num * factor < 10_000) factor *= 2
  return { timescale: num * factor, frameTicks: den * factor }
}

/** One segment, then two, then as many as a unit takes: a title plays soon, and later units are worth their start. */
export function planChunks(
  grid: { frames: number; segmentFrames: number; leastFrames: number },
  perUnit: number,
): Chunk[] {
  const { frames, segmentFrames, leastFrames } = grid
  const segments = segmentCount(grid)
  const chunks: Chunk[] = []
  for (let firstSegment = 0; firstSegment < segments; ) {
    const count = Math.min([1, 2][chunks.length] ?? perUnit, perUnit)
    const end = Math.min(firstSegment + count, segments)
    // What is left may be too short to tell a missing tail from a missing chunk: it goes with this one.
    const last = frames - end * segmentFrames < leastFrames ? segments : end
    const firstFrame = firstSegment * segmentFrames
    chunks.push({
      firstSegment,
      segments: last - firstSegment,
      firstFrame,
      frames: (last === segments ? frames : last * segmentFrames) - firstFrame,
    })
    firstSegment = last
  }
  return chunks
}

/** All of the plan but its hash, which also covers the argv. */
export function makePlan(facts: PlanFacts): Omit<Plan, 'hash'> {
  const { probe, container, source, build, threads } = facts
  const { video, audio } = probe
  const matrix = sourceMatrix(video)
  const frameRate = gridRate(video.realRate, video.averageRate)
  const rate = ratioOf(frameRate)
  const frames = Math.max(1, Math.round(facts.durationSeconds * rate))
  const segmentFrames = Math.max(1, Math.round(segmentSeconds * rate))
  const audioSeconds = audio
    ? (audio.durationSeconds ?? facts.durationSeconds) + audio.startSeconds - video.startSeconds
    : 0
  return {
    schema: 1,
    build,
    source: { ...source, ...container },
    threads,
    video: {
      stream: video.index,
      startSeconds: video.startSeconds,
      frameRate,
      ...timescaleOf(frameRate),
      frames,
      segmentFrames,
      deinterlace: video.interlaced,
      matrix,
      colours: shownColours(matrix),
      toneMapping: toneMapping(video, facts.filters),
    },
    renditions: planLadder(seenPicture(video), rate),
    ...(audio && audioSeconds > 0
      ? {
          audio: {
            stream: audio.index,
            channels: audio.channels === 1 ? 1 : 2,
            frames: Math.ceil((audioSeconds * audioRate) / audioFrameSamples),
          } as const,
        }
      : {}),
    chunks: planChunks(
      { frames, segmentFrames, leastFrames: Math.ceil(2 * tailSeconds * rate) },
      facts.chunkSegments,
    ),
  }
}

export const frameSeconds = ({ video }: Pick<Plan, 'video'>): number => video.frameTicks / video.timescale

/** The AAC frame at which audio segment `number` starts: the edge nearest to where the video's does. */
export const audioEdge = (plan: Pick<Plan, 'video'>, number: number): number =>
  Math.round((number * plan.video.segmentFrames * frameSeconds(plan) * audioRate) / audioFrameSamples)

/** What a title lasts: the longer of its video and its planned audio. */
export const plannedSeconds = (plan: Plan): number =>
  Math.max(
    plan.video.frames * frameSeconds(plan),
    ((plan.audio?.frames ?? 0) * audioFrameSamples) / audioRate,
  )
