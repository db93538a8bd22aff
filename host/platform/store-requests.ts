// How the platform speaks to its own stores: plain requests signed with the account's key, since their clients take long to load.
import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { startProblem } from './options.ts'

export interface StoreAnswer {
  readonly status: number
  readonly text: string
}

interface Signed {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly headers: Record<string, string>
  readonly body?: string | undefined
}

const TRIES = 10
const PAUSE_MS = 500

const hmac = (key: string, text: string): string =>
  createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64')

/** A store that ends at that moment is started again, at the same port. */
const send = async (url: string, { method, headers, body }: Signed): Promise<StoreAnswer> => {
  for (let tries = 1; ; tries++) {
    try {
      const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) })
      return { status: answer.status, text: await answer.text() }
    } catch (error) {
      if (tries === TRIES) throw error
      await sleep(PAUSE_MS)
    }
  }
}

const expectStatus = (answer: StoreAnswer, what: string, expected: readonly number[]): StoreAnswer => {
  if (expected.includes(answer.status)) return answer
  throw startProblem(`${what} was answered with ${answer.status}: ${answer.text}`)
}

/** Authorization of Cosmos by the master key: the type of what is asked for, and the path of what it belongs to. */
export const cosmosRequests = (account: { endpoint: string; key: string }) => {
  const ask = (method: 'GET' | 'POST', path: string, body?: object): Promise<StoreAnswer> => {
    const names = path.split('/')
    const isFeed = names.length % 2 === 1
    const [type, id] = isFeed ? [names.at(-1), names.slice(0, -1).join('/')] : [names.at(-2), path]
    const date = new Date().toUTCString()
    const text = `${method.toLowerCase()}\n${type}\n${id}\n${date.toLowerCase()}\n\n`
    const headers = {
      authorization: encodeURIComponent(`type=master&ver=1.0&sig=${hmac(account.key, text)}`),
      'x-ms-date': date,
      'x-ms-version': '2018-12-31',
    }
    return send(`${account.endpoint}${path}`, { method, headers, body: body && JSON.stringify(body) })
  }
  return {
    /** As it is there now, made now or before. */
    async make(
      feed: string,
      body: { id: string; [name: string]: unknown },
    ): Promise<Record<string, unknown>> {
      const what = `${feed}/${body.id} in Cosmos`
      const made = expectStatus(await ask('POST', feed, body), what, [201, 409])
      const { text } =
        made.status === 201 ? made : expectStatus(await ask('GET', `${feed}/${body.id}`), what, [200])
      return JSON.parse(text) as Record<string, unknown>
    },
  }
}

/** Authorization of Blob by a Shared Key, for requests that have no header but those below. */
export const blobRequests = (account: { url: string; name: string; key: string }) => ({
  async put(path: string, query: Record<string, string>, more: { body?: string; expected: number[] }) {
    const { body, expected } = more
    const url = new URL(`${account.url}/${path}`)
    url.search = new URLSearchParams(query).toString()
    const [date, type] = [new Date().toUTCString(), body === undefined ? '' : 'application/xml']
    const length = body === undefined ? '' : String(Buffer.byteLength(body))
    const asked = Object.entries(query).toSorted(([a], [b]) => (a < b ? -1 : 1))
    const resource = [`/${account.name}${url.pathname}`, ...asked.map((pair) => pair.join(':'))].join('\n')
    // Encoding, language, length, digest, type; then date, conditions and range, of which there are none.
    const text = ['PUT', '', '', length, '', type, ...Array(6).fill('')]
    const signed = [...text, `x-ms-date:${date}`, 'x-ms-version:2025-11-05', resource].join('\n')
    const headers = {
      authorization: `SharedKey ${account.name}:${hmac(account.key, signed)}`,
      'x-ms-date': date,
      'x-ms-version': '2025-11-05',
      ...(type ? { 'content-type': type } : {}),
    }
    expectStatus(
      await send(url.href, { method: 'PUT', headers, body }),
      `${path || 'CORS'} in Blob`,
      expected,
    )
  },
})
