// What a path below `play/{token}/` names; each thing has exactly one spelling.
export type PlayPath =
  | { readonly kind: 'master' }
  | { readonly kind: 'playlist'; readonly rendition: string }
  | { readonly kind: 'init'; readonly rendition: string }
  | { readonly kind: 'segment'; readonly rendition: string; readonly number: number }
  | { readonly kind: 'key'; readonly keyId: string }
  | { readonly kind: 'poster' }

const shapes: ReadonlyArray<readonly [RegExp, (a: string, b: string) => PlayPath]> = [
  [/^master\.m3u8$/, () => ({ kind: 'master' })],
  [/^poster\.jpg$/, () => ({ kind: 'poster' })],
  [/^keys\/([0-9a-f]{32})$/, (keyId) => ({ kind: 'key', keyId })],
  [/^([a-z0-9-]+)\.m3u8$/, (rendition) => ({ kind: 'playlist', rendition })],
  [/^([a-z0-9-]+)\/init\.mp4$/, (rendition) => ({ kind: 'init', rendition })],
  [
    /^([a-z0-9-]+)\/(0|[1-9]\d{0,6})\.m4s$/,
    (rendition, n) => ({ kind: 'segment', rendition, number: Number(n) }),
  ],
]

export function readPath(path: string): PlayPath | undefined {
  for (const [shape, make] of shapes) {
    const found = shape.exec(path)
    if (found) return make(found[1] ?? '', found[2] ?? '')
  }
  return undefined
}
