// What each path of a title stands for: playlists, init segments, segments, keys and the poster, as representations.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { MediaStore } from '../assets/ports.ts'
import type { Timeline } from '../assets/timeline.ts'
import { toBase64url } from '../core/base64url.ts'
import type { Clock } from '../core/clock.ts'
import { sha256 } from '../core/hash.ts'
import { createRecent } from '../core/recent.ts'
import { acceptsGzip } from './encoding.ts'
import { playlistType, renderMaster, renderMedia } from './manifest.ts'
import type { PlayPath } from './path.ts'
import { type Place, placeOf, timelineOf } from './place.ts'
import type { ContentKey, SegmentIv } from './ports.ts'
import type { ReadHeader } from './preconditions.ts'
import type { Representation } from './representation.ts'
import { visible } from './resolution.ts'
import { renderStoryboard, storyboardType } from './storyboard.ts'
import type { PlayableTitle } from './titles.ts'

const playlistsMaxBytes = 32 << 20
const compress = promisify(gzip)

export interface ContentDeps {
  readonly media: Pick<MediaStore, 'read' | 'facts'>
  readonly contentKey: ContentKey
  readonly segmentIv: SegmentIv
  readonly clock: Clock
}

export interface ContentAsk {
  readonly path: PlayPath
  readonly header: ReadHeader
  readonly maxResolution: number | undefined
}

/** A text made of the timeline: a playlist, or the storyboard. */
interface Rendered {
  readonly etag: string
  readonly plain: Uint8Array
  readonly gzipped: Uint8Array
}

const tag = (content: string | Uint8Array): string => toBase64url(sha256(content)).slice(0, 22)

export function createContents({ media, contentKey, segmentIv, clock }: ContentDeps) {
  // Rendered once for all viewers: neither the names nor the bytes hold anything of a session.
  const texts = createRecent<Rendered>({
    clock,
    maxAgeMs: Number.POSITIVE_INFINITY,
    maxWeight: playlistsMaxBytes,
    weigh: ({ plain, gzipped }) => plain.length + gzipped.length,
  })
  const posters = createRecent<{ sizeBytes: number } | undefined>({
    clock,
    maxAgeMs: Number.POSITIVE_INFINITY,
    maxWeight: 5000,
  })

  async function text(
    { name, contentType = playlistType, header }: { name: string; contentType?: string; header: ReadHeader },
    render: () => string,
  ): Promise<Representation> {
    const { etag, plain, gzipped } = await texts.get(name, async () => {
      const bytes = Buffer.from(render())
      return { etag: tag(bytes), plain: bytes, gzipped: await compress(bytes) }
    })
    const zipped = acceptsGzip(header('accept-encoding'))
    const bytes = zipped ? gzipped : plain
    return {
      contentType,
      sizeBytes: bytes.length,
      etag: zipped ? `"${etag}-gzip"` : `"${etag}"`,
      headers: {
        'cache-control': 'no-cache',
        vary: 'Accept-Encoding',
        ...(zipped && { 'content-encoding': 'gzip' }),
      },
      ranges: false,
      read: async ({ first, last }) => bytes.subarray(first, last + 1),
    }
  }

  /** Blobs are never written twice, so their name and size make a strong ETag without asking Blob for its own. */
  const stored = (blob: string, sizeBytes: number, contentType: string): Representation => ({
    contentType,
    sizeBytes,
    etag: `"${tag(`${blob}\0${sizeBytes}`)}"`,
    headers: { 'cache-control': 'private, max-age=86400, immutable' },
    ranges: true,
    read: ({ first, last }) => media.read(blob, { offset: first, count: last - first + 1 }),
  })

  async function poster({ asset, timeline }: PlayableTitle): Promise<Representation | undefined> {
    const blob = timeline.poster ?? asset.poster
    const facts = blob && (await posters.get(blob, () => media.facts(blob)))
    return facts ? stored(blob, facts.sizeBytes, 'image/jpeg') : undefined
  }

  function storyboard(
    { timeline, timelineBlob }: PlayableTitle,
    header: ReadHeader,
  ): Promise<Representation> | undefined {
    const { storyboard: board } = timeline
    if (!board) return undefined
    const name = `${timelineBlob}\0/storyboard.vtt`
    return text({ name, contentType: storyboardType, header }, () => renderStoryboard(timeline, board))
  }

  async function sprite(
    title: PlayableTitle,
    { edition, number }: { edition: string; number: number },
  ): Promise<Representation | undefined> {
    const found = (await timelineOf(title, edition))?.storyboard?.sprites[number]
    return found && stored(found.blob, found.sizeBytes, 'image/jpeg')
  }

  async function key(
    { asset }: PlayableTitle,
    timeline: Timeline,
    keyId: string,
  ): Promise<Representation | undefined> {
    const { version, generation } = timeline
    const bytes = await contentKey({ assetId: asset.id, version, generation }, keyId)
    return (
      bytes && {
        contentType: 'application/octet-stream',
        sizeBytes: bytes.length,
        headers: { 'cache-control': 'no-store' },
        ranges: false,
        read: async () => bytes,
      }
    )
  }

  /** What is in hand of a rendition, by its path. */
  function ofRendition(
    title: PlayableTitle,
    { timeline, rendition }: Place,
    { path, header }: ContentAsk,
  ): Promise<Representation | undefined> | Representation | undefined {
    if (path.kind === 'key') return key(title, timeline, path.keyId)
    if (path.kind === 'playlist') {
      const name = `${title.timelineBlob}\0${rendition.name}`
      return text({ name, header }, () => renderMedia(timeline, rendition, segmentIv))
    }
    const { blob, sizeBytes } =
      path.kind === 'segment' ? (rendition.segments[path.number] ?? {}) : rendition.init
    return blob && sizeBytes ? stored(blob, sizeBytes, 'video/mp4') : undefined
  }

  /** Undefined when the title has no such thing; refused when it has, and this session may not see it. */
  return async function find(
    title: PlayableTitle,
    ask: ContentAsk,
  ): Promise<Representation | 'refused' | undefined> {
    const { path, header, maxResolution } = ask
    const shown = visible(title.timeline, maxResolution)
    if (!shown) return 'refused'
    if (path.kind === 'poster') return poster(title)
    if (path.kind === 'master') {
      // By what stands in it, so that all limits that come to the same share one.
      const names = shown.map(({ name }) => name).join()
      return text({ name: `${title.timelineBlob}\0/${names}`, header }, () => renderMaster(shown))
    }
    // Its tiles are no larger than the smallest rendition, so whoever may see any of the film may see them.
    if (path.kind === 'storyboard') return storyboard(title, header)
    if (path.kind === 'sprite') return sprite(title, path)
    const place = await placeOf(title, path)
    if (!place) return undefined
    const isShown = visible(place.timeline, maxResolution)?.includes(place.rendition)
    return isShown ? ofRendition(title, place, ask) : 'refused'
  }
}
