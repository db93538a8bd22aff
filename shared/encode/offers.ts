// encode-offer: puts a unit where workers find it, then tells its orchestration whether it is over, or is the app's to do.
import type { Asset } from '../assets/model.ts'
import { Problem } from '../core/problem.ts'
import { lookedAt, offered, offeredAnew, offerIdOf } from './claims.ts'
import type { EncodeDeps } from './deps.ts'
import { effortOf, soundPixels } from './effort.ts'
import { audioRendition, type Plan } from './plan.ts'
import type { Offer, OfferedUnit } from './ports.ts'
import { isUnclaimed, patienceOf, waitsMs } from './unclaimed.ts'
import { readTitle, requireBuild } from './unit.ts'
import { doneId, jobOf } from './units.ts'
import { showWaking } from './waking.ts'
import { settle, titleOf } from './watch.ts'
import type { Looked, Outcome, UnitTarget } from './work.ts'

const latestLookMs = 30_000
const over: Looked & { ok: true } = { ok: true, over: true, waitSeconds: 0 }

/** Repeatable at any time; what a unit ended with stays the same, and is the title's own failure when it is one. */
export const lookAt = (deps: EncodeDeps, target: UnitTarget): Promise<Outcome<Looked>> =>
  settle(deps, target, async () => {
    const { plan, title } = await readTitle(deps, target)
    // Where this app has another ffmpeg than the plan, the title begins anew; where a worker has, that is the worker's fault.
    await requireBuild(deps, plan)
    const unit = unitOf(deps, target, plan)
    const id = offerIdOf(unit.unitId)
    const before = await deps.offers.get(unit.jobId, id)
    // A late repetition: what was over is gone already.
    if (!before && (await deps.units.get(unit.jobId, unit.unitId))) return over
    const look = (current: Offer | undefined): Offer => {
      const by = { waits: target.waits, nowMs: deps.offers.now() }
      const next = current ? lookedAt(current, by.nowMs) : offered(unit, by)
      if (next.waits === by.waits) return next
      // Whoever asks last is who waits: an orchestration that was begun anew has another id.
      return next.result?.ok === false ? offeredAnew(next, by) : { ...next, waits: by.waits }
    }
    const change = (current: Offer | undefined) => {
      const next = look(current)
      return next === current ? 'unchanged' : next
    }
    const isSame = before && look(before) === before
    const offer = isSame ? before : await deps.offers.change(unit.jobId, id, change, formerOf(target))
    if (!offer) throw new Error('the unit was not offered')
    if (!before) {
      deps.backlog.changed()
      // Cancelled meanwhile: then its offers were taken away before there was this one.
      await titleOf(deps, target)
    }
    if (offer.state !== 'over') return waiting(deps, { title, plan, offer, isFresh: !before })
    const { result, log } = offer
    if (result && !result.ok) {
      deps.log('error', 'encode.unit-failed', { unit: unit.unitId, code: result.code, log })
      throw new Problem(result.code, { detail: result.detail })
    }
    // One that others follow tells what is left of its part until the next one does.
    if (offer.rest === 0) await deps.offers.remove(unit.jobId, id)
    return over
  })

interface Waiting {
  readonly title: Asset
  readonly plan: Plan
  readonly offer: Offer
  readonly isFresh: boolean
}

async function waiting(deps: EncodeDeps, { isFresh, ...offered }: Waiting): Promise<Outcome<Looked>> {
  const { offer } = offered
  const fresh = isFresh ? { fresh: true } : {}
  if (await isUnclaimed(deps, offer)) return { ...over, over: false, unclaimed: true, ...fresh }
  await showWaking(deps, offered)
  const leastMs = Math.min(latestLookMs, deps.limits.claimMs, waitsMs(offer, deps.offers.now()))
  return { ok: true, over: false, waitSeconds: Math.max(1, Math.ceil(leastMs / 1000)), ...fresh }
}

/** The one before it in its part of the window, whose place this one takes: what is left is told without a gap. */
function formerOf({ chunk, step, ...target }: UnitTarget): string | undefined {
  if (chunk === undefined || step === undefined || chunk <= step) return undefined
  return offerIdOf(doneId(jobOf(target), chunk - step))
}

function unitOf(deps: EncodeDeps, target: UnitTarget, plan: Plan): OfferedUnit {
  const { tenantId, assetId, version, kind, chunk, step } = target
  const jobId = jobOf(target)
  const effort =
    chunk === undefined ? { pixels: soundPixels(plan), rest: 0 } : effortOf(plan, { chunk, step })
  return {
    ...{ tenantId, assetId, version, plan: target.plan, kind, jobId, ...effort },
    unitId: doneId(jobId, chunk ?? audioRendition),
    ...(chunk === undefined ? {} : { chunk }),
    ...patienceOf(deps, plan, target),
    sinceMs: target.fleetSinceMs,
  }
}
