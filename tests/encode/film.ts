// Films that tests draw with ffmpeg, and what they look at in what came out: every frame has its own grey, every second a beep.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Asset } from '../../shared/assets/model.ts'
import type { Timeline, TimelineRendition } from '../../shared/assets/timeline.ts'
import { createEncode, type Encode } from '../../shared/encode/index.ts'
import { Plan } from '../../shared/encode/plan.ts'
import type { Outcome, Prepared } from '../../shared/encode/work.ts'
import { setStage, target } from './stage.ts'

const ffmpeg = (argv: readonly string[], input?: Uint8Array): Buffer =>
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...argv], {
    maxBuffer: 1 << 28,
    ...(input ? { input } : {}),
  })

/** Grey of frame `n`: neighbours differ by 7, so that an encoder keeps them apart. */
export const greyOf = (n: number): number => 20 + ((n * 7) % 200)
export const greyFrames = (rate: string, seconds: number, size = '128x72'): string =>
  // Of two pixels and then blown up: `geq` asks for each pixel by itself.
  `color=black:s=2x2:r=${rate}:d=${seconds},format=gray,geq=lum='20+mod(N*7,200)',scale=${size.replace('x', ':')}:flags=neighbor,setsar=1,format=yuv420p`
export const beeps = (seconds: number): string =>
  `aevalsrc='if(lt(mod(t,1),0.08),0.8*sin(2*PI*1000*t),0)':s=48000:d=${seconds}`

/** Runs ffmpeg in a fresh folder and returns the file that it wrote. */
export function draw(argv: readonly string[], name = 'film.mp4'): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'movidone-film-'))
  try {
    ffmpeg([...argv, join(folder, name)])
    return readFileSync(join(folder, name))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export const lavfi = (...graphs: readonly string[]): string[] =>
  graphs.flatMap((graph) => ['-f', 'lavfi', '-i', graph])
/** Frames keep their grey through this. */
export const greyH264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '8']
/** With B-frames and long groups, as cameras and editors write them. */
export const plainH264 = [...greyH264, '-bf', '2', '-g', '250', '-c:a', 'aac']

/** Its units work for many seconds: the same four over and over, so that it is soon drawn. */
export const longFilm = (): Buffer => {
  const graphs = lavfi('testsrc2=s=1280x720:r=30:d=4', beeps(4))
  const four = draw([...graphs, ...plainH264, '-bf', '0', '-qp', '30'])
  return inFile(four, (path) => draw(['-stream_loop', '9', '-i', path, '-c', 'copy']))
}

export interface Encoded {
  readonly outcome: Outcome<Prepared>
  readonly plan: Plan
  readonly asset: Asset
  readonly timeline: Timeline
  readonly stage: ReturnType<typeof setStage>
  readonly encode: Encode
  /** Init and all segments of a rendition, one after another. */
  file(rendition: TimelineRendition): Buffer
}

interface Pictures {
  readonly withPoster?: boolean
  readonly withImages?: boolean
  readonly beforeImages?: (stage: Encoded['stage']) => void
}

const paths = process.env['FFMPEG']
  ? { ffmpegPath: process.env['FFMPEG'], ffprobePath: process.env['FFPROBE'] ?? 'ffprobe' }
  : undefined

/**
 * All activities, one after another, as the orchestration would call them; poster and storyboard, which fail no title, for
 * those who look at them: at a plain grey a poster looks six times.
 */
export async function encodeFilm(
  film: Uint8Array,
  chunkSegments = 1,
  { withPoster, withImages, beforeImages }: Pictures = {},
): Promise<Encoded> {
  const stage = setStage(film, { chunkSegments, paths })
  const encode = createEncode(stage.parts)
  const outcome = (await encode.prepare(target)) as Outcome<Prepared>
  if (!outcome.ok) throw new Error(`prepare: ${outcome.code} ${outcome.detail}`)
  const planned = { ...target, plan: outcome.plan }
  for (let chunk = 0; chunk < outcome.chunks; chunk++) expectOk(await encode.chunk({ ...planned, chunk }))
  if (outcome.hasAudio) expectOk(await encode.audio(planned))
  if (withPoster) expectOk(await encode.poster(planned))
  beforeImages?.(stage)
  if (withImages) expectOk(await encode.images(planned))
  expectOk(await encode.finish(planned))
  const read = (blob: string | undefined) => Buffer.from(stage.media.get(blob ?? '') ?? '')
  const asset = stage.asset() as Asset
  return {
    outcome,
    plan: Plan.parse(JSON.parse(read(outcome.plan).toString())),
    asset,
    timeline: JSON.parse(read(asset.timeline).toString()),
    stage,
    encode,
    file: ({ init, segments }) => Buffer.concat([read(init.blob), ...segments.map(({ blob }) => read(blob))]),
  }
}

function expectOk(outcome: Outcome): void {
  if (!outcome.ok) throw new Error(`${outcome.code}: ${outcome.detail}`)
}

export const videosOf = ({ renditions }: Timeline): TimelineRendition[] =>
  renditions.filter(({ kind }) => kind === 'video')
export const audioOf = ({ renditions }: Timeline): TimelineRendition | undefined =>
  renditions.find(({ kind }) => kind === 'audio')

export interface Packet {
  readonly pts: number
  readonly dts: number
  readonly key: boolean
}

/** With the source's own words for what is wrong, if anything is. */
export function inspect(file: Uint8Array): {
  packets: Packet[]
  warnings: string
  stream: Record<string, string>
} {
  return inFile(file, (path) => {
    const words = execFileSync('sh', [
      '-c',
      'ffprobe -v warning -of json -show_streams -show_entries packet=pts,dts,flags "$1" 2>"$1.err"; cat "$1.err" >&2',
      'sh',
      path,
    ])
    const { packets, streams } = JSON.parse(words.toString())
    return {
      packets: packets.map((p: { pts: number; dts: number; flags: string }) => ({
        pts: p.pts,
        dts: p.dts,
        key: p.flags.includes('K'),
      })),
      warnings: readFileSync(`${path}.err`, 'utf8').replaceAll(path, ''),
      stream: streams[0],
    }
  })
}

/** The grey of every decoded frame, in the order in which they are shown; on a grid where `filters` lay it on one. */
export const greysOf = (file: Uint8Array, filters = ''): number[] =>
  inFile(file, (path) => [
    ...ffmpeg([
      ...['-copyts', '-i', path, '-vf', `${filters}scale=1:1:flags=area,format=gray`],
      ...['-map', '0:v', '-vsync', 'passthrough', '-f', 'rawvideo', '-'],
    ]),
  ])

/** Seconds at which a beep begins. */
export function onsetsOf(file: Uint8Array): number[] {
  const pcm = inFile(file, (path) => ffmpeg(['-i', path, '-ac', '1', '-ar', '48000', '-f', 's16le', '-']))
  const loud = (at: number) => Math.abs(pcm.readInt16LE(at * 2)) > 3000
  const onsets: number[] = []
  let quietSince = -10_000
  for (let at = 0; at < pcm.length / 2; at++) {
    if (!loud(at)) continue
    if (at - quietSince > 9600) onsets.push(at / 48_000)
    quietSince = at
  }
  return onsets
}

/** Uses bytes as a file that lasts no longer than that. */
export function inFile<T>(bytes: Uint8Array, use: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'movidone-look-'))
  try {
    writeFileSync(join(folder, 'f.mp4'), bytes)
    return use(join(folder, 'f.mp4'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
