// What tenants and admins say of tenants and keys, and what they are shown: a key's secret once, its hash never.
import { z } from 'zod'
import { Origin, Role, SigningKey } from './model.ts'

const name = z.string().min(1).max(100)

export const Named = z.object({ name }).strict()
export const KeyRequest = z.object({ name, role: Role.default('owner') }).strict()
export const TenantChange = z
  .object({ name: name.optional(), allowedOrigins: z.array(Origin).max(50).optional() })
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
  .object({ id: z.string(), name: z.string(), allowedOrigins: z.array(z.string()), createdAt: z.string() })
  .meta({ id: 'Tenant' })
