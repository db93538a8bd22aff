// Stands between a client and its store, hands requests on, and fails those that a test picks, in the way it picks.
import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Fault =
  /** Answered here, without asking the store. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** The store's answer breaks off in the middle of its body. */
  | 'cut'
  /** The same, but the connection stays: the rest never comes. */
  | 'stall'
  /** The connection is closed without an answer. */
  | 'reset'
  /** No answer ever comes. */
  | 'hang'

export interface FaultProxy {
  /** Origin, without a slash at its end. */
  readonly origin: string
  /** What was asked for, in order: method, path with query, and headers. */
  readonly seen: IncomingMessage[]
  /** Requests whose answer has not gone out yet. */
  underWay(): number
  stop(): Promise<void>
}

export async function startFaultProxy(
  target: string,
  pick: (request: IncomingMessage, n: number) => Fault | undefined,
): Promise<FaultProxy> {
  const { hostname, port } = new URL(target)
  const seen: IncomingMessage[] = []
  let underWay = 0
  // No connection ends by itself: that would be a fault that nobody picked.
  const server = createServer({ keepAliveTimeout: 0 }, (incoming, outgoing) => {
    underWay++
    outgoing.once('close', () => underWay--)
    const fault = pick(incoming, seen.push(incoming))
    if (fault === 'hang') return
    if (fault === 'reset') {
      incoming.socket.destroy()
      return
    }
    if (typeof fault === 'object') {
      incoming.resume()
      outgoing.writeHead(fault.status, fault.headers).end(fault.body)
      return
    }
    const { method, url, headers } = incoming
    const onward = request({ hostname, port, method, path: url, headers, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      if (fault === undefined) {
        answer.pipe(outgoing)
        return
      }
      answer.once('data', (bytes: Buffer) => {
        outgoing.write(bytes.subarray(0, bytes.length / 2), () => {
          if (fault === 'cut') incoming.socket.destroy()
        })
        answer.destroy()
      })
    })
    onward.on('error', () => incoming.socket.destroy())
    incoming.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    underWay: () => underWay,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
