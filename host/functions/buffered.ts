// A request in buffered mode: the body whole on the way in, the answer whole on the way out.
import type { ServerResponse } from 'node:http'
import type { TypedData } from '../contract.ts'
import { joinedQuery } from './binding-data.ts'
import {
  answerEmpty,
  type Exchange,
  forwardedHeaders,
  type HttpContext,
  originOf,
  refuseBody,
} from './exchange.ts'
import { readBody } from './request-body.ts'
import { encodeBuffered } from './request-path.ts'
import { messageOf } from './startup-error.ts'

interface Nullable<T> {
  readonly value?: T
}

interface RpcCookie {
  readonly name: string
  readonly value: string
  readonly path?: Nullable<string>
  readonly domain?: Nullable<string>
  readonly maxAge?: Nullable<number>
  readonly httpOnly?: Nullable<boolean>
  readonly secure?: Nullable<boolean>
  readonly sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone'
}

interface RpcResponse {
  readonly statusCode: string
  readonly headers: Readonly<Record<string, string>>
  readonly cookies: readonly RpcCookie[]
  readonly body?: { readonly bytes?: Uint8Array }
}

export async function answerBuffered(exchange: Exchange, context: HttpContext): Promise<void> {
  const { request, response, target } = exchange
  const body = await readBody(request, context.bodyLimitBytes)
  if (body.kind === 'aborted') return
  if (body.kind === 'too-large') return refuseBody(request, response)
  const log = (message: string): void => context.log('error', `Function.${target.name}`, message)
  if (body.kind === 'chunked') {
    log(
      'rule 17: in buffered mode a chunked request body arrives empty; send a content-length or enable streaming',
    )
    request.resume()
  }
  const bytes = body.kind === 'whole' && body.bytes.length > 0 ? body.bytes : undefined
  const result = await context.invoke(target, { trigger: { http: rpcRequest(exchange, bytes) } })
  if (!result.ok) {
    log(`Failed: ${(result.error instanceof Error && result.error.stack) || messageOf(result.error)}`)
    return answerEmpty(response, 500)
  }
  send(response, result.returnValue, log)
}

function rpcRequest({ request, params, path }: Exchange, bytes: Buffer | undefined): Record<string, unknown> {
  return {
    url: originOf(request) + encodeBuffered(path.path) + path.query,
    method: request.method,
    nullableHeaders: nullable(forwardedHeaders(request)),
    nullableParams: nullable(params),
    nullableQuery: nullable(joinedQuery(path.query)),
    ...(bytes && { body: { bytes } }),
  }
}

const nullable = (values: Readonly<Record<string, string>>): Record<string, Nullable<string>> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]))

function send(
  response: ServerResponse,
  returned: TypedData | undefined,
  log: (message: string) => void,
): void {
  if (returned === undefined) {
    answerEmpty(response, 204)
    return
  }
  const { statusCode, headers, cookies, body } = returned.http as unknown as RpcResponse
  const bytes = body?.bytes ?? new Uint8Array()
  const promised = headers['content-length'] === undefined ? bytes.length : Number(headers['content-length'])
  const status = Number(statusCode)
  const bodiless = response.req.method === 'HEAD' || status === 204 || status === 304
  if (promised < bytes.length && !bodiless) {
    log(`rule 3: the body has ${bytes.length} bytes, more than its content-length ${promised}`)
    response.setHeader('connection', 'close')
    answerEmpty(response, 500)
    return
  }
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (cookies.length > 0) response.setHeader('set-cookie', cookies.map(formatCookie))
  if (bytes.length === 0 && !bodiless && headers['content-length'] === undefined)
    response.setHeader('content-length', 0)
  // Written before it ends, so that it goes out in chunks: the host never sets a length of its own.
  if (bytes.length > 0 && !bodiless) response.write(bytes)
  if (promised > bytes.length && !bodiless) {
    log(`rule 3: the body ends after ${bytes.length} of ${promised} bytes`)
    response.flushHeaders()
    response.socket?.destroySoon()
  } else response.end()
}

/** ASP.NET's order and spelling; it adds a path where there is none, and `expires` never gets through. */
function formatCookie({ name, value, path, domain, maxAge, httpOnly, secure, sameSite }: RpcCookie): string {
  const parts = [`${name}=${encodeURIComponent(value)}`]
  if (maxAge?.value !== undefined) parts.push(`max-age=${maxAge.value}`)
  if (domain?.value) parts.push(`domain=${domain.value}`)
  parts.push(`path=${path?.value ?? '/'}`)
  if (secure?.value) parts.push('secure')
  if (sameSite && sameSite !== 'none')
    parts.push(`samesite=${sameSite === 'explicitNone' ? 'none' : sameSite}`)
  if (httpOnly?.value) parts.push('httponly')
  return parts.join('; ')
}
