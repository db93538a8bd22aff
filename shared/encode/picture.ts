// How a picture is to be seen: upright, with square pixels, in colours that every screen shows.
import type { Picture } from './ladder.ts'
import type { VideoStream } from './probe.ts'
import { ratioOf } from './rational.ts'

/** Lines stay as they are and pixels become square, so that no rendition has more lines than the source; then upright. */
export function seenPicture(video: VideoStream): Picture {
  const width = Math.round(video.width * ratioOf(video.pixelAspect))
  const onItsSide = video.rotation === 90 || video.rotation === 270
  return onItsSide ? { width: video.height, height: width } : { width, height: video.height }
}

const matrices: Record<string, string> = {
  bt709: 'bt709',
  smpte170m: 'smpte170m',
  bt470bg: 'bt470',
  smpte240m: 'smpte240m',
  fcc: 'fcc',
  bt2020nc: 'bt2020',
  bt2020c: 'bt2020',
}

/** For `scale`'s `in_color_matrix`; what a file doesn't say is guessed by its size, as players do. */
export function sourceMatrix(video: VideoStream): string {
  if (video.rgb) return 'rgb'
  if (isHdr(video)) return 'bt2020'
  return (
    matrices[video.colourMatrix ?? ''] ?? (Math.min(video.width, video.height) >= 720 ? 'bt709' : 'smpte170m')
  )
}

/** The options of `scale` that change the matrix; naming one at all takes the slow way through RGB. */
export function matrixChange(from: string, to: string): string {
  if (from === to) return ''
  return from === 'rgb' ? `:out_color_matrix=${to}` : `:in_color_matrix=${from}:out_color_matrix=${to}`
}

/** What the stream says of its colours (ITU-T H.273), and the name of its matrix for `scale`. */
export interface Colours {
  readonly matrix: string
  readonly space: string
  readonly primaries: string
  readonly transfer: string
}

const high: Colours = { matrix: 'bt709', space: 'bt709', primaries: 'bt709', transfer: 'bt709' }
/** Rec. 601 of 525 and of 625 lines: kept, since another matrix would cost a conversion and gain nothing. */
const standard: Record<string, Colours> = {
  smpte170m: { matrix: 'smpte170m', space: 'smpte170m', primaries: 'smpte170m', transfer: 'smpte170m' },
  bt470: { matrix: 'bt470', space: 'bt470bg', primaries: 'bt470bg', transfer: 'smpte170m' },
}
/** All renditions say the same, whatever their size: left unsaid, players would guess by size, and differ. */
export const shownColours = (matrix: string): Colours => standard[matrix] ?? high

const highDynamicRange = new Set(['smpte2084', 'arib-std-b67'])
export const isHdr = (video: VideoStream): boolean => highDynamicRange.has(video.colourTransfer ?? '')

/**
 * HDR to SDR: light is made linear, moved to the primaries of Rec. 709 and its range compressed by Hable's curve.
 * `zscale` and `tonemap` may be missing from an ffmpeg; then the picture is converted without, and looks pale.
 */
export function toneMapping(video: VideoStream, filters: ReadonlySet<string>): string[] {
  if (!isHdr(video) || !filters.has('zscale') || !filters.has('tonemap')) return []
  return [
    `zscale=tin=${video.colourTransfer}:pin=bt2020:min=bt2020nc:rin=tv:t=linear:npl=100`,
    'format=gbrpf32le',
    'zscale=p=bt709',
    'tonemap=tonemap=hable:desat=0',
    'zscale=t=bt709:m=bt709:r=tv',
    'format=yuv420p',
  ]
}
