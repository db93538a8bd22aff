// What becomes of a unit that no worker takes: after a while it is this app's, unless a worker is faster at the last moment.
import { encodeChunk, letsPass } from './chunk.ts'
import { dueAtMs, ended, isDue, isFree, offerIdOf, taken } from './claims.ts'
import type { EncodeDeps } from './deps.ts'
import type { Offer } from './ports.ts'
import { doneId, jobOf } from './units.ts'
import { settle } from './watch.ts'
import type { Outcome, Turn, UnclaimedTarget, UnitTarget } from './work.ts'

/** Where nobody came for the unit before it either: time for a worker that has woken up meanwhile to find this one. */
const aloneMs = 10_000
/** One that is due waits so long for those that have waited longer. */
const againMs = 10_000

/** How long a unit is left to workers; undefined where it is theirs alone. */
export function patienceOf(deps: EncodeDeps, { shared, alone }: UnitTarget): number | undefined {
  if (!shared) return undefined
  return alone ? Math.min(aloneMs, deps.limits.patienceMs) : deps.limits.patienceMs
}

/** Until there may be something new to see about it. */
export function waitsMs(offer: Offer, nowMs: number): number {
  if (!isFree(offer, nowMs)) return Number.POSITIVE_INFINITY
  return isDue(offer, nowMs) ? againMs : dueAtMs(offer) - nowMs
}

/**
 * Whether the app is to take it. Of one title it takes as many at a time as it would have under way without a fleet,
 * those first that have waited longest: others' units are not behind all of them, and a worker that comes late finds the rest.
 */
export async function isUnclaimed(deps: EncodeDeps, offer: Offer): Promise<boolean> {
  if (offer.state === 'taken') return true
  const nowMs = deps.offers.now()
  if (!isDue(offer, nowMs)) return false
  const all = await deps.offers.list(offer.jobId)
  const before = all.filter(
    (other) => other.state === 'taken' || (isDue(other, nowMs) && isBefore(other, offer)),
  )
  return before.length < deps.limits.window
}

const isBefore = (a: Offer, b: Offer): boolean =>
  (dueAtMs(a) - dueAtMs(b) || (a.chunk ?? 0) - (b.chunk ?? 0)) < 0

const againSeconds = 1

/** encode-unclaimed: the activity of a chunk, once the unit is this app's by its document; so it is one of both who does it. */
export const encodeUnclaimed = (deps: EncodeDeps, target: UnclaimedTarget): Promise<Outcome<Partial<Turn>>> =>
  settle(deps, target, async () => {
    if (await letsPass(deps, target)) return { ok: true, waitSeconds: againSeconds }
    const jobId = jobOf(target)
    const id = offerIdOf(doneId(jobId, target.chunk))
    const offer = await deps.offers.change(jobId, id, (current) => {
      const next = current && taken(current, deps.offers.now())
      return next && next !== current ? next : 'unchanged'
    })
    // A worker has it, has had it, or it is nobody's any more: the next look tells.
    if (offer?.state !== 'taken') return { ok: true, waitSeconds: againSeconds }
    deps.backlog.changed()
    deps.log('info', 'encode.unclaimed', { unit: offer.unitId })
    const outcome = await encodeChunk(
      { ...deps, isOffered: true },
      { ...target, passed: Number.MAX_SAFE_INTEGER },
    )
    if (!outcome.ok) return outcome
    await deps.offers.change(jobId, id, (current) =>
      current?.state === 'taken' ? ended(current, { ok: true }) : 'unchanged',
    )
    return { ok: true }
  })
