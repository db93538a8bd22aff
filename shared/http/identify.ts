// Who asks, and whether they may call this route: deny by default, whatever a route forgets to say.
import { constantTimeEqual } from '../core/hash.ts'
import { Problem } from '../core/problem.ts'
import type { StoredKey, Tenant } from '../tenants/model.ts'
import type { Caller, HttpAsk, Route } from './route.ts'

export interface IdentifyDeps {
  authenticate(apiKey: string): Promise<{ readonly tenant: Tenant; readonly key: StoredKey } | undefined>
  adminKey(): Promise<string>
  /** The id of the node of the fleet whose credential this is. */
  authenticateNode(credential: string): Promise<string | undefined>
  /** Seconds to wait, or 0 when the tenant may go on. */
  throttle(tenantId: string): number
}

export interface Identity {
  readonly tenant: Tenant
  readonly caller: Caller
}

type Guarded = Pick<Route<never>, 'auth' | 'roles'>

const nobody: Tenant = {
  id: 'ten_',
  type: 'tenant',
  schema: 1,
  name: '',
  keys: [],
  allowedOrigins: [],
  signingKeys: [],
  limits: {},
  createdAt: '',
}

export async function identify(route: Guarded, deps: IdentifyDeps, ask: HttpAsk): Promise<Identity> {
  if (route.auth === 'none') return { tenant: nobody, caller: { kind: 'nobody' } }
  if (route.auth === 'admin') {
    const given = ask.header('x-movidone-admin') ?? ''
    if (constantTimeEqual(given, await deps.adminKey())) return { tenant: nobody, caller: { kind: 'admin' } }
    throw new Problem('unauthenticated', { detail: 'Send the admin key as `x-movidone-admin`.' })
  }
  const bearer = bearerOf(ask)
  if (route.auth === 'node') {
    const nodeId = await deps.authenticateNode(bearer)
    if (nodeId) return { tenant: nobody, caller: { kind: 'node', nodeId } }
    throw new Problem('unauthenticated', {
      detail: 'Send the credential of a node of the fleet as `Authorization: Bearer <node>.<secret>`.',
    })
  }
  const found = await deps.authenticate(bearer)
  if (!found) throw new Problem('unauthenticated')
  const { tenant, key } = found
  const waitSeconds = deps.throttle(tenant.id)
  if (waitSeconds > 0) throw new Problem('too-many-requests', { retryAfterSeconds: waitSeconds })
  if (tenant.suspendedAt)
    throw new Problem('forbidden', {
      detail: 'This tenant is suspended. Ask the operator of this platform to take that back.',
    })
  if (key.role !== 'owner' && !route.roles?.includes(key.role))
    throw new Problem('forbidden', {
      detail: `The role of this key is \`${key.role}\`. Use a key whose role is ${rolesOf(route).join(' or ')}.`,
    })
  return { tenant, caller: { kind: 'key', keyId: key.id, role: key.role } }
}

const bearerOf = (ask: HttpAsk): string =>
  /^Bearer ([\w.-]+)$/i.exec(ask.header('authorization') ?? '')?.[1] ?? ''

/** An owner may do everything that a tenant may; the route says who else may. */
export const rolesOf = ({ roles }: Pick<Guarded, 'roles'>): string[] => [
  ...new Set(['owner', ...(roles ?? [])]),
]
