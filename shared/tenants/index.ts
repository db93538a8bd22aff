// Tenants: made by admins, known by their API keys, which they list, add and retire themselves.
import type { z } from 'zod'
import { type Clock, isoTime } from '../core/clock.ts'
import { type KeyId, makeId, type TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { Random } from '../core/random.ts'
import { createRecent } from '../core/recent.ts'
import { findKey, makeApiKey, parseApiKey, storeKey, withoutOldestRetired } from './api-key.ts'
import type { Role, SigningKey, StoredKey, Tenant } from './model.ts'
import type { TenantStore } from './ports.ts'
import type { TenantChange, TenantOrder } from './schema.ts'
import { endedSigningKey, makeSigningKey, type NewSigningKey, withSigningKey } from './signing-keys.ts'

export interface Authenticated {
  readonly tenant: Tenant
  readonly key: StoredKey
}

export interface Tenants {
  /** The key is in this answer and nowhere else. */
  create(
    ask: { name: string; requestHash: string },
    random: Random,
  ): Promise<{ id: TenantId; apiKey: string }>
  /** As it was at most 2 s ago; as it is now, where that is not enough. */
  find(id: TenantId, isEnough?: (known: Tenant) => boolean): Promise<Tenant | undefined>
  /** The tenant, and which of its keys this is. */
  authenticate(apiKey: string): Promise<Authenticated | undefined>
  addKey(
    tenant: Tenant,
    ask: { name: string; role: Role },
    random: Random,
  ): Promise<{ id: KeyId; apiKey: string }>
  retireKey(tenant: Tenant, keyId: string): Promise<void>
  /** What is given takes the place of what was. */
  change(tenant: Tenant, next: z.output<typeof TenantChange>): Promise<Tenant>
  /** For admins: the oldest first, at most a thousand. */
  list(): Promise<Tenant[]>
  /** For admins, as it is now. Throws `not-found`. */
  read(id: string): Promise<Tenant>
  /** An admin's word on a tenant: its name, its limits, and whether anything of it opens at all. */
  order(id: string, next: z.output<typeof TenantOrder>): Promise<Tenant>
  addSigningKey(tenant: Tenant, ask: NewSigningKey, random: Random): Promise<SigningKey>
  /** Retired keys open nothing more; revoked ones also end what they opened. Throws `not-found`. */
  endSigningKey(tenant: Tenant, id: string, how: 'retired' | 'revoked'): Promise<void>
  allowedOrigins(id: TenantId): Promise<readonly string[]>
  /** Makes the tenant of a local platform, with a key that was made elsewhere; repeatable. */
  ensure(apiKey: string, name: string): Promise<void>
}

/** A retired key or a removed origin is obeyed everywhere within this time. */
const freshMs = 2000
const mostKeys = 20
const mostListed = 1000
const mostCached = 10_000

export interface TenantDeps {
  readonly store: TenantStore
  readonly clock: Clock
  /** How long a tenant that was known stays so while the store can not be reached. */
  readonly graceMs?: number
}

export function createTenants({ store, clock, graceMs = 0 }: TenantDeps): Tenants {
  const recent = createRecent<{ tenant: Tenant | undefined }>({
    clock,
    maxAgeMs: freshMs,
    maxWeight: mostCached,
    grace: { maxAgeMs: graceMs, clock },
  })
  const find: Tenants['find'] = async (id, isEnough) => {
    const { tenant } = await recent.get(id, async () => ({ tenant: await store.get(id) }))
    return tenant && isEnough && !isEnough(tenant) ? store.get(id) : tenant
  }

  async function update(id: TenantId, change: (current: Tenant) => Tenant | 'unchanged'): Promise<Tenant> {
    const tenant = await store.update(id, change)
    recent.drop(id)
    return tenant
  }

  const document = (id: TenantId, name: string, keys: StoredKey[]): Tenant => ({
    id,
    type: 'tenant',
    schema: 1,
    name,
    keys,
    allowedOrigins: [],
    signingKeys: [],
    limits: {},
    createdAt: isoTime(clock.now()),
  })

  return {
    find,

    async create({ name, requestHash }, random) {
      const id = makeId('ten', random)
      const key = makeApiKey(id, random)
      const stored = storeKey(key, { name: 'first', role: 'owner', createdAt: isoTime(clock.now()) })
      const created = await store.create({ ...document(id, name, [stored]), requestHash })
      // The same Idempotency-Key draws the same id and key: nothing to remember, the same answer.
      if (!created && (await store.get(id))?.requestHash !== requestHash)
        throw new Problem('idempotency-mismatch')
      return { id, apiKey: key.text }
    },

    async authenticate(text) {
      const key = parseApiKey(text)
      const tenant = key && (await find(key.tenantId))
      const stored = tenant && findKey(tenant, key)
      return stored && { tenant, key: stored }
    },

    async addKey(tenant, { name, role }, random) {
      const key = makeApiKey(tenant.id, random)
      const stored = storeKey(key, { name, role, createdAt: isoTime(clock.now()) })
      await update(tenant.id, (current) => {
        const same = current.keys.find((candidate) => candidate.id === stored.id)
        if (same) {
          if (same.name !== name || same.role !== role) throw new Problem('idempotency-mismatch')
          return 'unchanged'
        }
        if (current.keys.filter((candidate) => !candidate.retiredAt).length >= mostKeys)
          throw new Problem('conflict', {
            detail: `A tenant has at most ${mostKeys} keys; retire one first.`,
          })
        return { ...current, keys: [...current.keys, stored] }
      })
      return { id: key.keyId, apiKey: key.text }
    },

    async retireKey(tenant, keyId) {
      await update(tenant.id, (current) => {
        const key = current.keys.find((candidate) => candidate.id === keyId)
        if (!key) throw new Problem('not-found')
        if (key.retiredAt) return 'unchanged'
        const owners = current.keys.filter(({ role, retiredAt }) => role === 'owner' && !retiredAt)
        if (owners.length === 1 && owners[0] === key)
          throw new Problem('conflict', {
            detail: "This is the last key of an owner; add another owner's before you retire it.",
          })
        const retired = { ...key, retiredAt: isoTime(clock.now()) }
        const keys = current.keys.map((candidate) => (candidate === key ? retired : candidate))
        return { ...current, keys: withoutOldestRetired(keys) }
      })
    },

    change: (tenant, { name, allowedOrigins, policy }) =>
      update(tenant.id, ({ policy: before, ...current }) => {
        const next = policy === undefined ? before : policy
        return {
          ...current,
          name: name ?? current.name,
          allowedOrigins: allowedOrigins ?? current.allowedOrigins,
          ...(next ? { policy: next } : {}),
        }
      }),

    list: () => store.list(mostListed),

    async read(id) {
      const tenant = await store.get(id as TenantId)
      if (!tenant) throw new Problem('not-found')
      return tenant
    },

    order: (id, { name, limits, suspended }) =>
      update(id as TenantId, ({ suspendedAt, ...current }) => {
        const since = suspendedAt ?? isoTime(clock.now())
        return {
          ...current,
          name: name ?? current.name,
          limits: limits ?? current.limits,
          ...((suspended ?? suspendedAt !== undefined) ? { suspendedAt: since } : {}),
        }
      }),

    async addSigningKey(tenant, ask, random) {
      const key = makeSigningKey(ask, clock.now(), random)
      const { signingKeys } = await update(tenant.id, (current) => withSigningKey(current, key))
      return signingKeys.find(({ id }) => id === key.id) ?? key
    },

    async endSigningKey(tenant, id, how) {
      await update(tenant.id, (current) => endedSigningKey(current, { id, how, nowMs: clock.now() }))
    },

    allowedOrigins: async (id) => (await find(id))?.allowedOrigins ?? [],

    async ensure(text, name) {
      const key = parseApiKey(text)
      if (!key) throw new Error('LOCAL_TENANT_KEY is not an API key')
      const label = { name: 'local', role: 'owner', createdAt: isoTime(clock.now()) } as const
      await store.create(document(key.tenantId, name, [storeKey(key, label)]))
    },
  }
}
