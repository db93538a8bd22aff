// Units that are offered to the fleet, in the container `units`: each claim and renewal is a change by ETag.
import { z } from 'zod'
import { idPattern } from '../core/ids.ts'
import type { Offer, OfferStore } from '../encode/ports.ts'
import type { Documents, Schema } from './documents.ts'

const idOf = <T extends string>(prefix: string) =>
  z.custom<T>((v) => typeof v === 'string' && idPattern(prefix).test(v))

const result = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true) }),
  z.object({
    ok: z.literal(false),
    code: z.custom<Extract<Offer['result'], { ok: false }>['code']>((v) => typeof v === 'string'),
    detail: z.string(),
  }),
])

const schema: Schema<Offer> = z.object({
  id: z.string(),
  unitId: z.string(),
  jobId: z.string(),
  type: z.literal('offer'),
  schema: z.literal(1),
  tenantId: idOf<Offer['tenantId']>('ten'),
  assetId: idOf<Offer['assetId']>('ast'),
  version: z.number().int(),
  plan: z.string(),
  kind: z.enum(['chunk', 'audio']),
  chunk: z.number().int().exactOptional(),
  sinceMs: z.number(),
  pixels: z.number().default(0),
  rest: z.number().default(0),
  patienceMs: z.number().exactOptional(),
  alone: z.boolean().exactOptional(),
  waits: z.string(),
  state: z.enum(['queued', 'claimed', 'taken', 'over']),
  left: z.number().default(0),
  claims: z.number().int(),
  failures: z.number().int(),
  losses: z.number().int(),
  queuedAtMs: z.number().default(0),
  freeAtMs: z.number(),
  claim: z.object({ node: z.string(), number: z.number().int(), untilMs: z.number() }).exactOptional(),
  result: result.exactOptional(),
  log: z.string().exactOptional(),
  ttl: z.number().int().exactOptional(),
})

export const offerKind = { partition: 'jobId', type: 'offer', schema }

/** More than the windows of all titles under way hold together, but for a very large fleet: what is left out is seen later. */
const mostOpen = 2000

const removedAtOnce = 8

export const createOfferStore = (offers: Documents<Offer>, now: () => number): OfferStore => ({
  now,
  get: offers.get,
  change: (jobId, id, change, inPlaceOf) =>
    offers.change(jobId, id, change, async (before) => {
      const former =
        before || inPlaceOf === undefined
          ? undefined
          : await offers.operation(jobId, inPlaceOf, () => 'removed')
      return former ? [former] : []
    }),
  open: (kind) => offers.find("c.kind = @kind AND c.state IN ('queued', 'claimed')", { kind }, mostOpen),
  unfinished: () => offers.find('c.left > @none', { none: 0 }, mostOpen),
  list: offers.all,
  remove: offers.remove,
  async removeJob(jobId) {
    const all = (await offers.all(jobId)).filter(({ ttl }) => ttl === undefined)
    while (all.length > 0)
      await Promise.all(all.splice(0, removedAtOnce).map(({ id }) => offers.remove(jobId, id)))
  },
})
