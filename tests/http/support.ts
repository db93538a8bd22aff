// A request as the routes see one, made by hand, and the least that `handle` needs.
import { systemClock } from '../../shared/core/clock.ts'
import { silentLog } from '../../shared/core/log.ts'
import { systemRandom } from '../../shared/core/random.ts'
import type { HandleDeps } from '../../shared/http/handle.ts'
import { handle } from '../../shared/http/handle.ts'
import type { HttpAsk, HttpReply, Route } from '../../shared/http/route.ts'
import { createThrottle } from '../../shared/http/throttle.ts'
import type { Tenant } from '../../shared/tenants/model.ts'

export const adminKey = 'an-admin-key-for-these-tests'

interface Sent {
  method?: string
  path?: string
  headers?: Record<string, string>
  body?: unknown
  params?: Record<string, string>
}

const ask = ({ method = 'POST', path = '/', headers = {}, body, params = {} }: Sent): HttpAsk => ({
  id: 'request-1',
  method,
  url: new URL(path, 'http://host.test'),
  params,
  header: (name) => headers[name.toLowerCase()] ?? null,
  bytes: async () =>
    Buffer.from(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)),
})

export function deps<App>(app: App, tenant?: Tenant): HandleDeps<App> {
  return {
    app,
    log: silentLog,
    random: systemRandom,
    publicUrl: undefined,
    orchestrations: { startOnce: async () => {} },
    authenticate: async (key) => (tenant && key === `${tenant.id}.right` ? tenant : undefined),
    adminKey: async () => adminKey,
    throttle: createThrottle(1000, systemClock),
    idempotencySecret: async () => new Uint8Array(32).fill(7),
  }
}

export async function send<App>(route: Route<App>, from: HandleDeps<App>, sent: Sent) {
  const reply = await handle(route, from, ask(sent))
  return { ...reply, json: body(reply) }
}

const body = (reply: HttpReply): Record<string, unknown> =>
  typeof reply.body === 'string' ? (JSON.parse(reply.body) as Record<string, unknown>) : {}
