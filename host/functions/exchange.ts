// One HTTP request on its way to a function, and the plain answers that the host itself gives.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RunnableFunction } from './bindings.ts'
import type { Invoke } from './invoke.ts'
import type { Log } from './log.ts'
import type { Values } from './match.ts'
import type { RequestPath } from './request-path.ts'
import type { StreamInlet } from './stream-inlet.ts'

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly target: RunnableFunction
  readonly params: Values
  readonly path: RequestPath
}

export interface HttpContext {
  readonly invoke: Invoke
  readonly log: Log
  readonly inlet: StreamInlet | undefined
  readonly bodyLimitBytes: number
  /** Seconds without a byte after which the real host's proxy gives up. */
  readonly idleSeconds: number
  readonly customHeaders: Readonly<Record<string, string>>
}

const hostForm = /^(?:\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i

/** As Kestrel reads Host (RFC 3986 3.2.2): one, and nobody's name or path in it, which would end up in URLs and in errors about them. */
export function hasGoodHost({ headersDistinct }: IncomingMessage): boolean {
  const [host = '', ...others] = headersDistinct['host'] ?? []
  return others.length === 0 && hostForm.test(host) && URL.canParse(`http://${host || 'localhost'}`)
}

/** An answer without a body, as the real host gives it: `Content-Length: 0` and nothing more. */
export function answerEmpty(response: ServerResponse, status: number): void {
  if (response.headersSent || response.destroyed) return
  response.statusCode = status
  if (response.req.method !== 'HEAD' && status !== 204) response.setHeader('content-length', 0)
  response.end()
}

/** The client may still be sending: it reads the answer only if the connection lives until it has sent all. */
export function refuseBody(request: IncomingMessage, response: ServerResponse, drainMs = 5000): void {
  response.writeHead(500, { connection: 'close', 'content-length': 0 })
  response.flushHeaders()
  const done = setTimeout(() => response.end(), drainMs)
  request.once('close', () => clearTimeout(done))
  request.once('end', () => response.end())
  request.resume()
}

/** Lower-case names, repeated values joined; the peer's address stands last in X-Forwarded-For. */
export function forwardedHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, values] of Object.entries(request.headersDistinct))
    headers[name] = (values ?? []).join(',')
  const peer = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  const earlier = headers['x-forwarded-for']
  headers['x-forwarded-for'] = earlier ? `${earlier}, ${peer}` : peer
  return headers
}

export const originOf = (request: IncomingMessage): string => `http://${request.headers.host ?? 'localhost'}`
