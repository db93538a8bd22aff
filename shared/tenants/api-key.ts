// The form of an API key: `{tenantId}.{keyId}.{secret}`; only its SHA-256 is ever stored.
import { toBase64url } from '../core/base64url.ts'
import { constantTimeEqual, sha256Hex } from '../core/hash.ts'
import { idPattern, type KeyId, makeId, type TenantId } from '../core/ids.ts'
import type { Random } from '../core/random.ts'
import type { StoredKey, Tenant } from './model.ts'

export interface ApiKey {
  readonly tenantId: TenantId
  readonly keyId: KeyId
  readonly text: string
}

export function makeApiKey(tenantId: TenantId, random: Random): ApiKey {
  const keyId = makeId('key', random)
  return { tenantId, keyId, text: `${tenantId}.${keyId}.${toBase64url(random.bytes(32))}` }
}

export function parseApiKey(text: string): ApiKey | undefined {
  const [tenantId = '', keyId = '', secret = '', ...rest] = text.split('.')
  const fits =
    rest.length === 0 &&
    idPattern('ten').test(tenantId) &&
    idPattern('key').test(keyId) &&
    /^[\w-]{43}$/.test(secret)
  return fits ? { tenantId: tenantId as TenantId, keyId: keyId as KeyId, text } : undefined
}

export const storeKey = (key: ApiKey, label: Pick<StoredKey, 'name' | 'role' | 'createdAt'>): StoredKey => ({
  id: key.keyId,
  ...label,
  sha256: sha256Hex(key.text),
})

/** The stored half of a key that is this tenant's and not retired; a key that is not there costs the same comparison. */
export function findKey(tenant: Tenant, key: ApiKey): StoredKey | undefined {
  const stored = tenant.keys.find((candidate) => candidate.id === key.keyId && !candidate.retiredAt)
  return constantTimeEqual(stored?.sha256 ?? '', sha256Hex(key.text)) ? stored : undefined
}

const mostRetired = 100

/** Retired keys stay listed for the record; without a bound, rotation would grow the tenant's document for ever. */
export function withoutOldestRetired(keys: readonly StoredKey[]): StoredKey[] {
  const retired = keys.flatMap(({ retiredAt }) => retiredAt ?? []).sort()
  const oldest = retired.at(-mostRetired) ?? ''
  return keys.filter(({ retiredAt }) => retiredAt === undefined || retiredAt >= oldest)
}
