// What tenants and admins say of tenants and keys, and what they are shown: a key's secret once, its hash never.
import { z } from 'zod'
import { Limits, Origin, Role, SigningKey } from './model.ts'
import { Policy } from './policy.ts'

const name = z.string().min(1).max(100)

export const Named = z.object({ name }).strict()
export const KeyRequest = z.object({ name, role: Role.default('owner') }).strict()
/** What is given takes the place of what was; what is not given stays. */
export const TenantChange = z
  .object({
    name: name.optional(),
    allowedOrigins: z.array(Origin).max(50).optional(),
    /** `null` removes it. */
    policy: Policy.nullable().optional(),
  })
  .strict()
export const TenantOrder = z
  .object({ name: name.optional(), limits: Limits.optional(), suspended: z.boolean().optional() })
  .strict()

export const NewKey = z.object({ id: z.string(), apiKey: z.string() }).meta({ id: 'NewKey' })
export const KeyView = z.object({
  id: z.string(),
  name: z.string(),
  role: Role,
  createdAt: z.string(),
  retiredAt: z.string().optional(),
})
export const KeyList = z.object({ items: z.array(KeyView) })

/** PEM, or a JSON Web Key; whether it can sign grants is decided where it is read. */
export const SigningKeyRequest = z
  .object({
    name,
    publicKey: z.union([z.string().min(1).max(16_384), z.record(z.string(), z.unknown())]),
  })
  .strict()
  .meta({ id: 'SigningKeyRequest' })
export const SigningKeyView = SigningKey.extend({ id: z.string() }).meta({ id: 'SigningKey' })
export const SigningKeyList = z.object({ items: z.array(SigningKeyView) })

export const TenantView = z
  .object({
    id: z.string(),
    name: z.string(),
    allowedOrigins: z.array(z.string()),
    policy: Policy.optional(),
    limits: Limits,
    createdAt: z.string(),
  })
  .meta({ id: 'Tenant' })

export const UsageView = z
  .object({
    titles: z.number().int(),
    /** Of sources, as they were announced. */
    bytes: z.number().int(),
    /** In this calendar month (UTC). */
    encodedMinutes: z.number(),
    /** Opened today (UTC). */
    sessions: z.number().int(),
    limits: Limits,
  })
  .meta({ id: 'Usage' })

/** A tenant as admins see it: not its keys, not its sites, not its policy. */
export const ManagedTenant = z
  .object({
    id: z.string(),
    name: z.string(),
    limits: Limits,
    suspendedAt: z.string().optional(),
    createdAt: z.string(),
  })
  .meta({ id: 'ManagedTenant' })
export const ManagedTenantList = z.object({ items: z.array(ManagedTenant) })
export const ManagedTenantUsage = ManagedTenant.extend({ usage: UsageView }).meta({
  id: 'ManagedTenantUsage',
})

const AuditView = z
  .object({
    id: z.string(),
    at: z.string(),
    who: z.union([
      z.object({ kind: z.literal('key'), keyId: z.string(), role: Role }),
      z.object({ kind: z.literal('admin') }),
    ]),
    action: z.string(),
    params: z.record(z.string(), z.string()),
    changes: z.record(z.string(), z.unknown()),
    requestId: z.string(),
    outcome: z
      .object({ status: z.number().int(), code: z.string().optional(), made: z.string().optional() })
      .optional(),
  })
  .meta({ id: 'AuditEntry' })
export const AuditList = z.object({ items: z.array(AuditView), cursor: z.string().optional() })
