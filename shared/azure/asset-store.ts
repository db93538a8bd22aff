// Titles, in the container `assets`: one partition per tenant, which also holds its usage and the events not passed on yet.
import { z } from 'zod'
import { AssetEventDocument, counted, eventOf } from '../assets/events.ts'
import { charged, newCharge } from '../assets/machine.ts'
import { keptOf } from '../assets/model.ts'
import type { Asset, AssetEvent, AssetStore, Kept, Outbox } from '../assets/ports.ts'
import type { Clock } from '../core/clock.ts'
import { idPattern, type TenantId } from '../core/ids.ts'
import type { SessionCount, Usage, UsageStore } from '../tenants/ports.ts'
import { noUsage, usageAfter } from '../tenants/usage.ts'
import type { Beside, Documents, Schema } from './documents.ts'

const tenantId = z.custom<TenantId & string>((v) => idPattern('ten').test(String(v)))
const whole = z.number().int().min(0)

const usage: Schema<Usage> = z.object({
  id: z.literal('usage'),
  tenantId,
  type: z.literal('usage'),
  schema: z.literal(1),
  titles: whole,
  bytes: whole,
  month: z.string(),
  encodedSeconds: z.number().min(0),
})
const sessionCount: Schema<SessionCount> = z.object({
  id: z.literal('sessions'),
  tenantId,
  type: z.literal('session-count'),
  schema: z.literal(1),
  day: z.string(),
  sessions: whole,
})

export const usageKind = { partition: 'tenantId', type: 'usage', schema: usage }
export const eventKind = { partition: 'tenantId', type: 'event', schema: AssetEventDocument }
export const sessionCountKind = { partition: 'tenantId', type: 'session-count', schema: sessionCount }

export interface AssetDocuments {
  readonly assets: Documents<Asset>
  readonly usage: Documents<Usage>
  readonly sessions: Documents<SessionCount>
  readonly events: Documents<AssetEvent>
  readonly clock: Clock
  /** Told of each event once it is written. */
  readonly announce?: ((event: AssetEvent) => void) | undefined
}

// A bound on memory, far beyond what is ever encoded at once: each sweep finds healthy titles too, and must see past them.
const staleAtOnce = 5000
const usageId = 'usage'
const sessionsId = 'sessions'

export function createAssetStore(documents: AssetDocuments): {
  assets: AssetStore
  usage: UsageStore
  outbox: Outbox
} {
  const { assets, usage, sessions, events, clock, announce } = documents

  /** Counted from the titles themselves, where they are older than the count: it must be there before any of them changes. */
  async function readUsage(tenantId: TenantId): Promise<Usage> {
    const known = await usage.get(tenantId, usageId)
    if (known) return known
    const counted = (await assets.all(tenantId)).reduce(
      (sum, asset) => usageAfter(sum, keptOf(asset)),
      noUsage(tenantId),
    )
    return (await usage.create(counted)) ? counted : readUsage(tenantId)
  }

  /** The change of the count that goes with a change of a title; most changes need none. */
  const counting =
    (tenantId: TenantId, admit: (after: Usage) => void = () => {}): Beside<Asset> =>
    async (before, after) => {
      const [had, has] = [keptOf(before), keptOf(after)]
      const encode = newCharge(before, after)
      const change = { titles: has.titles - had.titles, bytes: has.bytes - had.bytes, encode }
      if (change.titles === 0 && change.bytes === 0 && !encode) return []
      const next = (current: Usage | undefined) => {
        if (!current) return 'unchanged'
        const then = usageAfter(current, change)
        admit(then)
        return then
      }
      for (;;) {
        const operation = await usage.operation(tenantId, usageId, next)
        if (operation) return [operation]
        await readUsage(tenantId)
      }
    }

  /** The event that a change of a title is, beside whatever else goes with it. */
  const telling =
    (tenantId: TenantId, others: Beside<Asset>): Beside<Asset> =>
    async (before, after) => {
      const event = eventOf(before, after)
      const told =
        event && (await events.operation(tenantId, event.id, (current) => (current ? 'unchanged' : event)))
      return [...(await others(before, after)), ...(told ? [told] : [])]
    }

  return {
    assets: {
      async create(asset, admit: (kept: Kept) => void = () => {}) {
        let created = false
        const once = (current: Asset | undefined) => {
          created = current === undefined
          return created ? asset : 'unchanged'
        }
        await assets.change(asset.tenantId, asset.id, once, counting(asset.tenantId, admit))
        return created
      },
      get: assets.get,
      async update(tenantId, id, change) {
        let event: AssetEvent | undefined
        const next = await assets.update(
          tenantId,
          id,
          (current) => {
            const after = counted(current, change(current))
            event = after === 'unchanged' ? undefined : eventOf(current, after)
            return after
          },
          telling(tenantId, counting(tenantId)),
        )
        if (event) announce?.(event)
        return next
      },
      async remove(tenantId, id) {
        await assets.change(tenantId, id, () => 'removed', counting(tenantId))
      },
      list: (tenantId, page) => assets.page(tenantId, { ...page, newestBy: 'createdAt' }),
      findStale({ state, updatedBefore, uncleaned, next }) {
        const filter = [
          'c.state = @state AND c.updatedAt < @updatedBefore',
          ...(uncleaned ? ['NOT IS_DEFINED(c.cleanedAt)'] : []),
          ...(next ? ['IS_DEFINED(c.next) AND NOT IS_DEFINED(c.next.cleanedAt)'] : []),
        ]
        return assets.find(filter.join(' AND '), { state, updatedBefore }, staleAtOnce)
      },
    },
    outbox: {
      pending: (limit) => events.find('IS_DEFINED(c.sequence)', {}, limit),
      settle: (event) => events.remove(event.tenantId, event.id),
    },
    usage: {
      read: readUsage,
      async charge({ tenantId, assetId, ...charge }, admit) {
        const once = (asset: Asset) => charged(asset, charge, clock.now())
        await assets.update(tenantId, assetId, once, counting(tenantId, admit))
      },
      sessions: (tenantId) => sessions.get(tenantId, sessionsId),
      changeSessions: (tenantId, change) => sessions.change(tenantId, sessionsId, change),
    },
  }
}
