// What tenants and admins say of tenants and keys, and what they are shown: a key's secret once, its hash never.
import { z } from 'zod'
import { Origin } from './model.ts'

const name = z.string().min(1).max(100)

export const Named = z.object({ name }).strict()
export const TenantChange = z
  .object({ name: name.optional(), allowedOrigins: z.array(Origin).max(50).optional() })
  .strict()

export const NewKey = z.object({ id: z.string(), apiKey: z.string() }).meta({ id: 'NewKey' })
export const KeyView = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.string(),
  retiredAt: z.string().optional(),
})
export const KeyList = z.object({ items: z.array(KeyView) })
export const TenantView = z
  .object({ id: z.string(), name: z.string(), allowedOrigins: z.array(z.string()), createdAt: z.string() })
  .meta({ id: 'Tenant' })
