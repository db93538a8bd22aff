// What a request to an edge is for: its target is read as the Functions host reads it, so that both answer the same.
import type { IncomingMessage } from 'node:http'
import { hasBody, setsHeaders } from '../shared/http/forgeable.ts'

export type Target =
  | { readonly kind: 'play'; readonly token: string; readonly path: string }
  | { readonly kind: 'health' }
  | { readonly kind: 'nothing' }

const playForm = /^\/api\/v1\/play\/([^/]+)(?:\/(.*))?$/is
const healthForm = /^\/api\/healthz\/?$/i

/** Undefined where the request is not HTTP as anybody means it. */
export function readTarget(target: string): Target | undefined {
  if (/[^\x21-\x7e]/.test(target)) return undefined
  // RFC 9112 3.2.2: a proxy may be sent the whole URL.
  const [path = ''] = target.replace(/^https?:\/\/[^/?]*/i, '').split('?')
  const decoded = decode(path.startsWith('/') ? path : `/${path}`)
  if (decoded.includes('\0')) return undefined
  const plain = withoutDots(decoded)
  if (healthForm.test(plain)) return { kind: 'health' }
  const [, token, rest] = playForm.exec(plain) ?? []
  return token === undefined ? { kind: 'nothing' } : { kind: 'play', token, path: rest ?? '' }
}

/** ASCII alone, since nothing of ours is named otherwise; an escaped slash stays one. */
const decode = (path: string): string =>
  path.replace(/%([0-7][0-9a-f])/gi, (written, hex: string) =>
    hex.toLowerCase() === '2f' ? written : String.fromCharCode(Number.parseInt(hex, 16)),
  )

/** RFC 3986 5.2.4, of the decoded path. */
function withoutDots(path: string): string {
  if (!path.includes('/.')) return path
  const segments = path.split('/').slice(1)
  const kept: string[] = []
  for (const segment of segments) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
  }
  const last = segments.at(-1)
  if (last === '.' || last === '..') kept.push('')
  return `/${kept.join('/')}`
}

/** Repeated ones are joined; the address of the connection stands last in X-Forwarded-For, as every proxy writes it. */
export function headersOf({ headersDistinct, socket }: IncomingMessage): (name: string) => string | null {
  const read = (name: string): string | null => headersDistinct[name]?.join(',') ?? null
  const peer = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  return (name) => {
    const key = name.toLowerCase()
    const value = read(key)
    if (key !== 'x-forwarded-for') return value
    return value ? `${value}, ${peer}` : peer
  }
}

/**
 * A Functions host takes headers out of a query or of a body, so the app believes none where there is such a query, or a
 * body. Here nothing is taken from there; but whoever asks is told the same wherever they come to.
 */
export function mayBeForged({ url = '', headers }: IncomingMessage): boolean {
  const [, query = ''] = /\?(.*)/.exec(url) ?? []
  // The host reads on behind a fragment, and the app does not.
  const queries = [query, query.split('#', 1)[0]].map((text) => new URLSearchParams(text))
  return hasBody(headers) || queries.some(setsHeaders)
}

const hostForm = /^(?:\[[0-9a-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i

/** RFC 9110 7.2: exactly one, and nothing in it but a name and a port, since it ends up in URLs. */
export function originOf({ headersDistinct }: IncomingMessage): string | undefined {
  const [host = '', ...others] = headersDistinct['host'] ?? []
  const url = `http://${host}`
  return others.length === 0 && hostForm.test(host) && URL.canParse(url) ? url : undefined
}
