// Playlists as a player sees them: fetched, followed, and every segment's bytes counted.
import { fetch } from './patience.ts'

export interface MediaPlaylist {
  readonly url: string
  readonly text: string
  readonly ended: boolean
  readonly durations: number[]
  readonly segments: string[]
  readonly init: string
  readonly keyUrl: string
  readonly ivs: string[]
}

const text = async (url: string): Promise<string> => {
  const reply = await fetch(url)
  if (!reply.ok) throw new Error(`${reply.status} for a playlist: ${await reply.text()}`)
  return reply.text()
}

/** Absolute URLs of all media playlists of a master: variants in their order, then audio. */
export async function mediaPlaylists(masterUrl: string): Promise<string[]> {
  const master = await text(masterUrl)
  const lines = master.split('\n')
  const variants = lines.filter((_, n) => lines[n - 1]?.startsWith('#EXT-X-STREAM-INF'))
  const groups = [...master.matchAll(/#EXT-X-MEDIA:.*URI="([^"]+)"/g)].map((match) => match[1] ?? '')
  return [...variants, ...groups].map((uri) => new URL(uri, masterUrl).href)
}

export async function mediaPlaylist(url: string): Promise<MediaPlaylist> {
  const playlist = await text(url)
  const lines = playlist.split('\n').filter((line) => line !== '')
  const attribute = (pattern: RegExp) => pattern.exec(playlist)?.[1] ?? ''
  return {
    url,
    text: playlist,
    ended: lines.includes('#EXT-X-ENDLIST'),
    durations: [...playlist.matchAll(/#EXTINF:([\d.]+)/g)].map((match) => Number(match[1])),
    segments: lines.filter((line) => !line.startsWith('#')).map((uri) => new URL(uri, url).href),
    init: new URL(attribute(/#EXT-X-MAP:.*URI="([^"]+)"/), url).href,
    keyUrl: new URL(attribute(/#EXT-X-KEY:.*URI="([^"]+)"/), url).href,
    ivs: [...playlist.matchAll(/IV=0x([0-9a-fA-F]{32})/g)].map((match) => match[1] ?? ''),
  }
}
