// The command lines of ffmpeg and ffprobe, as pure functions of the plan: every option is pinned by golden files.
import { type Chunk, chunkAt } from './grid.ts'
import { matrixChange } from './picture.ts'
import { frameSeconds, type Plan, tailSeconds } from './plan.ts'
import type { Container } from './sniff.ts'

/** How far before its first frame a chunk begins to read; the next one is tried when that was too late. */
export const rewinds = ['near', 'far', 'start'] as const
export type Rewind = (typeof rewinds)[number]

export const loud = [
  '-nostdin',
  '-hide_banner',
  '-nostats',
  '-loglevel',
  'repeat+warning',
  '-max_alloc',
  String(1 << 30),
]

/** The input may open nothing but loopback, with nothing but the demuxers of its own kind (ffmpeg-protocols, -formats). */
export const inputArgv = (source: Container, url: string): string[] => [
  ...['-protocol_whitelist', 'http,tcp', '-format_whitelist', source.demuxers],
  // A QuickTime file may name other files as its media.
  ...(source.isoBoxes ? ['-enable_drefs', '0', '-use_absolute_path', '0'] : []),
  ...['-i', url],
]

/**
 * For a reader that stops before the end: what its sockets still hold was fetched for nothing, and on loopback, whose
 * segments are large, that would be megabytes.
 */
export const shortSockets = ['-tcp_mss', '1400', '-recv_buffer_size', String(64 << 10)] as const

export const probeArgv = (source: Container, url: string): string[] => [
  ...[
    '-hide_banner',
    '-loglevel',
    'error',
    '-max_alloc',
    String(1 << 30),
    '-of',
    'json',
    '-show_format',
    '-show_streams',
  ],
  ...inputArgv(source, url),
]

/** One line a packet: of which stream, when it is shown, when it is decoded and how long it lasts. */
export const packetsArgv = (source: Container, url: string): string[] => [
  ...['-hide_banner', '-loglevel', 'error', '-max_alloc', String(1 << 30)],
  ...['-show_entries', 'packet=stream_index,pts_time,dts_time,duration_time', '-of', 'csv=p=0'],
  ...inputArgv(source, url),
]

/** `startSeconds` as the source's own clock has it becomes 0, exactly, in whatever time base the filter finds. */
export const rebased = (startSeconds: number): string => `PTS-round(${startSeconds.toFixed(6)}/TB)`

export const seconds = (value: number): string => value.toFixed(6)

function seek(plan: Plan, chunk: Chunk, rewind: Rewind): string[] {
  const { source, video } = plan
  // Where the last picture is held, that is the one to find.
  const firstFrame = Math.min(chunk.firstFrame, video.sourceFrames - 1)
  if (firstFrame === 0 || rewind === 'start') return []
  const margin = rewind === 'far' ? 60 : source.indexed ? 0.5 : 12
  const target = firstFrame * frameSeconds(plan) - margin
  return target > 0 ? ['-seek_timestamp', '1', '-ss', seconds(video.startSeconds + target)] : []
}

/** For how long the last picture may have to stand in. */
const held = (plan: Plan, end: number): string =>
  String(tailSeconds + Number(((end - plan.video.sourceFrames) * frameSeconds(plan)).toFixed(6)))

/**
 * `fps` lays every picture on the absolute grid, so that `trim` by frame numbers is exact at any rate; `-noaccurate_seek`
 * keeps the pictures before the first one, which `fps` may have to repeat. The number of the first frame that really
 * came is printed: the caller checks it. `scale` costs nothing until a picture comes in another size, which would else make
 * all filters begin anew in the midst of a chunk.
 */
function gridFilters(plan: Plan, chunk: Chunk, atStart: boolean): string[] {
  const { video } = plan
  const { num, den } = video.frameRate
  const end = chunk.firstFrame + chunk.frames
  const fromFirst = atStart ? `:start_time=${seconds(chunk.firstFrame * frameSeconds(plan))}` : ''
  return [
    ...(video.size ? [`scale=${video.size.width}:${video.size.height}`] : []),
    `setpts='${rebased(video.startSeconds)}'`,
    ...(video.deinterlace ? ['bwdif=mode=send_frame:deint=interlaced'] : []),
    `fps=fps=${num}/${den}${fromFirst}`,
    ...(end >= video.sourceFrames ? [`tpad=stop_mode=clone:stop_duration=${held(plan, end)}`] : []),
    `trim=start_pts=${chunk.firstFrame}:end_pts=${end}`,
    `setpts='if(eq(N,0),print(PTS,16),PTS)-${chunk.firstFrame}'`,
  ]
}

function scaleFilters({ video }: Plan, rung: Plan['renditions'][number]): string {
  const { matrix } = video.colours
  const from = video.toneMapping.length ? matrix : video.matrix
  const change = matrixChange(from, matrix)
  return `scale=${rung.width}:${rung.height}:flags=bicubic${change}:out_range=tv,format=yuv420p,setsar=1`
}

function graph(plan: Plan, chunk: Chunk, atStart: boolean): string {
  const { renditions, video } = plan
  const top = renditions[0]
  // HDR is tone-mapped once, at the size of the best rendition.
  const tone = video.toneMapping.length
    ? [`scale=${top?.width}:${top?.height}:flags=bicubic`, ...video.toneMapping]
    : []
  const common = [...gridFilters(plan, chunk, atStart), ...tone, `split=${renditions.length}`]
  const pads = renditions.map((_, index) => `[s${index}]`).join('')
  const branches = renditions.map((rung, index) => `[s${index}]${scaleFilters(plan, rung)}[v${index}]`)
  return [`[0:${video.stream}]${common.join(',')}${pads}`, ...branches].join(';')
}

const rateControl = ({ maxrateKbps }: Plan['renditions'][number]): string[] => [
  ...['-crf', '23', '-maxrate', `${maxrateKbps}k`, '-bufsize', `${2 * maxrateKbps}k`],
]

/** The grid is ours: ffmpeg's own repeating and dropping of frames is off. Since 5.1 the option has another name. */
function passFrames(build: string): string[] {
  const [, release, nightly] = /^(?:n?(\d+)\.|N-(\d+))/.exec(build) ?? []
  const renamed = Number(release ?? 0) >= 6 || Number(nightly ?? 0) >= 108_000
  return [renamed ? '-fps_mode' : '-vsync', 'passthrough']
}

function videoOutput(plan: Plan, rung: Plan['renditions'][number], index: number): string[] {
  const { segmentFrames, timescale, colours } = plan.video
  return [
    ...['-map', `[v${index}]`, '-map_metadata', '-1', '-map_chapters', '-1', '-fflags', '+bitexact'],
    ...[
      ...passFrames(plan.build),
      '-c:v',
      'libx264',
      '-preset',
      'veryfast',
      '-profile:v',
      rung.profile,
      '-pix_fmt',
      'yuv420p',
    ],
    ...rateControl(rung),
    ...['-g', String(segmentFrames), '-keyint_min', String(segmentFrames), '-sc_threshold', '0', '-bf', '3'],
    // Stitchable: the parameter sets say nothing of the content, so that all chunks share one init segment. One thread:
    // where the peak rate binds, several look at how far the others are, and make other bytes at each run.
    ...['-flags', '+cgop+bitexact', '-x264-params', 'stitchable=1', '-threads', '1'],
    ...['-color_primaries', colours.primaries, '-color_trc', colours.transfer],
    ...['-colorspace', colours.space, '-color_range', 'tv'],
    ...['-movflags', '+frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets'],
    ...['-video_track_timescale', String(timescale), '-f', 'mp4', `${rung.name}.mp4`],
  ]
}

/** One ffmpeg decodes a chunk once and makes all of its renditions. */
export function chunkArgv(
  plan: Plan,
  number: number,
  { url, rewind }: { url: string; rewind: Rewind },
): string[] {
  const chunk = chunkAt(plan.video, number)
  const seeking = seek(plan, chunk, rewind)
  const threads = String(plan.threads)
  return [
    ...loud,
    ...[
      '-y',
      '-progress',
      'pipe:1',
      '-filter_complex_threads',
      threads,
      '-copyts',
      '-noaccurate_seek',
      ...seeking,
    ],
    ...(plan.video.size ? ['-reinit_filter', '0'] : []),
    ...['-threads', threads, ...shortSockets, ...inputArgv(plan.source, url)],
    ...['-filter_complex', graph(plan, chunk, seeking.length === 0)],
    ...plan.renditions.flatMap((rung, index) => videoOutput(plan, rung, index)),
  ]
}
