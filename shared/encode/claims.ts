// The rules by which units go to workers: who may take one, for how long it is theirs, when it is somebody else's, when it is given up.
import type { Holder, Offer, OfferedUnit, Report, UnitResult } from './ports.ts'

/** Reported failures and lapsed claims of one unit; a worker that is lost is seldom the unit's fault. */
const mostFailures = 3
const mostLosses = 8
const firstPauseMs = 1000
const keptSeconds = 7 * 86_400

export const offerIdOf = (unitId: string): string => `${unitId}.offer`

export const offered = (unit: OfferedUnit, waits: string): Offer => ({
  ...unitOf(unit),
  id: offerIdOf(unit.unitId),
  type: 'offer',
  schema: 1,
  waits,
  state: 'queued',
  claims: 0,
  failures: 0,
  losses: 0,
  freeAtMs: 0,
})

const unitOf = ({ unitId, jobId, tenantId, assetId, version, plan, kind, chunk, sinceMs }: OfferedUnit) => ({
  ...{ unitId, jobId, tenantId, assetId, version, plan, kind, sinceMs },
  ...(chunk === undefined ? {} : { chunk }),
})

/** At `untilMs` a claim that was not renewed has lapsed, whatever became of its worker. */
const holds = ({ state, claim }: Offer, nowMs: number): boolean =>
  state === 'claimed' && claim !== undefined && nowMs < claim.untilMs

const lapsed = (offer: Offer, nowMs: number): boolean => offer.state === 'claimed' && !holds(offer, nowMs)

/** An orchestration begun anew tries again what ended the one before it; numbers of claims are never used twice. */
export const offeredAnew = (offer: Offer, waits: string): Offer => ({
  ...offered(offer, waits),
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
  isOf(offer, holder) && holds(offer, nowMs)

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
  if (outcome === 'returned') return { ...said, state: 'queued', freeAtMs: nowMs }
  const failures = offer.failures + 1
  if (failures >= mostFailures) return ended({ ...said, failures }, poison(failures))
  return { ...said, failures, state: 'queued', freeAtMs: nowMs + firstPauseMs * 2 ** failures }
}

/** For who waits: a unit whose workers are lost one after another is over too. */
export const lookedAt = (offer: Offer, nowMs: number): Offer =>
  lapsed(offer, nowMs) && !isFree(offer, nowMs)
    ? ended({ ...offer, losses: offer.losses + 1 }, poison(offer.losses + 1))
    : offer

/** One that failed stays for a while, with its log, when its title is cleaned away. */
const ended = (offer: Offer, result: UnitResult): Offer => ({
  ...offer,
  state: 'over',
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
export function inOrder(open: readonly Offer[], nowMs: number): Offer[] {
  const busy = new Map<string, number>()
  for (const offer of open)
    if (holds(offer, nowMs)) busy.set(offer.tenantId, (busy.get(offer.tenantId) ?? 0) + 1)
  const keyOf = (offer: Offer) => [
    offer.chunk === 0 ? 0 : 1,
    busy.get(offer.tenantId) ?? 0,
    offer.sinceMs,
    offer.chunk ?? 0,
  ]
  return open
    .filter((offer) => isFree(offer, nowMs))
    .map((offer) => ({ offer, key: keyOf(offer) }))
    .toSorted((a, b) => compare(a.key, b.key) || (a.offer.id < b.offer.id ? -1 : 1))
    .map(({ offer }) => offer)
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, n) => value !== b[n])
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}
