// What a tenant uses: titles and bytes as they come and go, film encoded in a month, sessions opened in a day (UTC).
import { type Clock, isoTime } from '../core/clock.ts'
import type { AssetId, TenantId } from '../core/ids.ts'
import { admitEncode, shownMinutes } from './limits.ts'
import type { Limits, Tenant } from './model.ts'
import type { Usage, UsageStore } from './ports.ts'
import { createSessionCount } from './session-count.ts'

export interface UsageChange {
  readonly titles: number
  readonly bytes: number
  /** Film that is about to be encoded. */
  readonly encode?: { readonly month: string; readonly seconds: number } | undefined
}

export const noUsage = (tenantId: TenantId): Usage => ({
  id: 'usage',
  tenantId,
  type: 'usage',
  schema: 1,
  titles: 0,
  bytes: 0,
  month: '',
  encodedSeconds: 0,
})

/** Each month begins at 0; what comes late for one that is over counts no more. */
export function usageAfter(usage: Usage, { titles, bytes, encode }: UsageChange): Usage {
  const next = { ...usage, titles: usage.titles + titles, bytes: usage.bytes + bytes }
  if (!encode || encode.month < usage.month) return next
  const before = encode.month === usage.month ? usage.encodedSeconds : 0
  return { ...next, month: encode.month, encodedSeconds: before + encode.seconds }
}

const monthOf = (ms: number): string => isoTime(ms).slice(0, 7)
const dayOf = (ms: number): string => isoTime(ms).slice(0, 10)

export interface UsageView {
  readonly titles: number
  readonly bytes: number
  readonly encodedMinutes: number
  readonly sessions: number
  readonly limits: Limits
}

export interface UsageDeps {
  readonly store: UsageStore
  readonly clock: Clock
  find(id: TenantId): Promise<Tenant | undefined>
}

export function createUsage({ store, clock, find }: UsageDeps) {
  const limitsOf = async (tenantId: TenantId): Promise<Limits> => (await find(tenantId))?.limits ?? {}
  const count = createSessionCount({ store, clock })
  return {
    async view({ id, limits }: Pick<Tenant, 'id' | 'limits'>): Promise<UsageView> {
      const [used, opened] = await Promise.all([store.read(id), store.sessions(id)])
      return {
        titles: used.titles,
        bytes: used.bytes,
        encodedMinutes: used.month === monthOf(clock.now()) ? shownMinutes(used.encodedSeconds) : 0,
        sessions: opened?.day === dayOf(clock.now()) ? opened.sessions : 0,
        limits,
      }
    },

    /** Once for each encode, however often it is asked; throws `cap-exceeded` and charges nothing beyond the limit. */
    async chargeEncode(
      { tenantId, assetId, version }: { tenantId: TenantId; assetId: AssetId; version: number },
      seconds: number,
    ) {
      const limits = await limitsOf(tenantId)
      const charge = { tenantId, assetId, version, month: monthOf(clock.now()), seconds }
      await store.charge(charge, ({ encodedSeconds }) => admitEncode(limits, encodedSeconds, seconds))
    },

    /** To be asked before a session is made that was not there; throws `limit-reached`. */
    async countSession(tenantId: TenantId): Promise<void> {
      const { sessions: limit } = await limitsOf(tenantId)
      await count(tenantId, { day: dayOf(clock.now()), limit })
    },
  }
}
