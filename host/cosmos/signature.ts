// Decides who may speak to the Cosmos server: whoever signs with the master key, or bears a token that is accepted.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { unauthorized } from './answer.ts'

export type CosmosAuth =
  | { kind: 'key'; key: string }
  | { kind: 'bearer'; accepts: (token: string) => boolean }

export interface SignedRequest {
  method: string
  /** Decoded path segments. */
  segments: string[]
  headers: IncomingHttpHeaders
  now: number
}

const CLOCK_SKEW_MS = 15 * 60_000

/** An address of an odd number of segments is a feed: its type is the last, its owner the rest. */
const signedResource = (segments: string[]): { type: string; id: string } => {
  const isFeed = segments.length % 2 === 1
  const type = (isFeed ? segments.at(-1) : segments.at(-2)) ?? ''
  return { type, id: (isFeed ? segments.slice(0, -1) : segments).join('/') }
}

const isSignedBy = (key: string, signature: string, request: SignedRequest): boolean => {
  const date = String(request.headers['x-ms-date'] ?? '')
  if (!(Math.abs(Date.parse(date) - request.now) <= CLOCK_SKEW_MS)) return false
  const { type, id } = signedResource(request.segments)
  const text = `${request.method.toLowerCase()}\n${type}\n${id}\n${date.toLowerCase()}\n\n`
  const expected = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest()
  const given = Buffer.from(signature, 'base64')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

export const authenticate = (auth: CosmosAuth, request: SignedRequest): void => {
  let header = ''
  try {
    header = decodeURIComponent(String(request.headers.authorization ?? ''))
  } catch {
    // Not even encoded as the protocol has it: refused below like any other.
  }
  const [, type, signature] = /^type=(master|aad)&ver=1\.0&sig=(.+)$/.exec(header) ?? []
  const accepted =
    signature !== undefined &&
    (auth.kind === 'key'
      ? type === 'master' && isSignedBy(auth.key, signature, request)
      : type === 'aad' && auth.accepts(signature))
  if (!accepted) throw unauthorized('The authorization is missing, wrong or too old.')
}
