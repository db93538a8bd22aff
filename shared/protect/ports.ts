// What protect needs of the world: a KEK, and where wrapped keys and sessions are kept.
import type { AssetId, TenantId } from '../core/ids.ts'

/** RSA-OAEP-256 under a key encryption key that never leaves its vault (or the local key file). */
export interface Kek {
  wrap(plain: Uint8Array): Promise<{ kekId: string; wrapped: Uint8Array }>
  unwrap(kekId: string, wrapped: Uint8Array): Promise<Uint8Array>
}

/** Container `keys`, partition key `assetId`; the platform's own secrets live under the assetId `platform`. */
export interface WrappedKeys {
  /** `v{version}` for a title, the secret's name for the platform. */
  readonly id: string
  readonly assetId: AssetId | 'platform'
  readonly type: 'keys'
  readonly schema: 1
  readonly tenantId?: TenantId
  readonly kekId: string
  /** base64 of the wrapped concatenation, 16 bytes for each of `keys` in order (32 for a platform secret). */
  readonly wrapped: string
  readonly keys: ReadonlyArray<{ keyId: string; rendition: string }>
}

export interface KeyStore {
  /** False when there is one of that id. */
  create(keys: WrappedKeys): Promise<boolean>
  get(assetId: string, id: string): Promise<WrappedKeys | undefined>
  removeAll(assetId: string): Promise<void>
}

/** Container `sessions`, partition key `viewerKey`, deleted by TTL. */
export interface Session {
  readonly id: string
  readonly viewerKey: string
  readonly type: 'session'
  readonly schema: 1
  readonly tenantId: TenantId
  readonly assetId: AssetId
  readonly createdAt: string
  readonly expiresAt: string
  readonly revokedAt?: string
  /** Seconds, for Cosmos. */
  readonly ttl: number
}

export interface SessionStore {
  create(session: Session): Promise<boolean>
  get(viewerKey: string, id: string): Promise<Session | undefined>
  update(viewerKey: string, id: string, change: (current: Session) => Session | 'unchanged'): Promise<Session>
}
