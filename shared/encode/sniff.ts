// What kind of file was uploaded, by its first bytes and never by its name: only containers of film reach ffmpeg.
import { Problem } from '../core/problem.ts'

export interface Container {
  /** ISO base media (MP4, MOV), whose boxes can be walked. */
  readonly isoBoxes: boolean
  /** A seek lands on a keyframe at or before its target. */
  readonly indexed: boolean
  /** For `-format_whitelist`: the demuxers that may open it, none of which follows references to other files. */
  readonly demuxers: string
}

const isoMedia: Container = { isoBoxes: true, indexed: true, demuxers: 'mov,mp4,m4a,3gp,3g2,mj2' }
const matroska: Container = { isoBoxes: false, indexed: true, demuxers: 'matroska,webm' }
const other: Container = { isoBoxes: false, indexed: false, demuxers: 'avi,flv,mpegts,mpeg,mxf,asf,ogg' }

/** Types of the first box of MP4 and QuickTime files (ISO/IEC 14496-12 4.2; QuickTime File Format). */
const firstBoxes = new Set([
  'ftyp',
  'moov',
  'mdat',
  'free',
  'skip',
  'wide',
  'pnot',
  'styp',
  'moof',
  'sidx',
  'uuid',
])

const latin = (head: Uint8Array): string => Buffer.from(head).toString('latin1')

/** Playlists, manifests, session descriptions and lists of files: all of them would make ffmpeg open something else. */
const reference =
  /^\s*(#EXTM3U|#?\s*ffconcat|\[playlist\]|<\?xml|<MPD|<SmoothStreamingMedia|<smil|<asx|v=0\r?\n|file\s+\S)/i

const isText = (text: string): boolean => {
  if (text.includes('\0')) return false
  let odd = 0
  for (const character of text) if (character < ' ' && !'\t\r\n\f'.includes(character)) odd++
  return odd <= text.length / 100
}

export function sniffContainer(head: Uint8Array): Container {
  const text = latin(head.subarray(0, 4096)).replace(/^ï»¿/, '')
  if (firstBoxes.has(text.slice(4, 8))) return isoMedia
  if (head[0] === 0x1a && text.slice(1, 4) === 'E\xdf\xa3') return matroska
  if (reference.test(text)) throw new Problem('source-not-allowed')
  if (isText(text)) throw new Problem('source-not-media')
  return other
}
