// Which sites' players may read an answer: those in the tenant's list, and the app's own, which needs no header.
import type { ReadHeader } from './preconditions.ts'

export type ReplyHeaders = Record<string, string>

/** Whatever depends on Origin says so, with or without one, or a shared cache would mix the answers up. */
export function corsHeaders(header: ReadHeader, allowedOrigins: readonly string[]): ReplyHeaders {
  const origin = header('origin')
  if (origin === null || !allowedOrigins.includes(origin)) return { vary: 'Origin' }
  return {
    vary: 'Origin',
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'Content-Range, Content-Length, ETag, Date',
  }
}

/** The answer to OPTIONS: what a preflight asks (Fetch standard, 4.8), and `Allow` for everybody else. */
export const preflightHeaders = (cors: ReplyHeaders): ReplyHeaders => ({
  ...cors,
  allow: 'GET, HEAD, OPTIONS',
  ...(cors['access-control-allow-origin'] && {
    'access-control-allow-methods': 'GET, HEAD, OPTIONS',
    'access-control-allow-headers': 'Range, If-Range, If-None-Match, If-Match',
    'access-control-max-age': '600',
  }),
})
