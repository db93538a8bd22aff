// A viewer behind our proxies, byte for byte: any path, any header, and a body where none belongs.
import { type IncomingHttpHeaders, request } from 'node:http'
import { patiently } from './patience.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** The path goes out as it is; `fetch` would mend it first. */
export const askRaw = (origin: string, path: string, ask: Ask = {}): Promise<Answer> =>
  patiently(() => askOnce(origin, path, ask))

/** Whatever is said, 503 too. */
export function askOnce(origin: string, path: string, { method = 'GET', headers, body }: Ask = {}) {
  const { hostname, port } = new URL(origin)
  return new Promise<Answer>((resolve, reject) => {
    const asked = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(parts).toString('latin1')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text })
      })
    })
    asked.on('error', reject)
    asked.setTimeout(60_000, () => asked.destroy(new Error('no answer within 60 s')))
    asked.end(body)
  })
}

/** What tells one refusal from another; the time and the request's own id do. */
export function comparable({ status, headers, body }: Answer) {
  const { date: _date, 'x-ms-invocation-id': _id, connection: _connection, ...rest } = headers
  return { status, headers: rest, body }
}
