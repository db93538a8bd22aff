// How much of a request's body is read before the function starts, and what is too much (rule 17).
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

export const defaultBodyLimitBytes = 104_857_600

export type Body =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'too-large' | 'aborted' }

/** A body of announced length is read to its end first; a chunked one is not touched here. */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Body> {
  if (request.headers['transfer-encoding'] !== undefined) return { kind: 'chunked' }
  const length = Number(request.headers['content-length'] ?? 0)
  if (length > limitBytes) return { kind: 'too-large' }
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer)
  } catch {
    return { kind: 'aborted' }
  }
  return { kind: 'whole', bytes: Buffer.concat(chunks) }
}

/** The body as a stream for the library; one that grows too large or loses its client fails where it is read. */
export function bodyStream(request: IncomingMessage, body: Body, limitBytes: number): Readable {
  if (body.kind === 'whole') return Readable.from(body.bytes.length > 0 ? [body.bytes] : [])
  return Readable.from(limited(request, limitBytes))
}

async function* limited(request: IncomingMessage, limitBytes: number): AsyncGenerator<Buffer> {
  let count = 0
  for await (const chunk of request) {
    count += (chunk as Buffer).byteLength
    if (count > limitBytes) throw new Error(`rule 17: the request body is over ${limitBytes} bytes`)
    yield chunk as Buffer
  }
}
