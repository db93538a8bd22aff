// Hands a request straight to the library's streaming code, in place of a forwarded request on a second socket.
import { channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'

/** What the library reads of a forwarded request: these, and the body as a stream. */
export interface ForwardedRequest {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
}

export interface StreamInlet {
  /** What `http.createServer()` returns to the library. */
  readonly server: EventEmitter
  send(request: ForwardedRequest, body: Readable, response: ServerResponse): void
}

/** Where Node's own HTTP servers, the library's among them, tell of every request. */
const started = channel('http.server.request.start')

export function createStreamInlet(): StreamInlet {
  const server = Object.assign(new EventEmitter(), {
    listen(listening: () => void) {
      process.nextTick(listening)
      return server
    },
    address: () => ({ port: 1, family: 'IPv4', address: '127.0.0.1' }),
    close: () => server,
  })
  return {
    server,
    send({ url, method, headers }, body, response) {
      const request = Object.assign(body, { url, method, headers })
      started.publish({ request, response, socket: response.socket, server })
      server.emit('request', request, response)
    },
  }
}
