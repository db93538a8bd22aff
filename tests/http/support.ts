// A request as the routes see one, made by hand, and the least that `handle` needs.
import { systemClock } from '../../shared/core/clock.ts'
import type { KeyId } from '../../shared/core/ids.ts'
import { silentLog } from '../../shared/core/log.ts'
import { systemRandom } from '../../shared/core/random.ts'
import type { HandleDeps } from '../../shared/http/handle.ts'
import { handle } from '../../shared/http/handle.ts'
import type { HttpAsk, HttpReply, Route } from '../../shared/http/route.ts'
import { createThrottle } from '../../shared/http/throttle.ts'
import { Role, type Tenant } from '../../shared/tenants/model.ts'

export const adminKey = 'an-admin-key-for-these-tests'
export const nodeId = 'node_00000000000000000000'
export const nodeCredential = `${nodeId}.${'s'.repeat(43)}`
export const keyId: KeyId = 'key_00000000000000000000'

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
  bytes: async () => {
    if (body instanceof Uint8Array) return body
    return Buffer.from(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body))
  },
})

/** A key of this tenant is `{tenantId}.{role}` here. */
export function deps<App>(app: App, tenant?: Tenant): HandleDeps<App> {
  return {
    app,
    log: silentLog,
    random: systemRandom,
    publicUrl: undefined,
    orchestrations: { startOnce: async () => {}, raise: async () => {} },
    authenticate: async (text) => {
      const role = Role.safeParse(text.split('.')[1]).data
      return tenant && role && text === `${tenant.id}.${role}`
        ? { tenant, key: { id: keyId, name: role, role, sha256: '', createdAt: '' } }
        : undefined
    },
    adminKey: async () => adminKey,
    authenticateNode: async (text) => (text === nodeCredential ? nodeId : undefined),
    audit: async () => async () => {},
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
