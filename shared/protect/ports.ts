// What protect needs of the world: a KEK, and where wrapped keys, sessions, slots and revocations are kept.
import type { AssetId, SigningKeyId, TenantId } from '../core/ids.ts'
import type { EffectivePolicy } from '../tenants/policy.ts'

/** RSA-OAEP-256 under a key encryption key that never leaves its vault (or the local key file). */
export interface Kek {
  /** With the newest version of the key, as far as it is known here. */
  wrap(plain: Uint8Array): Promise<{ kekId: string; wrapped: Uint8Array }>
  unwrap(kekId: string, wrapped: Uint8Array): Promise<Uint8Array>
  /** The newest version, looked up anew; `wrap` uses it from then on. */
  currentId(): Promise<string>
}

/** Container `keys`, partition key `assetId`; the platform's own secrets live under the assetId `platform`. */
export interface WrappedKeys {
  /** `v{version}` for a title, `v{version}.{generation}` once its keys were changed, the secret's name for the platform. */
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
  update(
    assetId: string,
    id: string,
    change: (current: WrappedKeys) => WrappedKeys | 'unchanged',
  ): Promise<WrappedKeys>
  /** Envelopes of any title, and the platform's, that another KEK than this one wrapped; at most `limit`. */
  findWrappedByOther(kekId: string, limit: number): Promise<WrappedKeys[]>
  remove(assetId: string, id: string): Promise<void>
  removeAll(assetId: string): Promise<void>
}

/** Container `sessions`, partition key `viewerKey`, deleted by TTL. */
export interface Session {
  /** `{viewerKey}-{20 base32}`. */
  readonly id: string
  readonly viewerKey: string
  readonly type: 'session'
  readonly schema: 2
  readonly tenantId: TenantId
  readonly assetId: AssetId
  readonly createdAt: string
  /** The token's life before its first use; after that, how long the session may be idle. */
  readonly ttlSeconds: number
  /** Over from here on, however active. */
  readonly endsAt: string
  /** As it was when the session was opened. */
  readonly policy: EffectivePolicy
  /** The tenant's key that signed the grant, where one of the tenant's did. */
  readonly signingKeyId?: SigningKeyId
  readonly revokedAt?: string
  /** Seconds, for Cosmos: past `endsAt` and past the grant, so that a revoked session never comes back. */
  readonly ttl: number
}

/** One client of one session, as far as the store knows. */
export interface Stream {
  readonly sessionId: string
  readonly assetId: AssetId
  /** Keyed hash of network and user agent. */
  readonly client: string
  /** False while only manifests were read: then whichever client of the session first asks for media takes it over. */
  readonly bound: boolean
  readonly openedAtMs: number
  /** Its lease runs from here. */
  readonly seenAtMs: number
  readonly ttlSeconds: number
}

/** All streams of one viewer: id `slots`, in the partition of the viewer, changed by its ETag alone. */
export interface Slots {
  readonly id: 'slots'
  readonly viewerKey: string
  readonly type: 'slots'
  readonly schema: 1
  readonly tenantId: TenantId
  readonly streams: readonly Stream[]
  /** The newest of all streams, for lists. */
  readonly seenAtMs: number
  /** Every session that was opened before is over. */
  readonly revokedAt?: string
  readonly ttl: number
}

export interface SessionStore {
  /** What time it is there, as far as its answers tell: what all nodes agree on. */
  now(): number
  create(session: Session): Promise<boolean>
  get(viewerKey: string, id: string): Promise<Session | undefined>
  update(viewerKey: string, id: string, change: (current: Session) => Session | 'unchanged'): Promise<Session>
  slots(viewerKey: string): Promise<Slots | undefined>
  /** Created, or replaced by ETag; repeated until it holds. The change is pure and may run several times. */
  changeSlots(
    viewerKey: string,
    change: (current: Slots | undefined) => Slots | 'unchanged',
  ): Promise<Slots | undefined>
  /** Across viewers: slots of a tenant with a stream seen since then; at most `limit`, in no order. */
  findLive(query: { tenantId: TenantId; seenSinceMs: number; limit: number }): Promise<Slots[]>
}

/** Container `revocations`, partition key `shard`: what every node polls. Documents decide for longer than these live. */
export interface Revocation {
  readonly id: string
  readonly shard: string
  readonly type: 'revocation'
  readonly schema: 1
  /** `session` names a session's id, `viewer` a viewer key. */
  readonly kind: 'session' | 'viewer'
  readonly subject: string
  /** Sessions opened before are over. */
  readonly atMs: number
  readonly ttl: number
}

export interface RevocationStore {
  add(revocation: Revocation): Promise<void>
  /** Written at or after `sinceSeconds` by the store's clock; `latestSeconds` is where the next question begins. */
  since(shard: string, sinceSeconds: number): Promise<{ found: Revocation[]; latestSeconds: number }>
}
