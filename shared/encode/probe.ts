// What a source is, read from ffprobe's words: every value is bounded, since the file behind it is hostile.
import { z } from 'zod'
import { parseRational, type Rational } from './rational.ts'

export interface VideoStream {
  readonly index: number
  readonly codec: string
  /** As coded; a phone's film may lie on its side. */
  readonly width: number
  readonly height: number
  readonly pixelAspect: Rational
  readonly rotation: 0 | 90 | 180 | 270
  readonly interlaced: boolean
  readonly realRate?: Rational | undefined
  readonly averageRate?: Rational | undefined
  readonly startSeconds: number
  readonly durationSeconds?: number | undefined
  /** Colours are red, green and blue, without a matrix. */
  readonly rgb: boolean
  readonly colourMatrix?: string | undefined
  readonly colourPrimaries?: string | undefined
  readonly colourTransfer?: string | undefined
}

export interface AudioStream {
  readonly index: number
  readonly codec: string
  readonly channels: number
  readonly startSeconds: number
  readonly durationSeconds?: number | undefined
}

export interface Probe {
  readonly format: string
  readonly durationSeconds?: number | undefined
  readonly video?: VideoStream | undefined
  readonly audio?: AudioStream | undefined
  /** Sound that is there but can't be decoded. */
  readonly brokenAudio: boolean
}

const text = z.string().max(200).optional().catch(undefined)
const count = z.coerce.number().int().min(0).max(1_000_000).catch(0)
const seconds = z.coerce.number().min(-1e9).max(1e9).optional().catch(undefined)

const Stream = z.object({
  index: z.number().int().min(0).max(10_000),
  codec_type: text,
  codec_name: text,
  width: count,
  height: count,
  sample_aspect_ratio: text,
  field_order: text,
  pix_fmt: text,
  r_frame_rate: text,
  avg_frame_rate: text,
  start_time: seconds,
  duration: seconds,
  channels: count,
  sample_rate: count,
  color_space: text,
  color_primaries: text,
  color_transfer: text,
  disposition: z.object({ default: count, attached_pic: count }).partial().optional().catch(undefined),
  tags: z.record(z.string(), z.unknown()).optional().catch(undefined),
  side_data_list: z.array(z.record(z.string(), z.unknown())).optional().catch(undefined),
})
type Stream = z.infer<typeof Stream>

const Words = z.object({
  format: z.object({ format_name: text, duration: seconds }).optional().catch(undefined),
  streams: z.array(z.unknown()).max(10_000).optional().catch(undefined),
})

/** Matroska tells a stream's length in a tag, `00:00:05.059000000`. */
function tagSeconds(tags: Stream['tags']): number | undefined {
  const match = /^(\d{1,4}):(\d\d):(\d\d(?:\.\d{1,9})?)$/.exec(String(tags?.['DURATION'] ?? ''))
  return match ? Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3]) : undefined
}

/** Quarter turns; ffprobe counts them counterclockwise in side data, clockwise in the older tag. */
function quarterTurn(stream: Stream): 0 | 90 | 180 | 270 {
  const side = stream.side_data_list
    ?.map((data) => data['rotation'])
    .find((value) => typeof value === 'number')
  const degrees = typeof side === 'number' ? -side : Number(stream.tags?.['rotate'] ?? 0)
  const turn = (((Math.round(degrees / 90) * 90) % 360) + 360) % 360
  return turn === 90 || turn === 180 || turn === 270 ? turn : 0
}

/** Writers disagree whether the tag counts from zero or from the first picture: it helps only where both are the same. */
const length = (stream: Stream): number | undefined => {
  const tagged = Math.abs(stream.start_time ?? 0) < 0.25 ? tagSeconds(stream.tags) : undefined
  const value = stream.duration ?? tagged
  return value !== undefined && value > 0 ? value : undefined
}

const known = (codec: string | undefined): codec is string =>
  codec !== undefined && !['unknown', 'none'].includes(codec)
const isDefault = (stream: Stream): number => stream.disposition?.default ?? 0

function toVideo(stream: Stream): VideoStream {
  const aspect = parseRational(stream.sample_aspect_ratio)
  // Beyond 10:1 it is an error of the file, not a shape of pixels.
  const sane = aspect && Math.max(aspect.num / aspect.den, aspect.den / aspect.num) <= 10
  return {
    index: stream.index,
    codec: stream.codec_name ?? 'unknown',
    width: stream.width,
    height: stream.height,
    pixelAspect: sane ? aspect : { num: 1, den: 1 },
    rotation: quarterTurn(stream),
    interlaced: ['tt', 'bb', 'tb', 'bt'].includes(stream.field_order ?? ''),
    realRate: parseRational(stream.r_frame_rate),
    averageRate: parseRational(stream.avg_frame_rate),
    startSeconds: stream.start_time ?? 0,
    durationSeconds: length(stream),
    rgb: /rgb|bgr|gbr|pal8/.test(stream.pix_fmt ?? ''),
    colourMatrix: stream.color_space,
    colourPrimaries: stream.color_primaries,
    colourTransfer: stream.color_transfer,
  }
}

/** Of several streams the default one, then the largest picture or the first sound. */
export function parseProbe(json: string): Probe {
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch {
    parsed = {}
  }
  const words = Words.catch({}).parse(parsed)
  const streams = (words.streams ?? []).flatMap((value) => {
    const stream = Stream.safeParse(value)
    return stream.success ? [stream.data] : []
  })
  const pictures = streams
    .filter((stream) => stream.codec_type === 'video' && !stream.disposition?.attached_pic)
    .sort((a, b) => isDefault(b) - isDefault(a) || b.width * b.height - a.width * a.height)
  const sounds = streams.filter((stream) => stream.codec_type === 'audio')
  const sound = sounds
    .filter((stream) => known(stream.codec_name) && stream.channels > 0 && stream.sample_rate > 0)
    .sort((a, b) => isDefault(b) - isDefault(a))[0]
  const duration = words.format?.duration
  return {
    format: words.format?.format_name ?? '',
    durationSeconds: duration !== undefined && duration > 0 ? duration : undefined,
    video: pictures[0] && toVideo(pictures[0]),
    audio: sound && {
      index: sound.index,
      codec: sound.codec_name ?? 'unknown',
      channels: sound.channels,
      startSeconds: sound.start_time ?? 0,
      durationSeconds: length(sound),
    },
    brokenAudio: sounds.length > 0 && !sound,
  }
}
