// What a request's target means: the path as Kestrel decodes it, and as it is written again for the app.
export interface RequestPath {
  /** Decoded, with dot segments resolved; begins with a slash. `%2F` stays as it is (rule 8). */
  readonly path: string
  /** With its question mark, byte for byte; empty without one. */
  readonly query: string
}

/** Undefined where the real host answers 400: a NUL, or bytes that no request line may have. */
export function readRequestPath(target: string): RequestPath | undefined {
  if (/[^\x21-\x7e]/.test(target)) return undefined
  const origin = /^https?:\/\/[^/?]*/i.exec(target)?.[0] ?? ''
  const rest = target.slice(origin.length)
  const mark = rest.indexOf('?')
  const raw = mark < 0 ? rest : rest.slice(0, mark)
  const decoded = decode(raw.startsWith('/') ? raw : `/${raw}`)
  if (decoded.includes('\0')) return undefined
  return { path: resolveDots(decoded), query: mark < 0 ? '' : rest.slice(mark) }
}

/** Decodes what is valid UTF-8 and leaves the rest, and every `%2F`, as written. */
function decode(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    const bytes = Buffer.from(run.replaceAll('%', ''), 'hex')
    let text = ''
    for (let at = 0; at < bytes.length; ) {
      const character = characterAt(bytes, at)
      text += character === undefined || character === '/' ? run.slice(at * 3, at * 3 + 3) : character
      at += character === undefined ? 1 : Buffer.byteLength(character)
    }
    return text
  })
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function characterAt(bytes: Buffer, at: number): string | undefined {
  const lead = bytes[at]!
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  try {
    return strict.decode(bytes.subarray(at, at + length))
  } catch {
    return undefined
  }
}

/** RFC 3986, 5.2.4, over the decoded path: `%2e%2e` has become `..` by now. */
function resolveDots(path: string): string {
  if (!path.includes('/.')) return path
  const kept: string[] = []
  const segments = path.split('/').slice(1)
  for (const [index, segment] of segments.entries()) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
    if (index === segments.length - 1 && (segment === '.' || segment === '..')) kept.push('')
  }
  return `/${kept.join('/')}`
}

const encode = (text: string): string => encodeURIComponent(text)

/** As the proxy in front of a streaming worker writes it: `%2F` shows as `%252F`. */
export const encodeForwarded = (path: string): string => path.replace(/[^\w\-.~!$&'()*+,;=:@/]+/gu, encode)

/** As the buffered request shows it: what still looks percent-encoded is left alone. */
export const encodeBuffered = (path: string): string =>
  path.replace(/%[0-9a-f]{2}|[^\w\-.~!$&'()*+,;=:@/%]+|%/giu, (text) =>
    /^%../.test(text) ? text : encode(text),
  )
