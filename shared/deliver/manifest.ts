// How a timeline reads as HLS playlists (RFC 8216). All URIs are relative, so that they inherit the token's path.
import { editionOf, type Timeline, type TimelineRendition } from '../assets/timeline.ts'
import type { SegmentIv } from './ports.ts'

export const playlistType = 'application/vnd.apple.mpegurl'

/** EXT-X-MAP outside of I-frame playlists asks for 6 (RFC 8216 section 7); nothing here asks for more. */
const head = ['#EXTM3U', '#EXT-X-VERSION:6', '#EXT-X-INDEPENDENT-SEGMENTS']
const audioGroup = 'audio'

const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`
const attributes = (list: Record<string, string | number | undefined>): string =>
  Object.entries(list)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(',')

function audioLine({ name, channels }: TimelineRendition): string {
  const list = {
    TYPE: 'AUDIO',
    'GROUP-ID': `"${audioGroup}"`,
    NAME: '"Audio"',
    DEFAULT: 'YES',
    AUTOSELECT: 'YES',
    CHANNELS: channels === undefined ? undefined : `"${channels}"`,
    URI: `"${name}.m3u8"`,
  }
  return `#EXT-X-MEDIA:${attributes(list)}`
}

/** A variant is a video rendition with the audio: both count for its bandwidth and codecs (RFC 8216 4.3.4.2). */
function variantLines(video: TimelineRendition, audio: TimelineRendition | undefined): string[] {
  const { width, height, frameRate } = video
  const list = {
    BANDWIDTH: video.bandwidth + (audio?.bandwidth ?? 0),
    'AVERAGE-BANDWIDTH': video.averageBandwidth + (audio?.averageBandwidth ?? 0),
    CODECS: `"${audio ? `${video.codecs},${audio.codecs}` : video.codecs}"`,
    RESOLUTION: width && height ? `${width}x${height}` : undefined,
    'FRAME-RATE': frameRate?.toFixed(3),
    AUDIO: audio && `"${audioGroup}"`,
    'CLOSED-CAPTIONS': 'NONE',
  }
  return [`#EXT-X-STREAM-INF:${attributes(list)}`, `${video.name}.m3u8`]
}

/** No audio in it: a player that scrubs is silent (RFC 8216 4.3.4.3). */
function iframesLine({
  name,
  bandwidth,
  averageBandwidth,
  codecs,
  width,
  height,
}: TimelineRendition): string {
  const list = {
    BANDWIDTH: bandwidth,
    'AVERAGE-BANDWIDTH': averageBandwidth,
    CODECS: `"${codecs}"`,
    RESOLUTION: width && height ? `${width}x${height}` : undefined,
    URI: `"${name}.m3u8"`,
  }
  return `#EXT-X-I-FRAME-STREAM-INF:${attributes(list)}`
}

export function renderMaster(renditions: readonly TimelineRendition[]): string {
  const audio = renditions.find((rendition) => rendition.kind === 'audio')
  const videos = renditions.filter((rendition) => rendition.kind === 'video')
  const variants = videos.flatMap((video) => variantLines(video, audio))
  const iframes = renditions.filter((rendition) => rendition.kind === 'iframes').map(iframesLine)
  return text([...head, ...(audio ? [audioLine(audio)] : []), ...variants, ...iframes])
}

/**
 * The init segment is clear, so EXT-X-MAP stands before the first EXT-X-KEY (4.3.2.5). While the title grows, EXT-X-START
 * tells players to begin at its beginning: without it they take an EVENT for live and begin near the end.
 */
export function renderMedia(timeline: Timeline, rendition: TimelineRendition, segmentIv: SegmentIv): string {
  const { version, planHash, ended, targetDurationSeconds } = timeline
  const { name, kind, keyId, segments } = rendition
  const folder = `${name}/${editionOf(timeline)}`
  const segmentLines = segments.flatMap(({ durationSeconds }, number) => {
    const iv = Buffer.from(segmentIv({ version, planHash, rendition: name, number })).toString('hex')
    return [
      `#EXT-X-KEY:METHOD=AES-128,URI="keys/${keyId}",IV=0x${iv}`,
      `#EXTINF:${durationSeconds.toFixed(6)},`,
      `${folder}/${number}.m4s`,
    ]
  })
  return text([
    ...head,
    `#EXT-X-TARGETDURATION:${targetDurationSeconds}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    `#EXT-X-PLAYLIST-TYPE:${ended ? 'VOD' : 'EVENT'}`,
    ...(kind === 'iframes' ? ['#EXT-X-I-FRAMES-ONLY'] : []),
    ...(ended ? [] : ['#EXT-X-START:TIME-OFFSET=0']),
    `#EXT-X-MAP:URI="${folder}/init.mp4"`,
    ...segmentLines,
    ...(ended ? ['#EXT-X-ENDLIST'] : []),
  ])
}
