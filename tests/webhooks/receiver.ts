// A tenant's backend that listens: real sockets, answers as it is told, and keeps what it was sent, byte for byte.
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Certificate } from '../support/certificate.ts'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type Answer = (response: ServerResponse, request: IncomingMessage) => void

export const says =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(status, headers).end('thanks')

export interface Receiver {
  readonly url: string
  readonly port: number
  readonly received: Received[]
  /** How it answers from here on; a list is used up, and its last entry stays. */
  answers(...next: Answer[]): void
  close(): Promise<void>
}

export async function startReceiver({ tls }: { tls?: Certificate } = {}): Promise<Receiver> {
  const received: Received[] = []
  let script: Answer[] = [says(200)]
  const listen = async (request: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const { method = '', url: path = '', headers } = request
    received.push({ method, path, headers, body: Buffer.concat(parts).toString() })
    const answer = script.length > 1 ? script.shift() : script[0]
    answer?.(response, request)
  }
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    // A sender that is killed midway is nobody's failure here.
    listen(request, response).catch(() => {})
  }
  const server = tls ? createSecureServer(tls, handle) : createServer(handle)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/hooks`,
    port,
    received,
    answers: (...next) => {
      script = next
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
