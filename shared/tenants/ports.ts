// What tenants need of the world: where they, what they use and what they changed are kept.
import type { AssetId, KeyId, TenantId } from '../core/ids.ts'
import type { Page, PageQuery } from '../core/page.ts'
import type { Role, Tenant } from './model.ts'

export type { Tenant }

export interface TenantStore {
  /** False when there is one of that id. */
  create(tenant: Tenant): Promise<boolean>
  get(id: TenantId): Promise<Tenant | undefined>
  update(id: TenantId, change: (current: Tenant) => Tenant | 'unchanged'): Promise<Tenant>
  /** At most `limit`, the oldest first. */
  list(limit: number): Promise<Tenant[]>
}

/** In the container `assets`, changed in one transaction with the titles that it counts. */
export interface Usage {
  readonly id: 'usage'
  readonly tenantId: TenantId
  readonly type: 'usage'
  readonly schema: 1
  readonly titles: number
  /** Of sources, as they were announced. */
  readonly bytes: number
  /** `2026-11`, of the film encoded last; empty before there was any. */
  readonly month: string
  readonly encodedSeconds: number
}

/** Beside `usage`, and apart from it: a crowd of viewers must not be in the way of an upload. */
export interface SessionCount {
  readonly id: 'sessions'
  readonly tenantId: TenantId
  readonly type: 'session-count'
  readonly schema: 1
  /** `2026-11-22` */
  readonly day: string
  readonly sessions: number
}

export interface UsageStore {
  /** Counted from the titles where it was never kept before. */
  read(tenantId: TenantId): Promise<Usage>
  /** Once for each encode. `admit` is shown what would be used then, and may throw: then nothing is charged. */
  charge(
    encode: { tenantId: TenantId; assetId: AssetId; version: number; month: string; seconds: number },
    admit: (after: Usage) => void,
  ): Promise<void>
  sessions(tenantId: TenantId): Promise<SessionCount | undefined>
  changeSessions(
    tenantId: TenantId,
    change: (current: SessionCount | undefined) => SessionCount | 'unchanged',
  ): Promise<SessionCount | undefined>
}

/** `platform`: what admins do that belongs to no tenant. */
export type AuditPartition = TenantId | 'platform'

/** Absent where the process ended in between: the change may have been made, or not. */
export interface AuditOutcome {
  /** Of the answer. */
  readonly status: number
  readonly code?: string
  /** Id of what was made. */
  readonly made?: string
}

/** Who changes something. */
export type Actor =
  | { readonly kind: 'key'; readonly keyId: KeyId; readonly role: Role }
  | { readonly kind: 'admin' }

/** In the container `audit`, partition key `tenantId`, deleted by its `ttl`. */
export interface AuditEntry {
  readonly id: string
  readonly tenantId: AuditPartition
  readonly type: 'audit'
  readonly schema: 1
  readonly at: string
  readonly who: Actor
  readonly action: string
  readonly params: Readonly<Record<string, string>>
  readonly changes: Readonly<Record<string, unknown>>
  readonly requestId: string
  readonly outcome?: AuditOutcome
  readonly ttl: number
}

export interface AuditStore {
  put(entry: AuditEntry): Promise<void>
  list(partition: AuditPartition, page: PageQuery): Promise<Page<AuditEntry>>
}
