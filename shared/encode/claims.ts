// The rules by which units go to workers: who may take one, for how long it is theirs, when it is somebody else's, when it is given up.
import { sha256Hex } from '../core/hash.ts'
import type { Holder, Offer, OfferedUnit, Report, UnitResult } from './ports.ts'

/** Reported failures and lapsed claims of one unit; a worker that is lost is seldom the unit's fault. */
const mostFailures = 3
const mostLosses = 8
const firstPauseMs = 1000
const keptSeconds = 7 * 86_400

export const offerIdOf = (unitId: string): string => `${unitId}.offer`

export const offered = (unit: OfferedUnit, { waits, nowMs }: { waits: string; nowMs: number }): Offer => ({
  ...unitOf(unit),
  id: offerIdOf(unit.unitId),
  type: 'offer',
  schema: 1,
  waits,
  state: 'queued',
  left: unit.pixels + unit.rest,
  claims: 0,
  failures: 0,
  losses: 0,
  queuedAtMs: nowMs,
  freeAtMs: 0,
})

function unitOf(unit: OfferedUnit): OfferedUnit {
  const { unitId, jobId, tenantId, assetId, version, plan, kind, chunk } = unit
  const { sinceMs, pixels, rest, patienceMs, alone } = unit
  return {
    ...{ unitId, jobId, tenantId, assetId, version, plan, kind, sinceMs, pixels, rest },
    ...(chunk === undefined ? {} : { chunk }),
    ...(patienceMs === undefined ? {} : { patienceMs }),
    ...(alone ? { alone } : {}),
  }
}

/** At `untilMs` a claim that was not renewed has lapsed, whatever became of its worker. */
export const isHeld = ({ state, claim }: Offer, nowMs: number): boolean =>
  state === 'claimed' && claim !== undefined && nowMs < claim.untilMs

const lapsed = (offer: Offer, nowMs: number): boolean => offer.state === 'claimed' && !isHeld(offer, nowMs)

/** An orchestration begun anew tries again what ended the one before it; numbers of claims are never used twice. */
export const offeredAnew = (offer: Offer, by: { waits: string; nowMs: number }): Offer => ({
  ...offered(offer, by),
  claims: offer.claims,
})

export const isFree = (offer: Offer, nowMs: number): boolean =>
  offer.state === 'queued' ? nowMs >= offer.freeAtMs : lapsed(offer, nowMs) && offer.losses + 1 < mostLosses

/** The unit as it is once `node` has taken it; undefined when it is not to be had. */
export function claimed(
  offer: Offer,
  { node, nowMs, leaseMs }: { node: string; nowMs: number; leaseMs: number },
): Offer | undefined {
  if (!isFree(offer, nowMs)) return undefined
  const number = offer.claims + 1
  const losses = offer.losses + (offer.state === 'claimed' ? 1 : 0)
  return {
    ...offer,
    state: 'claimed',
    claims: number,
    losses,
    claim: { node, number, untilMs: nowMs + leaseMs },
  }
}

const isOf = ({ claim }: Offer, holder: Holder): boolean =>
  claim !== undefined && claim.node === holder.node && claim.number === holder.number

/** Whether the claim is that holder's now; a node that was asleep may think so for longer. */
export const isHeldBy = (offer: Offer, holder: Holder, nowMs: number): boolean =>
  isOf(offer, holder) && isHeld(offer, nowMs)

export function renewed(offer: Offer, holder: Holder, untilMs: number): Offer {
  return { ...offer, claim: { ...holder, untilMs } }
}

/** A report that is repeated, since its answer was lost. */
export const isReportedBy = (offer: Offer, holder: Holder): boolean =>
  isOf(offer, holder) && offer.state !== 'claimed'

/** What its holder says of it: it is over, is to be tried again a little later, or is free at once. */
export function reported(offer: Offer, { outcome, result, log }: Report, nowMs: number): Offer {
  const said = { ...offer, ...(log ? { log } : {}) }
  if (outcome === 'done') return ended(said, result ?? { ok: true })
  if (outcome === 'returned') return { ...said, state: 'queued', queuedAtMs: nowMs, freeAtMs: nowMs }
  const failures = offer.failures + 1
  if (failures >= mostFailures) return ended({ ...said, failures }, poison(failures))
  const freeAtMs = nowMs + firstPauseMs * 2 ** failures
  return { ...said, failures, state: 'queued', queuedAtMs: nowMs, freeAtMs }
}

/** For the orchestration that waits: a unit whose workers are lost one after another is over too. */
export const lookedAt = (offer: Offer, nowMs: number): Offer =>
  lapsed(offer, nowMs) && !isFree(offer, nowMs)
    ? ended({ ...offer, losses: offer.losses + 1 }, poison(offer.losses + 1))
    : offer

/** From when on the app itself may take it, unless a worker does before. */
export function dueAtMs({ state, claim, queuedAtMs, patienceMs }: Offer): number {
  const freeSinceMs = state === 'claimed' && claim ? claim.untilMs : queuedAtMs
  return patienceMs === undefined ? Number.POSITIVE_INFINITY : freeSinceMs + patienceMs
}

export const isDue = (offer: Offer, nowMs: number): boolean => isFree(offer, nowMs) && dueAtMs(offer) <= nowMs

/** The unit as it is once the app itself has it, which no worker can take from it; undefined when it is not to be had. */
export function taken(offer: Offer, nowMs: number): Offer | undefined {
  if (offer.state === 'taken') return offer
  if (!isDue(offer, nowMs)) return undefined
  // Who held it before has no more to say.
  const { claim: _, ...rest } = offer
  return { ...rest, state: 'taken', left: offer.rest }
}

/** The app has it, had it last, or had the one before it. */
export const isOfApp = ({ state, claim, alone }: Offer): boolean =>
  state === 'taken' || (state === 'over' && claim === undefined) || alone === true

/** One that failed stays for a while, with its log, when its title is cleaned away; with it ends what would come after it. */
export const ended = (offer: Offer, result: UnitResult): Offer => ({
  ...offer,
  state: 'over',
  left: result.ok ? offer.rest : 0,
  result,
  ...(result.ok ? {} : { ttl: keptSeconds }),
})

const poison = (times: number): UnitResult => ({
  ok: false,
  code: 'encode-failed',
  detail: `A part of this film could not be encoded, tried ${times} times. Try another export of it; if it stays, report the asset id.`,
})

/**
 * What a free worker should take, the best first: an opening, which somebody waits for; then of the tenant who has the fewest units under way, then of the title
 * that began first, then the earliest of it.
 */
export const inOrder = (open: readonly Offer[], nowMs: number): Offer[] => inRanks(open, nowMs).flat()

/** The same in parts, within which only the place in the film tells one from the next. */
export function inRanks(open: readonly Offer[], nowMs: number): Offer[][] {
  const busy = new Map<string, number>()
  for (const offer of open)
    if (isHeld(offer, nowMs)) busy.set(offer.tenantId, (busy.get(offer.tenantId) ?? 0) + 1)
  const rankOf = (offer: Offer) => [offer.chunk === 0 ? 0 : 1, busy.get(offer.tenantId) ?? 0, offer.sinceMs]
  const sorted = open
    .filter((offer) => isFree(offer, nowMs))
    .map((offer) => ({ offer, rank: rankOf(offer), chunk: offer.chunk ?? 0 }))
    .toSorted((a, b) => compare(a.rank, b.rank) || a.chunk - b.chunk || (a.offer.id < b.offer.id ? -1 : 1))
  const ranks = Map.groupBy(sorted, ({ rank }) => rank.join())
  return [...ranks.values()].map((rank) => rank.map(({ offer }) => offer))
}

/**
 * For one of `many` who were woken at once and look at the same list: each begins at a place of its own within a rank, by
 * its name, and no further along than there are others. No rank goes before another.
 */
export function spread(ranks: readonly Offer[][], { node, many }: { node: string; many: number }): Offer[] {
  const place = Number.parseInt(sha256Hex(node).slice(0, 8), 16)
  return ranks.flatMap((rank) => {
    const crowd = rank.slice(0, Math.max(1, many))
    const begin = crowd.length === 0 ? 0 : place % crowd.length
    return [...crowd.slice(begin), ...crowd.slice(0, begin), ...rank.slice(crowd.length)]
  })
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, n) => value !== b[n])
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}
