// One POST to an address that a tenant named: names are resolved here, and only what was checked is connected to.
import type { LookupAddress } from 'node:dns'
import { lookup as systemLookup } from 'node:dns/promises'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Clock } from '../core/clock.ts'
import type { Send, SendError, Sent } from './ports.ts'
import { literalOf, mayConnect } from './target.ts'

export interface SendDeps {
  readonly clock: Pick<Clock, 'now'>
  readonly allowLocal: boolean
  /** All addresses of a name. */
  readonly resolve?: (hostname: string) => Promise<LookupAddress[]>
  readonly connectMs?: number
  readonly totalMs?: number
}

/** Read so that the receiver can end in peace; what it says is nobody's business here. */
const answerMostBytes = 1024

class Refused extends Error {
  readonly word: SendError
  constructor(word: SendError) {
    super(word)
    this.word = word
  }
}

export function createSend(deps: SendDeps): Send {
  const { clock, allowLocal, connectMs = 5000, totalMs = 10_000 } = deps
  const resolve = deps.resolve ?? ((hostname) => systemLookup(hostname, { all: true }))

  /** Nothing but checked addresses; where one of them is not allowed none is: nobody publishes such a mixture by mistake. */
  async function addressesOf(url: URL): Promise<LookupAddress[]> {
    const literal = literalOf(url)
    const family = literal?.includes(':') ? 6 : 4
    const found = literal ? [{ address: literal, family }] : await resolve(url.hostname)
    if (found.length === 0) throw new Refused('name-not-found')
    if (!found.every(({ address }) => mayConnect(url, address, allowLocal)))
      throw new Refused('address-not-allowed')
    return found
  }

  return async (target, message) => {
    const startedMs = clock.now()
    const result = await post(target, message).catch((error: unknown) => ({ error: wordOf(error) }))
    return { ...result, durationMs: clock.now() - startedMs }
  }

  async function post(
    target: string,
    { headers, body }: Parameters<Send>[1],
  ): Promise<Omit<Sent, 'durationMs'>> {
    const url = new URL(target)
    const total = AbortSignal.timeout(totalMs)
    const untilConnected = AbortSignal.any([total, AbortSignal.timeout(connectMs)])
    const addresses = await unless(untilConnected, addressesOf(url))
    const request = url.protocol === 'https:' ? requestHttps : requestHttp
    return new Promise((resolve, reject) => {
      const sent = request(url, {
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        agent: false,
        lookup: answering(addresses),
        signal: total,
      })
      const giveUp = () => sent.destroy(untilConnected.reason as Error)
      untilConnected.addEventListener('abort', giveUp)
      const connected = () => untilConnected.removeEventListener('abort', giveUp)
      sent.on('socket', (socket) =>
        socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', connected),
      )
      sent.on('error', reject)
      sent.on('response', (answer) => {
        drain(answer)
        const seconds = Number(answer.headers['retry-after'])
        resolve({ status: answer.statusCode ?? 0, ...(seconds > 0 ? { retryAfterSeconds: seconds } : {}) })
      })
      sent.end(body)
    })
  }
}

/** In place of a second look at the name, which could find another address. */
const answering =
  (addresses: LookupAddress[]): LookupFunction =>
  (_hostname, options, callback) => {
    const [first] = addresses
    if (options.all) callback(null, addresses)
    else callback(null, first?.address ?? '', first?.family ?? 4)
  }

function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
  // Whichever comes second has nobody who listens.
  for (const one of [work, aborted]) one.catch(() => {})
  return Promise.race([work, aborted])
}

function drain(answer: IncomingMessage): void {
  let bytes = 0
  answer.on('data', (part: Uint8Array) => {
    bytes += part.length
    if (bytes > answerMostBytes) answer.destroy()
  })
  // The status is the answer; how its body ends changes nothing.
  answer.on('error', () => {})
}

const words: Readonly<Record<string, SendError>> = {
  ENOTFOUND: 'name-not-found',
  EAI_AGAIN: 'name-not-found',
  EAI_NODATA: 'name-not-found',
  ENODATA: 'name-not-found',
  ECONNREFUSED: 'connection-refused',
  ETIMEDOUT: 'timeout',
  ABORT_ERR: 'timeout',
}
const ofCertificates = /CERT|SSL|TLS|UNABLE_TO|SELF_SIGNED|EPROTO|HOSTNAME/

function wordOf(error: unknown): SendError {
  if (error instanceof Refused) return error.word
  const { name, code = '', errors } = error as { name?: string; code?: unknown; errors?: unknown[] }
  if (name === 'TimeoutError' || name === 'AbortError') return 'timeout'
  // Several addresses were tried, and none of them answered.
  if (errors?.length) return wordOf(errors.at(-1))
  const known = words[String(code)]
  return known ?? (ofCertificates.test(String(code)) ? 'certificate-refused' : 'connection-lost')
}
