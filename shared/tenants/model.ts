// What a tenant is: its document, with its API keys hashed, and the sites its players live on.
import { z } from 'zod'
import { idPattern, type KeyId, type SigningKeyId, type TenantId } from '../core/ids.ts'
import { Policy } from './policy.ts'

const tenantId = z.custom<TenantId>((v) => typeof v === 'string' && idPattern('ten').test(v))
const keyId = z.custom<KeyId>((v) => typeof v === 'string' && idPattern('key').test(v))

const signingKeyId = z.custom<SigningKeyId>((v) => typeof v === 'string' && idPattern('sig').test(v))

/** What an API key may do; `owner` may do everything that its tenant may. */
export const Role = z.enum(['owner', 'uploader', 'minter', 'statistics']).meta({ id: 'Role' })
export type Role = z.infer<typeof Role>

export const StoredKey = z.object({
  id: keyId,
  name: z.string(),
  role: Role.default('owner'),
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

export const SigningAlgorithm = z.enum(['EdDSA', 'ES256', 'RS256'])
export type SigningAlgorithm = z.infer<typeof SigningAlgorithm>

/** The public half alone. Retired: its grants open nothing more. Revoked: what they opened is over too. */
export const SigningKey = z.object({
  id: signingKeyId,
  name: z.string(),
  algorithm: SigningAlgorithm,
  /** SPKI in PEM, as it was checked and written anew at registration. */
  publicKey: z.string(),
  createdAt: z.string(),
  retiredAt: z.string().optional(),
  revokedAt: z.string().optional(),
})
export type SigningKey = z.infer<typeof SigningKey>

/** Set by admins; an absent one does not limit. */
export const Limits = z
  .object({
    titles: z.number().int().min(0).optional(),
    /** Of sources, all titles together. */
    bytes: z.number().int().min(0).optional(),
    /** Of film, in a calendar month (UTC). */
    encodedMinutes: z.number().int().min(0).optional(),
    /** Opened in a day (UTC). */
    sessions: z.number().int().min(0).optional(),
  })
  .strict()
  .meta({ id: 'Limits' })
export type Limits = z.infer<typeof Limits>

/** The document in the container `tenants`. */
export const TenantDocument = z.object({
  id: tenantId,
  type: z.literal('tenant'),
  schema: z.literal(1),
  name: z.string(),
  keys: z.array(StoredKey),
  allowedOrigins: z.array(Origin),
  signingKeys: z.array(SigningKey).default([]),
  /** What holds for every session that does not say otherwise. */
  policy: Policy.optional(),
  limits: Limits.default({}),
  /** An admin's word: its keys open nothing and nothing of it plays, until it is taken away. */
  suspendedAt: z.string().optional(),
  requestHash: z.string().optional(),
  createdAt: z.string(),
})
export type Tenant = z.infer<typeof TenantDocument>
