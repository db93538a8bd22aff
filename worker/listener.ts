// An edge's HTTP server: whom it waits for and for how long, how answers go out, and how it ends without cutting one off.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { WholeReply } from '../shared/http/whole.ts'

export interface ListenerOptions {
  readonly host: string
  readonly port: number
  readonly answer: (request: IncomingMessage) => Promise<WholeReply>
  /** Connections are not kept for another request. */
  readonly isEnding: () => boolean
  /** Bytes of answers on their way to readers, however slow these are. */
  readonly mostBytes: number
  /** Instead of an answer for which there is no room now. */
  readonly full: () => WholeReply
  /** A reader who takes longer than this is not waited for. */
  readonly slowest: { readonly graceMs: number; readonly bytesPerSecond: number }
}

export interface Listener {
  readonly port: number
  inFlight(): number
  close(): Promise<void>
}

const limits = {
  // As long as balancers keep silent connections, so that they never use one that is being closed.
  keepAliveTimeout: 120_000,
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 32_768,
}
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { graceMs, bytesPerSecond } = options.slowest
  const answering = new Set<ServerResponse>()
  let sending = 0

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const found = await options.answer(request)
    const length = found.bytes?.length ?? 0
    const reply = length > 0 && sending + length > options.mostBytes ? options.full() : found
    if (response.destroyed) return
    const bytes = reply.bytes?.length ?? 0
    sending += bytes
    const late = setTimeout(() => response.destroy(), graceMs + (1000 * bytes) / bytesPerSecond)
    response.once('close', () => {
      sending -= bytes
      clearTimeout(late)
    })
    // What nobody reads would stand before the connection's next request.
    const hasBody = request.headers['transfer-encoding'] ?? Number(request.headers['content-length'] ?? 0)
    if (hasBody || options.isEnding()) response.setHeader('connection', 'close')
    response.writeHead(reply.status, { ...reply.headers })
    response.end(reply.bytes)
  }

  const server = createServer(limits, (request, response) => {
    answering.add(response)
    response.once('close', () => answering.delete(response))
    respond(request, response).catch(() => response.destroy())
  })
  await bind(server, options)
  return {
    port: (server.address() as AddressInfo).port,
    inFlight: () => answering.size,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

const bind = (server: Server, { host, port }: ListenerOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new Error(
          error.code === 'EADDRINUSE'
            ? `EDGE_PORT ${port} is in use on ${host}: choose another, or stop what listens there.`
            : `Nothing can listen on EDGE_HOST ${host}, EDGE_PORT ${port}: ${error.message}`,
        ),
      ),
    )
    server.listen(port, host, () => resolve())
  })
