// The plan of an encode: frame grid, segments, chunks and renditions, as a pure function of what the source is.
import { z } from 'zod'
import { gridRate } from './frame-rate.ts'
import { openingOf, segmentCount, segmentStart } from './grid.ts'
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

export const Plan = z.object({
  schema: z.literal(2),
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
    /** Frames that the source has pictures for; through the others, while sound goes on, the last one is held. */
    sourceFrames: whole,
    /** Frames of segment 0 and of all others but the last; each is one closed group of pictures. */
    openingFrames: whole,
    segmentFrames: whole,
    chunkSegments: whole,
    leastFrames: whole,
    /** What all pictures are brought to, before anything else, when some come in another size or format. */
    size: z.object({ width: whole, height: whole }).optional(),
    deinterlace: z.boolean(),
    /** Of the source, in the words of `scale`, or `rgb`. */
    matrix: z.string(),
    colours: z.object({ matrix: z.string(), space: z.string(), primaries: z.string(), transfer: z.string() }),
    toneMapping: z.array(z.string()),
  }),
  renditions: z.array(Rung),
  /** The rendition whose I-frames are there by themselves, too. */
  iframes: z.string().optional(),
  audio: z
    .object({ stream: whole, channels: z.union([z.literal(1), z.literal(2)]), frames: whole })
    .optional(),
})
export type Plan = z.infer<typeof Plan>

export const segmentSeconds = 4
const openingSeconds = 2
export const audioRate = 48_000
export const audioFrameSamples = 1024
export const audioRendition = 'audio'
export const iframeRendition = 'iframes'
/** A tail that is missing up to this is filled with the last picture; the last chunk is never shorter than twice that. */
export const tailSeconds = 0.5

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

/** Seconds from the first picture to the end of the sound; of one that does not tell its length, to the end of the picture. */
export function heardSeconds({
  probe,
  durationSeconds,
}: Pick<PlanFacts, 'probe' | 'durationSeconds'>): number {
  const { audio, video } = probe
  if (audio?.durationSeconds === undefined) return durationSeconds
  return audio.durationSeconds + audio.startSeconds - video.startSeconds
}

/** Sound that goes on for longer than a tail may be missing holds the last picture: all renditions end together. */
function gridOf(facts: PlanFacts, rate: number) {
  const sourceFrames = Math.max(1, Math.round(facts.durationSeconds * rate))
  const audioSeconds = heardSeconds(facts)
  const isHeld = facts.probe.audio && audioSeconds > sourceFrames / rate + tailSeconds
  const frames = isHeld ? Math.ceil(audioSeconds * rate) : sourceFrames
  const leastFrames = Math.ceil(2 * tailSeconds * rate)
  const most = Math.max(1, Math.round(openingSeconds * rate))
  return {
    frames,
    sourceFrames,
    openingFrames: openingOf({ frames, most, least: leastFrames }),
    segmentFrames: Math.max(1, Math.round(segmentSeconds * rate)),
    chunkSegments: facts.chunkSegments,
    leastFrames,
  }
}

/** Never less than the picture: what is missing is silence. */
const audioFramesOf = (facts: PlanFacts, videoSeconds: number): number =>
  Math.ceil((Math.max(heardSeconds(facts), videoSeconds) * audioRate) / audioFrameSamples)

/** Turned pictures are turned by ffmpeg before we see them, which knows one size only. */
const isSteady = ({ rotation }: VideoStream): boolean => rotation === 0

/** All of the plan but its hash, which also covers the argv. */
export function makePlan(facts: PlanFacts): Omit<Plan, 'hash'> {
  const { probe, container, source, build, threads } = facts
  const { video, audio } = probe
  const matrix = sourceMatrix(video)
  const frameRate = gridRate(video.realRate, video.averageRate)
  const rate = ratioOf(frameRate)
  const grid = gridOf(facts, rate)
  const renditions = planLadder(seenPicture(video), rate)
  return {
    schema: 2,
    build,
    source: { ...source, ...container },
    threads,
    video: {
      stream: video.index,
      startSeconds: video.startSeconds,
      frameRate,
      ...timescaleOf(frameRate),
      ...grid,
      ...(isSteady(video) ? { size: { width: video.width, height: video.height } } : {}),
      deinterlace: video.interlaced,
      matrix,
      colours: shownColours(matrix),
      toneMapping: toneMapping(video, facts.filters),
    },
    renditions,
    iframes: renditions.at(-1)?.name,
    ...(audio && heardSeconds(facts) > 0
      ? {
          audio: {
            stream: audio.index,
            channels: audio.channels === 1 ? 1 : 2,
            frames: audioFramesOf(facts, grid.frames / rate),
          } as const,
        }
      : {}),
  }
}

export const frameSeconds = ({ video }: Pick<Plan, 'video'>): number => video.frameTicks / video.timescale

/** The AAC frame at which audio segment `number` starts: the edge nearest to where the video's does; the last one ends the sound. */
export function audioEdge(plan: Pick<Plan, 'video' | 'audio'>, number: number): number {
  if (number >= segmentCount(plan.video)) return plan.audio?.frames ?? 0
  return Math.round((segmentStart(plan.video, number) * frameSeconds(plan) * audioRate) / audioFrameSamples)
}

/** What a title lasts: its picture, and what its sound has more than that. */
export const plannedSeconds = (plan: Plan): number =>
  Math.max(
    plan.video.frames * frameSeconds(plan),
    ((plan.audio?.frames ?? 0) * audioFrameSamples) / audioRate,
  )
