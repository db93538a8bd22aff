// How a picture is to be seen: upright, with square pixels, in the colours of Rec. 709.
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
export const scaleMatrix = (video: VideoStream): string =>
  matrices[video.colourMatrix ?? ''] ?? (Math.min(video.width, video.height) >= 720 ? 'bt709' : 'smpte170m')

const highDynamicRange = new Set(['smpte2084', 'arib-std-b67'])
export const isHdr = (video: VideoStream): boolean => highDynamicRange.has(video.colourTransfer ?? '')

/**
 * HDR to SDR: light is made linear, moved to the primaries of Rec. 709 and its range pressed by Hable's curve.
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
