// The role `edge`: serves what is below `play/` as the Functions app does, and says whether viewers should come here.
import type { IncomingMessage } from 'node:http'
import { networkInterfaces, totalmem } from 'node:os'
import type { App } from '../shared/app.ts'
import type { Clock } from '../shared/core/clock.ts'
import { Problem, type ProblemCode, problemBody } from '../shared/core/problem.ts'
import { handle } from '../shared/http/handle.ts'
import { play } from '../shared/http/play.ts'
import { type WholeReply, whole } from '../shared/http/whole.ts'
import { listen } from './listener.ts'
import type { Role } from './role.ts'
import { headersOf, mayBeForged, originOf, readTarget } from './target.ts'

export interface EdgeOptions {
  readonly app: Pick<App, 'deliver' | 'clientOf' | 'http' | 'meter'>
  readonly clock: Clock
  readonly version: string
  readonly host: string
  readonly port: number
  readonly url: string | undefined
  readonly quietMs: number
  /** Whether new viewers should come. */
  readonly isReady: () => boolean
  /** Whether its document bids it serve, as far as it was heard. */
  readonly isServing: () => boolean
}

const pollMs = 50
const mostBytes = totalmem() / 4
/** Slower than the smallest rendition plays: whoever reads like this plays nothing. */
const slowest = { graceMs: 30_000, bytesPerSecond: 16_384 }

export async function createEdge(options: EdgeOptions): Promise<Role & { readonly port: number }> {
  const { app, clock, version, host, quietMs } = options
  const deps = { ...app.http, app, publicUrl: options.url, orchestrations: none }
  let isDraining = false
  let servedAtMs = clock.now()

  async function answer(request: IncomingMessage): Promise<WholeReply> {
    const { method = 'GET', url = '/' } = request
    const target = readTarget(url)
    const origin = originOf(request)
    if (!target || origin === undefined)
      return refuse('invalid-request', 'The request line or Host is not HTTP.')
    if (target.kind === 'health' && (method === 'GET' || method === 'HEAD'))
      return options.isReady() ? healthy(version) : refuse('unavailable', 'This edge takes no viewers now.')
    if (target.kind !== 'play' || !isMethod(method))
      return refuse('not-found', 'Here is only what is played.')
    // An edge that cannot reach the platform goes on serving whom it knows, as long as deliver lets it; new viewers had better go elsewhere.
    if (!options.isServing())
      return refuse('unavailable', 'This edge serves nobody now.', play.problemHeaders)
    const { token, path } = target
    const ask = {
      id: Buffer.from(app.http.random.bytes(16)).toString('hex'),
      method,
      url: new URL(origin),
      params: { token, path },
      header: mayBeForged(request) ? () => null : headersOf(request),
      bytes: async () => new Uint8Array(),
    }
    const reply = await handle(play, deps, ask)
    // Refused requests keep no machine awake.
    if (reply.status < 400) servedAtMs = clock.now()
    return whole(reply)
  }

  const listener = await listen({
    ...{ host, port: options.port, answer, mostBytes, slowest },
    isEnding: () => !options.isReady(),
    full: () => refuse('unavailable', 'This edge has too much on its way to others.', play.problemHeaders),
  })
  const hasAudience = () => listener.inFlight() > 0 || clock.now() - servedAtMs < quietMs

  return {
    port: listener.port,
    address: `${reachable(host)}:${listener.port}`,
    obey(wish) {
      isDraining = wish === 'drain'
      // The load balancer has to hear of it first.
      if (isDraining) servedAtMs = clock.now()
    },
    holds: () => (isDraining && hasAudience() ? ['audience'] : []),
    load: app.meter.read,
    async idle() {
      while (isDraining && hasAudience()) await clock.wait(pollMs)
    },
    close: listener.close,
  }
}

const isMethod = (method: string): boolean => play.methods.some((one) => one === method)

const none = {
  startOnce: () => Promise.reject(new Error('an edge starts nothing')),
  raise: () => Promise.reject(new Error('an edge starts nothing')),
}

const healthy = (version: string): WholeReply =>
  whole({
    status: 200,
    headers: { 'content-type': 'application/json', ...always },
    body: JSON.stringify({ status: 'ok', version }),
  })

const always = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

function refuse(code: ProblemCode, detail: string, more: Readonly<Record<string, string>> = {}): WholeReply {
  const problem = new Problem(code, { detail })
  const wait = problem.status === 503 ? { 'retry-after': '5' } : {}
  return whole({
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', ...always, ...more, ...wait },
    body: JSON.stringify(problemBody(problem)),
  })
}

/** Where others reach it: `0.0.0.0` and `::` mean every address of this machine, and are none to connect to. */
function reachable(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host.includes(':') ? `[${host}]` : host
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}
