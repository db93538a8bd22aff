// encode-offer: puts a unit where workers find it, then tells who waits whether it is over.
import { Problem } from '../core/problem.ts'
import { lookedAt, offered, offeredAnew, offerIdOf } from './claims.ts'
import type { EncodeDeps } from './deps.ts'
import { audioRendition } from './plan.ts'
import type { OfferedUnit } from './ports.ts'
import { readPlan, requireBuild } from './unit.ts'
import { doneId, jobOf } from './units.ts'
import { settle } from './watch.ts'
import type { Looked, Outcome, UnitTarget } from './work.ts'

const latestLookSeconds = 30

/** Repeatable at any time; what a unit ended with stays the same, and is the title's own failure when it is one. */
export const lookAt = (deps: EncodeDeps, target: UnitTarget): Promise<Outcome<Looked>> =>
  settle(deps, target, async () => {
    // Where this app has another ffmpeg than the plan, the title begins anew; where a worker has, that is the worker's fault.
    await requireBuild(deps, await readPlan(deps, target))
    const unit = unitOf(target)
    const id = offerIdOf(unit.unitId)
    const offer = await deps.offers.change(unit.jobId, id, (current) => {
      const next = current ? lookedAt(current, deps.offers.now()) : offered(unit, target.waits)
      if (next.waits === target.waits) return next === current ? 'unchanged' : next
      // Whoever asks last is who waits: an orchestration that was begun anew has another id.
      return next.result?.ok === false ? offeredAnew(next, target.waits) : { ...next, waits: target.waits }
    })
    const waitSeconds = Math.min(latestLookSeconds, Math.ceil(deps.limits.claimMs / 1000))
    if (offer?.state !== 'over') return { ok: true, over: false, waitSeconds }
    const { result, log } = offer
    if (result && !result.ok) {
      deps.log('error', 'encode.unit-failed', { unit: unit.unitId, code: result.code, log })
      throw new Problem(result.code, { detail: result.detail })
    }
    await deps.offers.remove(unit.jobId, id)
    return { ok: true, over: true, waitSeconds: 0 }
  })

function unitOf({ waits, fleetSinceMs, chunk, ...target }: UnitTarget): OfferedUnit {
  const jobId = jobOf(target)
  return {
    ...target,
    jobId,
    unitId: doneId(jobId, chunk ?? audioRendition),
    ...(chunk === undefined ? {} : { chunk }),
    sinceMs: fleetSinceMs,
  }
}
