// What becomes of a unit that no worker takes: after a while it is this app's, unless a worker is faster at the last moment.
import { isOfBeginning } from './beginning.ts'
import { encodeChunk, letsPass } from './chunk.ts'
import { dueAtMs, ended, isDue, isFree, offerIdOf, taken } from './claims.ts'
import type { EncodeDeps } from './deps.ts'
import type { Plan } from './plan.ts'
import type { Offer, OfferedUnit } from './ports.ts'
import { doneId, jobOf } from './units.ts'
import { settle } from './watch.ts'
import type { Outcome, Turn, UnclaimedTarget, UnitTarget } from './work.ts'

/** Where nobody came for the unit before it either: time for a worker that has woken up meanwhile to find this one. */
const aloneMs = 10_000
/** Of the beginning: time for a worker that is awake and has nothing to do. */
const beginningMs = 3000
/** One that is due waits so long for those that have waited longer. */
const againMs = 10_000

/** How long a unit is left to workers, and why no longer; nothing of that where it is theirs alone. */
export function patienceOf(
  deps: EncodeDeps,
  plan: Plan,
  { shared, alone, chunk = 0, step = 0 }: UnitTarget,
): Pick<OfferedUnit, 'patienceMs' | 'alone'> {
  const { patienceMs } = deps.limits
  if (!shared) return {}
  if (isOfBeginning(deps, plan, chunk)) return { patienceMs: Math.min(beginningMs, patienceMs) }
  // That nobody came for one of the beginning, which did not wait for anybody, says nothing.
  if (alone && !isOfBeginning(deps, plan, chunk - step))
    return { patienceMs: Math.min(aloneMs, patienceMs), alone: true }
  return { patienceMs }
}

/** Until there may be something new to see about it. */
export function waitsMs(offer: Offer, nowMs: number): number {
  if (!isFree(offer, nowMs)) return Number.POSITIVE_INFINITY
  if (!isDue(offer, nowMs)) return dueAtMs(offer) - nowMs
  return Math.min(againMs, offer.patienceMs ?? againMs)
}

/**
 * Whether the app is to take it. Of one title it takes as many at a time as it would have under way without a fleet, from
 * its start on: others' units are not behind all of them, and a worker that comes late finds the rest.
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

const isBefore = (a: Offer, b: Offer): boolean => (a.chunk ?? 0) < (b.chunk ?? 0)

const againSeconds = 1

/** encode-unclaimed: the activity of a chunk, once its document says that the unit is this app's; so either the app does it or a worker, never both. */
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
    // The last of its part has nobody who takes its place, and would look like work of the app until the title is ready.
    if (offer.rest === 0) await deps.offers.remove(jobId, id)
    else
      await deps.offers.change(jobId, id, (current) =>
        current?.state === 'taken' ? ended(current, { ok: true }) : 'unchanged',
      )
    return { ok: true }
  })
