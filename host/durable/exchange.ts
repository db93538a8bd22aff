// Reads a management request's body within its bound, and writes answers.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { maxPayloadBytes } from './refusals.ts'

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Absent: an empty answer. */
  readonly body?: unknown
}

export const message = (status: number, text: string, more: object = {}): Reply => ({
  status,
  body: { Message: text, ...more },
})

export function send(response: ServerResponse, { status, headers = {}, body }: Reply): void {
  const text = body === undefined ? '' : JSON.stringify(body)
  const type = body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }
  response.writeHead(status, { ...headers, ...type, 'content-length': Buffer.byteLength(text) }).end(text)
}

/** Undefined when there is more than a payload may hold. */
export async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = []
  let sizeBytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    sizeBytes += part.length
    if (sizeBytes <= maxPayloadBytes) parts.push(part)
  }
  return sizeBytes > maxPayloadBytes ? undefined : Buffer.concat(parts).toString('utf8')
}
