// The host's one listener: which of host pages, durable engine and functions a request is for, and how it all ends.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Durable } from '../contract.ts'
import { type AdminOptions, answerAdmin } from './admin.ts'
import { answerBuffered } from './buffered.ts'
import { answerEmpty, type HttpContext, hasGoodHost } from './exchange.ts'
import { readRequestPath } from './request-path.ts'
import { messageOf, startupError } from './startup-error.ts'
import { answerStreaming } from './streaming.ts'
import type { Throttle } from './throttle.ts'

/** All that is known only once the app has been loaded. */
export interface Site extends HttpContext {
  readonly admin: AdminOptions
  readonly durable: Durable | undefined
  readonly throttle: Throttle
}

export interface HttpServer {
  readonly port: number
  /** From here on requests are answered; until then they wait. */
  open(site: Site): void
  /** Refuses new connections, and resolves when the last request in flight has been answered. */
  drain(graceMs: number): Promise<void>
  /** Answers what is in flight with 500, as the real host does when its worker is gone. */
  abandon(): Promise<void>
}

export const limits = {
  // Longer than the 60 s of the usual balancers, so that they never reuse a connection that is being closed.
  keepAliveTimeout: 120_000,
  // Headers stand for half a minute at most, of which the last look may take its part.
  headersTimeout: 28_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 32_768,
}

export async function listen(port: number, hostname: string, within = limits): Promise<HttpServer> {
  const inFlight = new Set<ServerResponse>()
  let open!: (site: Site) => void
  const site = new Promise<Site>((resolve) => {
    open = resolve
  })
  let draining = false
  const server = createServer(within)
  server.on('request', (request, response) => {
    inFlight.add(response)
    if (draining) response.setHeader('connection', 'close')
    response.once('close', () => inFlight.delete(response))
    site.then((ready) => answer(request, response, ready)).catch(() => answerEmpty(response, 500))
  })
  await bind(server, port, hostname)
  return {
    port: (server.address() as AddressInfo).port,
    open,
    async drain(graceMs) {
      draining = true
      const closed = new Promise((resolve) => server.close(resolve))
      for (const response of inFlight) if (!response.headersSent) response.setHeader('connection', 'close')
      const late = setTimeout(() => server.closeAllConnections(), graceMs)
      while (inFlight.size > 0) await new Promise((resolve) => setTimeout(resolve, 10))
      server.closeAllConnections()
      await closed
      clearTimeout(late)
    },
    async abandon() {
      server.close()
      for (const response of inFlight) {
        if (response.headersSent) response.destroy()
        else answerEmpty(response, 500)
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
      server.closeAllConnections()
    },
  }
}

async function bind(server: Server, port: number, hostname: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE'
          ? `Port ${port} is in use: choose another with --port or the PORT setting, or stop what listens there.`
          : `Cannot listen on ${hostname}:${port}: ${messageOf(error)}`
      reject(startupError(reason, error))
    })
    server.listen(port, hostname, resolve)
  })
}

async function answer(request: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  for (const [name, value] of Object.entries(site.customHeaders)) response.setHeader(name, value)
  const path = readRequestPath(request.url ?? '/')
  if (!path || !hasGoodHost(request)) return answerEmpty(response, 400)
  const lower = path.path.toLowerCase()
  if (lower === '/' && request.method === 'GET') return answerHome(response)
  if (lower.startsWith('/admin/')) return answerAdmin(request, response, path.path, site.admin)
  if (lower.startsWith('/runtime/') || lower.startsWith('/durabletask/')) {
    // Who may use these is the engine's decision.
    if (!(await site.durable?.handle(request, response))) answerEmpty(response, 404)
    return
  }
  const match = site.admin.router.find((request.method ?? 'GET').toUpperCase(), path.path.slice(1))
  if (!match || site.admin.isDisabled(match.route.target)) return answerEmpty(response, 404)
  const exchange = { request, response, target: match.route.target, params: match.params, path }
  const { inlet } = site
  const accepted = await site.throttle.run(() =>
    inlet ? answerStreaming(exchange, site, inlet) : answerBuffered(exchange, site),
  )
  if (accepted) return
  for (const name of Object.keys(site.customHeaders)) response.removeHeader(name)
  response.setHeader('x-function-scaleout', '1')
  answerEmpty(response, 429)
}

function answerHome(response: ServerResponse): void {
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.end(
    '<!doctype html><title>movidone</title><p>The function app on this machine is up and running.\n',
  )
}
