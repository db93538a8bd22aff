// The management API over HTTP: which request does what, and what is refused by name.
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isLocalProgram } from '../local-program.ts'
import { message, type Reply, send } from './exchange.ts'
import { rpcBase, webhookBase } from './links.ts'
import { type Management, type ManagementRequest, unsupportedOperation } from './management.ts'

type Handler = (request: ManagementRequest) => Reply | Promise<Reply>

interface Route {
  readonly method: string
  /** Segments; `:x` takes any one. */
  readonly path: string
  readonly run: Handler
}

export interface WebhookOptions {
  readonly management: Management
  readonly hubName: string
  readonly key: string
  readonly origin: string
}

export function createWebhooks({ management, hubName, key, origin }: WebhookOptions) {
  const routes: Route[] = [
    { method: 'POST', path: 'orchestrators/:name', run: management.start },
    { method: 'POST', path: 'orchestrators/:name/:id', run: management.start },
    { method: 'GET', path: 'instances/:id', run: management.status },
    { method: 'POST', path: 'instances/:id/raiseevent/:event', run: management.raise },
    { method: 'POST', path: 'instances/:id/terminate', run: management.terminate },
    ...['suspend', 'resume', 'rewind', 'restart'].map((name) =>
      refused('POST', `instances/:id/${name}`, name),
    ),
    refused('GET', 'instances', 'Listing instances'),
    refused('DELETE', 'instances', 'Purging instances'),
    refused('DELETE', 'instances/:id', 'Purging an instance'),
    ...['entities', 'entities/:name', 'entities/:name/:key'].flatMap((path) =>
      ['GET', 'POST'].map((method) => refused(method, path, 'An entity operation')),
    ),
  ]

  return async function handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const url = URL.parse(request.url ?? '/', 'http://localhost')
    const base = url && [webhookBase, rpcBase].find((one) => isUnder(url.pathname, one))
    if (!url || !base) return false
    send(response, await answer(request, { url, base }))
    return true
  }

  async function answer(request: IncomingMessage, { url, base }: { url: URL; base: string }): Promise<Reply> {
    const query = url.searchParams
    if (!isLocalProgram(request)) {
      if (base === rpcBase) return message(403, 'This address is for programs on this machine only.')
      if (!hasKey(request, query, key)) return { status: 401, headers: { 'www-authenticate': 'Bearer' } }
    }
    if ((query.get('taskHub') ?? hubName).toLowerCase() !== hubName.toLowerCase()) return { status: 404 }
    const segments = decodeSegments(url.pathname.slice(base.length))
    if (!segments) return message(400, 'The path is not valid percent-encoding.')
    for (const { method, path, run } of routes) {
      const values = request.method === method ? match(path, segments) : undefined
      if (!values) continue
      const from = base === rpcBase ? origin : `http://${request.headers.host}`
      return run({ request, query, values, origin: from, self: `${from}${request.url}` })
    }
    return { status: 404 }
  }
}

/** The header wins over the query, as on the real host. */
function hasKey({ headers }: IncomingMessage, query: URLSearchParams, key: string): boolean {
  const header = headers['x-functions-key']
  const given = Buffer.from((typeof header === 'string' ? header : query.get('code')) ?? '')
  const wanted = Buffer.from(key)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

function refused(method: string, path: string, name: string): Route {
  return { method, path, run: () => unsupportedOperation(name) }
}

/** Paths are matched without case. */
function isUnder(pathname: string, base: string): boolean {
  const path = pathname.toLowerCase()
  return path === base || path.startsWith(`${base}/`)
}

function decodeSegments(path: string): string[] | undefined {
  try {
    return path.split('/').filter(Boolean).map(decodeURIComponent)
  } catch {
    return undefined
  }
}

function match(path: string, segments: readonly string[]): Record<string, string> | undefined {
  const pattern = path.split('/')
  if (pattern.length !== segments.length) return undefined
  const values: Record<string, string> = {}
  for (const [place, part] of pattern.entries()) {
    const segment = segments[place]!
    if (part.startsWith(':')) values[part.slice(1)] = segment
    else if (part !== segment.toLowerCase()) return undefined
  }
  return values
}
