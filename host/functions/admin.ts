// The host's own pages: liveness, status, the functions, and firing one by hand; for callers on this machine only.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isLocalProgram } from '../local-program.ts'
import type { RunnableFunction } from './bindings.ts'
import { answerEmpty } from './exchange.ts'
import type { Router } from './routes.ts'

export interface AdminOptions {
  readonly functions: readonly RunnableFunction[]
  readonly router: Router
  readonly origin: string
  readonly isDisabled: (target: RunnableFunction) => boolean
  /** Starts the function and does not wait for it. */
  readonly fire: (target: RunnableFunction, input: string | undefined) => void
}

export async function answerAdmin(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  options: AdminOptions,
): Promise<void> {
  if (!isLocalProgram(request)) return answerEmpty(response, 403)
  const [area, name] = path
    .replace(/^\/admin\//i, '')
    .replace(/\/$/, '')
    .split(/\/(.*)/s)
  const where = `${request.method} ${area?.toLowerCase()}`
  if (where === 'GET host' && name === 'ping') {
    response.setHeader('cache-control', 'no-store,no-cache')
    response.setHeader('pragma', 'no-cache')
    return answerEmpty(response, 200)
  }
  if (where === 'GET host' && name === 'status') return answerJson(response, status())
  if (where === 'GET functions' && name === undefined) {
    return answerJson(
      response,
      options.functions.map((target) => describe(target, options)),
    )
  }
  const target = options.functions.find((one) => one.name.toLowerCase() === name?.toLowerCase())
  if (!target) return answerEmpty(response, 404)
  if (where === 'GET functions') return answerJson(response, describe(target, options))
  if (where === 'POST functions') return fire(request, response, target, options)
  answerEmpty(response, 404)
}

const status = (): object => ({
  id: 'movidone-local',
  state: 'Running',
  version: '4.1037.0.0',
  versionDetails: 'movidone local host',
  platformVersion: '',
  instanceId: '',
  computerName: '',
  processUptime: Math.round(process.uptime() * 1000),
  functionAppContentEditingState: 'Unknown',
})

function describe(target: RunnableFunction, { router, origin, isDisabled }: AdminOptions): object {
  const { name, registered } = target
  const route = router.routes.find((one) => one.target === target)
  const bindings = Object.entries(registered.metadata.bindings)
  return {
    name,
    script_root_path_href: null,
    config_href: null,
    href: `${origin}/admin/functions/${name}`,
    invoke_url_template: route ? `${origin}/${route.template}` : null,
    language: 'node',
    config: {
      name,
      language: 'node',
      bindings: bindings.map(([key, binding]) => ({ ...binding, name: key })),
    },
    files: null,
    test_data: '',
    isDisabled: isDisabled(target),
    isDirect: false,
    isProxy: false,
  }
}

async function fire(
  request: IncomingMessage,
  response: ServerResponse,
  target: RunnableFunction,
  options: AdminOptions,
): Promise<void> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) return answerEmpty(response, 415)
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  let input: unknown
  try {
    input = (JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}') as { input?: unknown }).input
  } catch {
    return answerEmpty(response, 400)
  }
  options.fire(target, typeof input === 'string' ? input : undefined)
  answerEmpty(response, 202)
}

function answerJson(response: ServerResponse, body: object): void {
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.end(JSON.stringify(body))
}
