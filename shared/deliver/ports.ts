// What deliver needs of others: who may play what, and the keys of those who may.
import type { Client } from '../core/client.ts'
import type { AssetId, TenantId } from '../core/ids.ts'

/**
 * What a request is for. Every policy holds for all of them; a `manifest` and `media` (segments and keys) also need
 * the stream's place in the count, an `image` and a preflight do not.
 */
export type Purpose = 'image' | 'manifest' | 'media'

export interface AuthoriseAsk {
  readonly token: string
  readonly client: Client
  readonly purpose: Purpose
}

export interface Granted {
  readonly sessionId: string
  readonly tenantId: TenantId
  readonly assetId: AssetId
  /** Origins of the tenant's own sites; players there may read answers. */
  readonly allowedOrigins: readonly string[]
  /** Lines of the best rendition that may be seen, by its shorter side. */
  readonly maxResolution?: number
  /** A title whose sessions were ended after this plays no more in this one. */
  readonly openedAtMs: number
}

/** Undefined for every refusal, whatever was wrong: deliver answers all of them alike. */
export type Authorise = (ask: AuthoriseAsk) => Promise<Granted | undefined>

/** Opens the one session of a grant, or finds it again; undefined for every refusal. */
export type Redeem = (ask: { grant: string; client: Client; open: boolean }) => Promise<Redeemed | undefined>

export interface Redeemed {
  /** The session's token; absent when it was not to be opened. */
  readonly token?: string
  readonly allowedOrigins: readonly string[]
}

/** 16 bytes, or undefined when this version and generation of the title has no such key. */
export type ContentKey = (
  of: { assetId: AssetId; version: number; generation: number },
  keyId: string,
) => Promise<Uint8Array | undefined>

/** The explicit IV of one segment, 16 bytes (RFC 8216 5.2). */
export type SegmentIv = (of: {
  version: number
  planHash: string
  rendition: string
  number: number
}) => Uint8Array

/** Told of every answer that a session was given: who plays, and how much goes out, is what capacity is decided by. */
export interface Meter {
  served(sessionId: string, bytes: number): void
}
