// The timeline: the single truth of how a title plays. Manifests are rendered from it, encode writes it.
import { z } from 'zod'

export const TimelineSegment = z.object({
  /** Seconds, exact to the microsecond. */
  durationSeconds: z.number().positive(),
  /** Of the encrypted blob. */
  sizeBytes: z.number().int().positive(),
  blob: z.string(),
})
export type TimelineSegment = z.infer<typeof TimelineSegment>

/** One rendition. `keyId` names its content key; its segments are numbered from 0 in the order of the list. */
export const TimelineRendition = z.object({
  /** Path-safe and unique in the title, such as `v720` or `audio`. */
  name: z.string().regex(/^[a-z0-9-]+$/),
  /** `iframes`: the first picture of each segment of a video rendition, for trick play. */
  kind: z.enum(['video', 'audio', 'iframes']),
  /** RFC 6381. */
  codecs: z.string(),
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  /** Frames per second. */
  frameRate: z.number().optional(),
  channels: z.number().int().optional(),
  /** Bits per second over the segments there are; `bandwidth` is that of the largest segment. */
  averageBandwidth: z.number().int(),
  bandwidth: z.number().int(),
  keyId: z.string().regex(/^[0-9a-f]{32}$/),
  init: z.object({ blob: z.string(), sizeBytes: z.number().int() }),
  segments: z.array(TimelineSegment),
})
export type TimelineRendition = z.infer<typeof TimelineRendition>

/** Small pictures of the film in grids: one for every `step` segments, row by row, sprite after sprite. */
export const Storyboard = z.object({
  tileWidth: z.number().int().positive(),
  tileHeight: z.number().int().positive(),
  columns: z.number().int().positive(),
  /** Of a full sprite; the last one has as many as it needs. */
  rows: z.number().int().positive(),
  step: z.number().int().positive(),
  sprites: z.array(z.object({ blob: z.string(), sizeBytes: z.number().int().positive() })).min(1),
})
export type Storyboard = z.infer<typeof Storyboard>

export const Timeline = z.object({
  schema: z.literal(1),
  assetId: z.string(),
  version: z.number().int().min(1),
  /** Counts changes of the content keys of this version; each has segments, keys and URLs of its own. */
  generation: z.number().int().min(0).default(0),
  /** Hash of plan, argv and ffmpeg build; part of every output's name and of every IV. */
  planHash: z.string(),
  scheme: z.literal('aes-128'),
  /** Longest segment, rounded to whole seconds: `EXT-X-TARGETDURATION`. */
  targetDurationSeconds: z.number().int().positive(),
  durationSeconds: z.number(),
  /** True once no segment will follow: `EVENT` becomes `VOD`. */
  ended: z.boolean(),
  /** Video renditions first, the best one first; then audio, at most one; then I-frames, at most one. */
  renditions: z.array(TimelineRendition).min(1),
  poster: z.string().optional(),
  /** Once the title is whole, if its pictures could be made. */
  storyboard: Storyboard.optional(),
})
export type Timeline = z.infer<typeof Timeline>

/** Stands in the URL of every segment: the bytes below one never change. */
export const editionOf = ({ version, generation }: Pick<Timeline, 'version' | 'generation'>): string =>
  `${version}.${generation}`
