// Which changes of a title its tenant's backend is told of, and what it is told: pure, from the document before and after.
import { z } from 'zod'
import { sha256 } from '../core/hash.ts'
import { base32, type EventId, idPattern } from '../core/ids.ts'
import { type Asset, AssetView, assetId, tenantId, viewAsset } from './model.ts'

export const AssetEventName = z.enum(['asset.ready', 'asset.failed', 'asset.progress'])
export type AssetEventName = z.infer<typeof AssetEventName>

/** In the container `assets` beside its title, written in one transaction with the change, until it is passed on. */
export const AssetEventDocument = z.object({
  id: z.custom<EventId>((v) => typeof v === 'string' && idPattern('evt').test(v)),
  tenantId,
  type: z.literal('event'),
  schema: z.literal(1),
  assetId,
  name: AssetEventName,
  /** Counts the events of this title from 1; a receiver that sees a lower one later may leave it. */
  sequence: z.number().int().min(1),
  at: z.string(),
  /** The title as it was then. */
  asset: AssetView,
})
export type AssetEvent = z.infer<typeof AssetEventDocument>

/** Of the encode under way, of whichever version. */
const tenth = ({ progress, next }: Asset): number =>
  Math.floor((next && !next.error ? next : { progress }).progress.percent / 10)

/** A title that its tenant deleted tells nothing more. Another version that takes over is ready anew. */
function nameOf(before: Asset, after: Asset): AssetEventName | undefined {
  if (after.deletedAt !== undefined) return undefined
  const isNew = after.state !== before.state || after.version !== before.version
  if (after.state === 'ready' && isNew) return 'asset.ready'
  if (after.state === 'failed') return before.state === 'failed' ? undefined : 'asset.failed'
  // A next version that failed leaves the title as it plays; whoever waits for it must hear of it all the same.
  if (after.next?.error && !before.next?.error) return 'asset.failed'
  return tenth(after) > tenth(before) ? 'asset.progress' : undefined
}

/** The next document, which counts the event that the change is, if it is one. */
export function counted(before: Asset, after: Asset | 'unchanged'): Asset | 'unchanged' {
  if (after === 'unchanged' || !nameOf(before, after)) return after
  return { ...after, events: (before.events ?? 0) + 1 }
}

/** The event that a counted change is. Its id is drawn from the title and the count: the same change, the same event. */
export function eventOf(before: Asset | undefined, after: Asset | undefined): AssetEvent | undefined {
  const sequence = after?.events
  const name = before && after && nameOf(before, after)
  if (!name || sequence === undefined || sequence === before.events) return undefined
  const { id, tenantId, createdAt, updatedAt } = after
  return {
    id: `evt_${base32(sha256(`${id}\0${createdAt}\0${sequence}`).subarray(0, 20))}`,
    tenantId,
    type: 'event',
    schema: 1,
    assetId: id,
    name,
    sequence,
    at: updatedAt,
    asset: viewAsset(after),
  }
}
