// Keeps an answer honest: what its content-length promised is neither exceeded nor quietly left out, nor silent for ever.
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface Guard {
  /** The library has finished, with everything promised on the wire. */
  readonly isComplete: () => boolean
  /** Answers 500 where nothing has gone out yet, else cuts the connection: there is no other way to tell the client. */
  fail(reason: string): void
}

export interface GuardOptions {
  readonly idleSeconds: number
  readonly report: (message: string) => void
  /** Set on the bare 500 too, as on every answer. */
  readonly headers: Readonly<Record<string, string>>
}

/** Takes the place of `write` and `end`; like the real host it gives the writer no backpressure (rule 4). */
export function guardResponse(
  request: IncomingMessage,
  response: ServerResponse,
  options: GuardOptions,
): Guard {
  const write = response.write.bind(response) as (chunk: Uint8Array) => boolean
  const end = response.end.bind(response) as () => ServerResponse
  let sentBytes = 0
  let state: 'open' | 'complete' | 'failed' = 'open'
  let warned = false
  const idle = setTimeout(() => {
    fail(`rule 3: no byte for ${options.idleSeconds} s, so the real host gives the request up`)
  }, options.idleSeconds * 1000).unref()
  response.once('close', () => clearTimeout(idle))

  const promised = (): number | undefined => {
    const length = response.getHeader('content-length')
    const bodiless = request.method === 'HEAD' || response.statusCode === 204 || response.statusCode === 304
    return length === undefined || bodiless ? undefined : Number(length)
  }

  function fail(reason: string): void {
    if (state !== 'open' || response.destroyed) return
    state = 'failed'
    options.report(reason)
    if (response.headersSent) {
      // What has been written still goes out; then the connection ends before the answer does.
      response.socket?.destroySoon()
      return
    }
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    for (const [name, value] of Object.entries(options.headers)) response.setHeader(name, value)
    response.statusCode = 500
    response.statusMessage = ''
    response.setHeader('content-length', 0)
    end()
  }

  response.write = ((chunk: Uint8Array): boolean => {
    if (state !== 'open' || response.destroyed) return true
    idle.refresh()
    const room = (promised() ?? Number.POSITIVE_INFINITY) - sentBytes
    if (chunk.byteLength > room && !warned) {
      warned = true
      options.report('rule 3: the body is longer than its content-length; the real host cuts it off there')
    }
    const part = chunk.byteLength > room ? chunk.subarray(0, room) : chunk
    sentBytes += part.byteLength
    return part.byteLength === 0 || write(part)
  }) as ServerResponse['write']

  response.end = ((): ServerResponse => {
    if (state !== 'open' || response.destroyed) return response
    const length = promised()
    if (length !== undefined && length > sentBytes) {
      fail(
        `rule 3: the body ends after ${sentBytes} of ${length} bytes; on Azure the client would wait for 240 s`,
      )
      return response
    }
    state = 'complete'
    clearTimeout(idle)
    return end()
  }) as ServerResponse['end']

  return { isComplete: () => state !== 'open', fail }
}
