// What deliver needs of others: who may play what, and the keys of those who may.
import type { AssetId, TenantId } from '../core/ids.ts'

export interface Granted {
  readonly sessionId: string
  readonly tenantId: TenantId
  readonly assetId: AssetId
  /** Origins of the tenant's own sites; players there may read answers. */
  readonly allowedOrigins: readonly string[]
}

/** Undefined for every refusal, whatever was wrong: deliver answers all of them alike. */
export type Authorise = (token: string) => Promise<Granted | undefined>

/** 16 bytes, or undefined when this version of the title has no such key. */
export type ContentKey = (
  of: { assetId: AssetId; version: number },
  keyId: string,
) => Promise<Uint8Array | undefined>

/** The explicit IV of one segment, 16 bytes (RFC 8216 5.2). */
export type SegmentIv = (of: {
  version: number
  planHash: string
  rendition: string
  number: number
}) => Uint8Array
