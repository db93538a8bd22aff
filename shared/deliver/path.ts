// What a path below `play/{token}/` names, each thing with exactly one spelling, and what a request for it is for.
import type { Purpose } from './ports.ts'

export type PlayPath =
  | { readonly kind: 'master' }
  | { readonly kind: 'playlist'; readonly rendition: string }
  | { readonly kind: 'init'; readonly rendition: string; readonly edition: string }
  | {
      readonly kind: 'segment'
      readonly rendition: string
      readonly edition: string
      readonly number: number
    }
  | { readonly kind: 'key'; readonly keyId: string }
  | { readonly kind: 'poster' }
  | { readonly kind: 'storyboard' }
  | { readonly kind: 'sprite'; readonly edition: string; readonly number: number }

const shapes: ReadonlyArray<readonly [RegExp, (a: string, b: string, c: string) => PlayPath]> = [
  [/^master\.m3u8$/, () => ({ kind: 'master' })],
  [/^poster\.jpg$/, () => ({ kind: 'poster' })],
  [/^storyboard\.vtt$/, () => ({ kind: 'storyboard' })],
  [
    /^storyboard\/([1-9]\d{0,6}\.(?:0|[1-9]\d{0,6}))\/(0|[1-9]\d{0,6})\.jpg$/,
    (edition, n) => ({ kind: 'sprite', edition, number: Number(n) }),
  ],
  [/^keys\/([0-9a-f]{32})$/, (keyId) => ({ kind: 'key', keyId })],
  [/^([a-z0-9-]{1,64})\.m3u8$/, (rendition) => ({ kind: 'playlist', rendition })],
  [
    /^([a-z0-9-]{1,64})\/([1-9]\d{0,6}\.(?:0|[1-9]\d{0,6}))\/init\.mp4$/,
    (rendition, edition) => ({ kind: 'init', rendition, edition }),
  ],
  [
    /^([a-z0-9-]{1,64})\/([1-9]\d{0,6}\.(?:0|[1-9]\d{0,6}))\/(0|[1-9]\d{0,6})\.m4s$/,
    (rendition, edition, n) => ({ kind: 'segment', rendition, edition, number: Number(n) }),
  ],
]

export function readPath(path: string): PlayPath | undefined {
  for (const [shape, make] of shapes) {
    const found = shape.exec(path)
    if (found) return make(found[1] ?? '', found[2] ?? '', found[3] ?? '')
  }
  return undefined
}

const isImage = ({ kind }: PlayPath): boolean =>
  kind === 'poster' || kind === 'storyboard' || kind === 'sprite'

/** Where nothing is, nothing is played: that needs no place in the count. */
export function purposeOf(path: PlayPath | undefined): Purpose {
  if (!path || isImage(path)) return 'image'
  return path.kind === 'master' || path.kind === 'playlist' ? 'manifest' : 'media'
}

/** A grant is a compact JWS, three parts; a session token has four. It opens a manifest, and nothing else. */
export const isGrant = (token: string): boolean => /^[^.]*\.[^.]*\.[^.]*$/.test(token)
export const opensSession = (path: string): boolean => path === 'master.m3u8' || path === 'manifest.mpd'
