// From request to answer: who asks, whether they may, what they say; then the route's call, and every failure in one form.
import type { z } from 'zod'
import { sha256Hex } from '../core/hash.ts'
import type { Log } from '../core/log.ts'
import { Problem, problemBody } from '../core/problem.ts'
import { type Random, seededRandom } from '../core/random.ts'
import { type IdentifyDeps, identify } from './identify.ts'
import { type RecordDeps, recorded } from './recorded.ts'
import {
  type Call,
  type HttpAsk,
  type HttpReply,
  isAsIs,
  type Orchestrations,
  type Route,
  replyStatus,
} from './route.ts'

export interface HandleDeps<App> extends IdentifyDeps, RecordDeps {
  readonly app: App
  readonly random: Random
  readonly publicUrl: string | undefined
  readonly orchestrations: Orchestrations
  idempotencySecret(): Promise<Uint8Array>
}

const bodyLimitBytes = 64 * 1024
const jsonHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
/** Never throws: whatever happens becomes an answer with a length. */
export async function handle<App>(
  route: Route<App>,
  deps: HandleDeps<App>,
  ask: HttpAsk,
): Promise<HttpReply> {
  try {
    const result = await recorded(route, deps, await readCall(route, deps, ask))
    if (isAsIs(result)) return result
    const status = replyStatus(route, result)
    return result === undefined ? { status, headers: jsonHeaders } : json(status, result)
  } catch (error) {
    return refusal(route, deps.log, ask.id, error)
  }
}

async function readCall<App>(
  route: Route<App>,
  deps: HandleDeps<App>,
  ask: HttpAsk,
): Promise<Call<App, unknown, unknown>> {
  const { tenant, caller } = await identify(route, deps, ask)
  const bytes = route.body ? await ask.bytes(bodyLimitBytes) : new Uint8Array()
  const body = route.body ? parse(route.body, parseJson(bytes), '') : undefined
  const query = route.query
    ? parse(route.query, Object.fromEntries(ask.url.searchParams), '/query')
    : undefined
  const key = ask.method === 'POST' ? ask.header('idempotency-key') : null
  if (key !== null && !/^[\x21-\x7e]{8,255}$/.test(key))
    throw new Problem('invalid-request', { detail: 'Idempotency-Key must be 8 to 255 visible characters.' })
  const scope = `${tenant.id}\0${route.name}\0${key}`
  const random = key === null ? deps.random : seededRandom(await deps.idempotencySecret(), scope)
  return {
    app: deps.app,
    ask,
    params: ask.params,
    body,
    query,
    origin: deps.publicUrl ?? ask.url.origin,
    tenant,
    caller,
    random,
    // Made when it is read: a segment's request has no use for it.
    get requestHash() {
      return sha256Hex(Buffer.concat([Buffer.from(`${route.name}\0${ask.url.pathname}\0`), bytes]))
    },
    orchestrations: deps.orchestrations,
  }
}

/** RFC 8259 8.1. A decoder that forgives would take `J\xf6rg` and `J\xfcrg` in Latin-1 for the same text. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return {}
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    throw new Problem('invalid-request', { detail: 'The body is not JSON in UTF-8.' })
  }
}

function parse<S extends z.ZodType>(schema: S, value: unknown, at: string): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const errors = parsed.error.issues.map((issue) => ({
    pointer: `${at}/${issue.path.map(String).join('/')}`,
    message: issue.message,
  }))
  throw new Problem('invalid-request', { errors })
}

const json = (status: number, value: unknown, type = 'application/json'): HttpReply => ({
  status,
  headers: { ...jsonHeaders, 'content-type': type },
  body: JSON.stringify(value),
})

/** RFC 9457. An unexpected error shows nothing of itself but the request's id, which the log holds too. */
function refusal<App>(route: Route<App>, log: Log, id: string, error: unknown): HttpReply {
  const problem = error instanceof Problem ? error : new Problem('internal', { cause: error })
  if (problem.status >= 500) {
    const cause = problem.options.cause
    log('error', 'http.failed', {
      route: route.name,
      request: id,
      code: problem.code,
      cause: cause instanceof Error ? `${cause.name}: ${cause.message}`.slice(0, 500) : undefined,
    })
  }
  const reply = json(problem.status, problemBody(problem, id), 'application/problem+json')
  const wait = problem.options.retryAfterSeconds ?? (problem.status === 503 ? 5 : undefined)
  const challenge = problem.status === 401 ? { 'www-authenticate': 'Bearer' } : {}
  return {
    ...reply,
    headers: {
      ...reply.headers,
      ...route.problemHeaders,
      ...challenge,
      ...(wait ? { 'retry-after': String(wait) } : {}),
    },
  }
}
