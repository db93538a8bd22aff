// What an id looks like: a prefix that names its kind, and 100 random bits that sort and read well.
import type { Random } from './random.ts'

export type TenantId = `ten_${string}`
export type KeyId = `key_${string}`
export type AssetId = `ast_${string}`
/** Where a tenant's backend is told of what happens, and what it is told. */
export type WebhookId = `whk_${string}`
export type EventId = `evt_${string}`
/** A tenant's public key, which its grants are signed with. */
export type SigningKeyId = `sig_${string}`

// Crockford's base32 in lower case: no i, l, o, u; fit for URLs, blob names and Durable instance ids.
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const length = 20

/** Five bits of each byte: uniform, since 256 is a multiple of 32. */
export function base32(bytes: Uint8Array): string {
  let out = ''
  for (const byte of bytes) out += alphabet[byte & 31]
  return out
}

export const makeId = <P extends string>(prefix: P, random: Random): `${P}_${string}` =>
  `${prefix}_${base32(random.bytes(length))}`

export const idPattern = (prefix: string): RegExp => new RegExp(`^${prefix}_[${alphabet}]{${length}}$`)
