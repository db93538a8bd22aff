// What titles need of the world: their documents, their sources and their media. `shared/azure` implements these.
import type { AssetId, TenantId } from '../core/ids.ts'
import type { Page, PageQuery } from '../core/page.ts'
import type { AssetEvent } from './events.ts'
import type { Asset, Kept } from './model.ts'

export type { Asset, AssetEvent, Kept }

/** A pure change of a document: the next one, or `unchanged`. It may run several times and may throw a Problem. */
export type Change<T> = (current: T) => T | 'unchanged'

/** Counts what each tenant keeps, in the same transaction as the title changes: the count can't drift. */
export interface AssetStore {
  /** False when a document of that id exists already. `admit` is shown what its tenant would keep, and may throw. */
  create(asset: Asset, admit?: (kept: Kept) => void): Promise<boolean>
  get(tenantId: TenantId, id: AssetId): Promise<Asset | undefined>
  /** Read, change, replace with `IfMatch`; repeats a bounded number of times, then throws `conflict`; `not-found` when absent. */
  update(tenantId: TenantId, id: AssetId, change: Change<Asset>): Promise<Asset>
  remove(tenantId: TenantId, id: AssetId): Promise<void>
  list(tenantId: TenantId, page: PageQuery): Promise<Page<Asset>>
  /** Across tenants, for timers: titles in `state` last updated before `updatedBefore` (RFC 3339); `uncleaned` keeps those without `cleanedAt`, `next` those whose next version is under way or not cleaned. */
  findStale(query: {
    state: Asset['state']
    updatedBefore: string
    uncleaned?: boolean
    next?: boolean
  }): Promise<Asset[]>
}

/** Events of titles that nobody has passed on yet: none is lost, since each was written together with its change. */
export interface Outbox {
  /** Across tenants, in no order; at most `limit`. */
  pending(limit: number): Promise<AssetEvent[]>
  /** It was passed on. */
  settle(event: AssetEvent): Promise<void>
}

export interface BlobFacts {
  readonly sizeBytes: number
  readonly etag: string
}

/** The container `sources`: uploads, hostile until probed. */
export interface SourceStore {
  /** A SAS for this one blob, create and write only. */
  uploadUrl(blob: string, expiresAtMs: number): Promise<string>
  /** A SAS for this one blob, read only. */
  readUrl(blob: string, expiresAtMs: number): Promise<string>
  facts(blob: string): Promise<BlobFacts | undefined>
  /** Blocks staged but not committed. */
  blocks(blob: string): Promise<Array<{ id: string; sizeBytes: number }>>
  /** Bytes `[offset, offset + count)`; throws `source-changed` when the ETag differs or the blob is gone. */
  read(blob: string, range: { offset: number; count: number; etag: string }): Promise<Uint8Array>
  remove(blob: string): Promise<void>
}

/** The container `media`: what encode writes and deliver reads. */
export interface MediaStore {
  /** `If-None-Match: *`: false where one was there, which stays, and is the same bytes by construction. */
  putOnce(blob: string, bytes: Uint8Array, contentType: string): Promise<boolean>
  facts(blob: string): Promise<BlobFacts | undefined>
  /** Whole blob, or undefined when absent. */
  get(blob: string): Promise<Uint8Array | undefined>
  /** Exactly `[offset, offset + count)` and not a byte more; retried inside; undefined when absent. */
  read(blob: string, range: { offset: number; count: number }): Promise<Uint8Array | undefined>
  /** Those that are gone already are as good. */
  remove(blobs: readonly string[]): Promise<void>
  /** Deletes all blobs below a folder; resolves when none is left. */
  removeFolder(prefix: string): Promise<void>
}
