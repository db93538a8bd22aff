// Serves the Cosmos protocol from one SQLite file: each answer leaves only after its transaction is on disk.
import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { jsonBody } from '../json-body.ts'
import { type Answer, isRefusal } from '../refusal.ts'
import { badRequest, tooLarge } from './answer.ts'
import { openContainers } from './containers.ts'
import { openItems } from './items.ts'
import { route, type Stores } from './routes.ts'
import { authenticate, type CosmosAuth } from './signature.ts'

export interface CosmosOptions {
  directory: string
  port: number
  auth: CosmosAuth
  /** Plain http on loopback without it. */
  tls?: { cert: string; key: string }
  now?: () => number
  log?: (message: string) => void
}

export interface CosmosServer {
  readonly port: number
  readonly endpoint: string
  close(): Promise<void>
}

const SWEEP_MS = 5_000
const KEEP_ALIVE_MS = 75_000

const bodyOptions = {
  limitBytes: 4 * 1024 * 1024,
  tooLarge: () => tooLarge('A request is at most 4 MB.'),
  notJson: () => badRequest('The body is not JSON.'),
}

const segmentsOf = (url: string): string[] => {
  try {
    const { pathname } = new URL(url.replace(/^\/+/, '/'), 'http://localhost')
    return pathname.split('/').filter(Boolean).map(decodeURIComponent)
  } catch {
    throw badRequest('The address is not one.')
  }
}

/** The date is that of the clock which expiry goes by: clients may set theirs by it. */
const send = (response: ServerResponse, { status, body, headers }: Answer, nowMs: number): void => {
  const text = body === undefined ? '' : JSON.stringify(body)
  response.writeHead(status, {
    date: new Date(nowMs).toUTCString(),
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-ms-activity-id': randomUUID(),
    'x-ms-request-charge': '1',
    ...headers,
  })
  response.end(text)
}

export const startCosmos = async (options: CosmosOptions): Promise<CosmosServer> => {
  const { auth, tls, now = Date.now, log = () => {} } = options
  mkdirSync(options.directory, { recursive: true, mode: 0o700 })
  const store = new DatabaseSync(join(options.directory, 'cosmos.db'))
  // WAL without a sync on each commit outlives the death of every process, though not a power cut.
  store.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  const stores: Stores = {
    containers: openContainers(store, now),
    items: openItems(store, now),
    endpoint: '',
  }

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    try {
      const { method = '', headers } = request
      const segments = segmentsOf(request.url ?? '/')
      const body = await jsonBody(request, bodyOptions)
      authenticate(auth, { method, segments, headers, now: now() })
      return route(stores, { method, segments, headers, body })
    } catch (error) {
      if (isRefusal(error)) return error.answer
      log(`cosmos: ${error instanceof Error ? error.stack : error}`)
      return {
        status: 500,
        body: { code: 'InternalServerError', message: 'The local Cosmos server failed.' },
      }
    }
  }
  const listener: RequestListener = (request, response) => {
    void answer(request).then((ready) => send(response, ready, now()))
  }

  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  server.keepAliveTimeout = KEEP_ALIVE_MS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  stores.endpoint = `${tls ? 'https' : 'http'}://127.0.0.1:${port}/`
  const sweep = setInterval(() => stores.items.removeExpired(), SWEEP_MS).unref()

  return {
    port,
    endpoint: stores.endpoint,
    async close() {
      clearInterval(sweep)
      server.closeIdleConnections()
      const closed = new Promise((resolve) => server.close(resolve))
      setTimeout(() => server.closeAllConnections(), 1_000).unref()
      await closed
      store.close()
    },
  }
}
