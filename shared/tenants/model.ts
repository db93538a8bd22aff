// What a tenant is: its document, with its API keys hashed, and the sites its players live on.
import { z } from 'zod'
import { idPattern, type KeyId, type TenantId } from '../core/ids.ts'

const tenantId = z.custom<TenantId>((v) => typeof v === 'string' && idPattern('ten').test(v))
const keyId = z.custom<KeyId>((v) => typeof v === 'string' && idPattern('key').test(v))

export const StoredKey = z.object({
  id: keyId,
  name: z.string(),
  /** SHA-256 of the whole key, hex. Its secret has 256 random bits, so nothing slower is needed. */
  sha256: z.string(),
  createdAt: z.string(),
  retiredAt: z.string().optional(),
})
export type StoredKey = z.infer<typeof StoredKey>

/** An origin as browsers send it (RFC 6454 section 7): scheme, host and port, no path. */
export const Origin = z
  .string()
  .max(253)
  .regex(/^https?:\/\/[a-z0-9.-]+(:\d{1,5})?$/, 'must be an origin such as https://www.example.com')

/** The document in the container `tenants`. */
export const TenantDocument = z.object({
  id: tenantId,
  type: z.literal('tenant'),
  schema: z.literal(1),
  name: z.string(),
  keys: z.array(StoredKey),
  allowedOrigins: z.array(Origin),
  requestHash: z.string().optional(),
  createdAt: z.string(),
})
export type Tenant = z.infer<typeof TenantDocument>
