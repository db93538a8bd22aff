// Who changed what: an entry before each change, so that no change is without one, and its outcome after.
import { type Clock, isoTime } from '../core/clock.ts'
import { idPattern, makeId, type TenantId } from '../core/ids.ts'
import type { Page, PageQuery } from '../core/page.ts'
import type { Random } from '../core/random.ts'
import type { Actor, AuditEntry, AuditOutcome, AuditPartition, AuditStore } from './ports.ts'

export interface Deed {
  readonly tenantId: TenantId
  readonly who: Actor
  /** The route's name. */
  readonly action: string
  readonly params: Readonly<Record<string, string>>
  readonly body: unknown
  readonly requestId: string
}

export interface Audit {
  /** Rejects when the entry could not be kept: then nothing may be changed. */
  begin(deed: Deed): Promise<(outcome: AuditOutcome) => Promise<void>>
  /** Newest first. */
  list(partition: AuditPartition, page: PageQuery): Promise<Page<AuditEntry>>
}

const keepSeconds = 400 * 24 * 3600
const longestParam = 200
const hidden = '•••'

// What is not named here is hidden: viewers' names, grants and files' paths, and a private key sent by mistake.
const shown = new Set([
  ...['name', 'role', 'title', 'allowedOrigins', 'policy', 'limits', 'suspended'],
  ...['sizeBytes', 'sha256', 'protection', 'profile', 'ttlSeconds', 'expiresInSeconds'],
  ...['assetId', 'sessionId', 'signingKeyId'],
])

export function changesOf(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null) return {}
  return Object.fromEntries(
    Object.entries(body)
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => [field, shown.has(field) ? value : hidden]),
  )
}

/** What an admin does to a tenant stands in that tenant's list. */
export function partitionOf({ who, tenantId, params }: Deed): AuditPartition {
  if (who.kind === 'key') return tenantId
  const named = params['tenantId'] ?? ''
  return idPattern('ten').test(named) ? (named as TenantId) : 'platform'
}

export interface AuditDeps {
  readonly store: AuditStore
  readonly clock: Clock
  readonly random: Random
}

export const createAudit = ({ store, clock, random }: AuditDeps): Audit => ({
  async begin(deed) {
    const entry: AuditEntry = {
      id: makeId('aud', random),
      tenantId: partitionOf(deed),
      type: 'audit',
      schema: 1,
      at: isoTime(clock.now()),
      who: deed.who,
      action: deed.action,
      params: Object.fromEntries(
        Object.entries(deed.params).map(([name, value]) => [name, value.slice(0, longestParam)]),
      ),
      changes: changesOf(deed.body),
      requestId: deed.requestId,
      ttl: keepSeconds,
    }
    await store.put(entry)
    return (outcome) => store.put({ ...entry, outcome })
  },
  list: store.list,
})
