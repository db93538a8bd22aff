// Whether the headers that the host hands over may have been written into the query or the body instead.
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { hasBody, setsHeaders } from '../shared/http/forgeable.ts'

/**
 * In streaming mode the host keeps headers, query keys and the fields of a JSON body in one table: whoever asks for
 * `?Headers={"x-forwarded-for":"203.0.113.9"}` is believed to come from there. The query is in the URL; that a GET has a
 * body is not told to functions, and is seen where the library's own server receives what the host forwards.
 */
const withBody = new Set<string>()
const bodiless = ['GET', 'HEAD', 'OPTIONS']

interface Started {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

subscribe('http.server.request.start', (message) => {
  const { request, response } = message as Started
  const id = request.headers['x-ms-invocation-id']
  if (!bodiless.includes(request.method ?? '') || typeof id !== 'string' || !hasBody(request.headers)) return
  withBody.add(id)
  response.once('close', () => withBody.delete(id))
})

/** Asked only of routes without a key: elsewhere whoever writes the headers also knows the key in them. */
export const mayBeForged = (query: URLSearchParams, invocationId: string): boolean =>
  withBody.has(invocationId) || setsHeaders(query)
