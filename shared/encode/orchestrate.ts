// The orchestrations of an encode: admitted, prepared, all units, then ready; or failed, and cleaned.
import type { OrchestrationContext, RetryOptions, Task } from 'durable-functions'
import { encodeInstanceId } from '../assets/model.ts'
import { transient } from '../core/retry.ts'
import { waitUntil } from '../core/wait-until.ts'
import type { EncodeTarget } from './ports.ts'
import {
  type ActivityName,
  activityNames,
  type Failure,
  type Finished,
  type Looked,
  type Outcome,
  type Part,
  type PlannedTarget,
  type Prepared,
  partName,
  partsOf,
  type QuoteTarget,
  type RetireTarget,
  reportedEvent,
  retireName,
  type Turn,
  unitName,
} from './work.ts'

type Steps<T> = Generator<Task, T, unknown>

/** A plain object in place of the library's class: nothing here may load the library. */
const retry = transient as unknown as RetryOptions

/** After this many steps the history begins anew: each replay reads all of it. */
const stepsOfHistory = 64

const start = (context: OrchestrationContext, name: ActivityName, input: unknown): Task =>
  context.df.callActivityWithRetry(activityNames[name], retry, input)

const afterSeconds = (context: OrchestrationContext, seconds: number): Date =>
  new Date(context.df.currentUtcDateTime.getTime() + seconds * 1000)

const pause = (context: OrchestrationContext, seconds: number): Task =>
  context.df.createTimer(afterSeconds(context, seconds))

/** Instance id `encode-{assetId}-v{version}`. A unit that fails has failed its title already; here it is cleaned up. */
export function* encodeAsset(context: OrchestrationContext): Steps<Outcome | undefined> {
  const target = context.df.getInput() as EncodeTarget
  let outcome: Outcome<Finished>
  try {
    const turn = yield* awaitTurn(context, target)
    if (!turn) return undefined
    outcome = turn.ok ? yield* encodeUnits(context, target) : turn
  } catch {
    outcome = exhausted
  }
  if (outcome.ok) return yield* retireFormer(context, target, outcome)
  if (isOutdated(outcome)) return yield* encodeAnew(context, target)
  return yield* failed(context, target, outcome)
}

/** Asks until it is this title's turn; undefined when the instance goes on with a new history. */
function* awaitTurn(context: OrchestrationContext, target: EncodeTarget): Steps<Outcome | undefined> {
  for (let step = 0; step < stepsOfHistory; step++) {
    const turn = (yield start(context, 'admit', target)) as Outcome<Turn>
    if (!turn.ok || turn.waitSeconds === 0) return turn
    yield pause(context, turn.waitSeconds)
  }
  context.df.continueAsNew(target)
  return undefined
}

function* encodeUnits(context: OrchestrationContext, target: EncodeTarget): Steps<Outcome<Finished>> {
  const prepared = (yield start(context, 'prepare', target)) as Outcome<Prepared>
  if (!prepared.ok) return prepared
  const planned = { ...target, plan: prepared.plan }
  const outcomes = (yield context.df.Task.all(startUnits(context, target, prepared))) as Outcome[]
  const failures = outcomes.filter((outcome): outcome is Failure => !outcome.ok)
  const failure = failures.find(isOutdated) ?? failures[0]
  if (failure) return failure
  const images = (yield start(context, 'images', planned)) as Outcome
  return images.ok ? ((yield start(context, 'finish', planned)) as Outcome<Finished>) : images
}

/** The opening and the sound are what the title's first second waits for; then the poster, which takes no time. */
function startUnits(context: OrchestrationContext, target: EncodeTarget, prepared: Prepared): Task[] {
  const { plan, fleetSinceMs, shared } = prepared
  const own = { ...target, plan }
  const given = { ...own, ...(fleetSinceMs === undefined ? {} : { fleetSinceMs }) }
  const first = shared ? own : given
  const rest = { ...given, ...(shared ? { shared } : {}) }
  return [
    startUnit(context, 'chunk', { ...first, chunk: 0 }),
    ...(prepared.hasAudio ? [startUnit(context, 'audio', first)] : []),
    start(context, 'poster', own),
    ...partsOf(rest, prepared).map((part) => context.df.callSubOrchestratorWithRetry(partName, retry, part)),
    ...(prepared.verified ? [start(context, 'verify', own)] : []),
  ]
}

/** By the executor that the title was prepared for: an activity of this app, or an orchestration that waits for a worker. */
const startUnit = (context: OrchestrationContext, kind: 'chunk' | 'audio', unit: FleetUnit): Task =>
  unit.fleetSinceMs === undefined
    ? start(context, kind, unit)
    : context.df.callSubOrchestratorWithRetry(unitName, retry, { ...unit, kind })

interface FleetUnit extends PlannedTarget {
  readonly chunk?: number
  readonly step?: number
  readonly passed?: number
  readonly fleetSinceMs?: number
  readonly shared?: true
  readonly alone?: boolean
}

/** What a part is told of its unit. */
type Done = Partial<Turn & Pick<Looked, 'unclaimed'>>

/**
 * A unit that a worker does, or the app in the end. The event only says that there is something to see: whether the unit is over stands in its
 * document, so that an event may be lost, come twice or early.
 */
export function* encodeUnit(context: OrchestrationContext): Steps<Outcome<Done> | undefined> {
  const unit = context.df.getInput() as FleetUnit
  let passed = unit.passed ?? 0
  for (let step = 0; step < stepsOfHistory; step++) {
    const asked = { ...unit, waits: context.df.instanceId }
    const looked = (yield start(context, 'offer', asked)) as Outcome<Looked>
    if (!looked.ok) return looked
    if (looked.over) return { ok: true }
    if (looked.unclaimed) {
      const done = (yield start(context, 'unclaimed', { ...asked, passed })) as Outcome<Partial<Turn>>
      if (!done.ok) return done
      if (!done.waitSeconds) return { ok: true, unclaimed: true }
      yield pause(context, done.waitSeconds)
      passed++
      step++
      continue
    }
    const again = context.df.createTimer(afterSeconds(context, looked.waitSeconds))
    const winner = yield context.df.Task.any([context.df.waitForExternalEvent(reportedEvent), again])
    if (winner !== again) again.cancel()
  }
  context.df.continueAsNew({ ...unit, passed })
  return undefined
}

/**
 * Every nth chunk of a title that has n parts, one after another: together the parts are a window that slides over the
 * title, with no task that is waited for twice, which Durable Functions does not bear. What is wrong ends the title at once.
 */
export function* encodePart(context: OrchestrationContext): Steps<Outcome | undefined> {
  const part = context.df.getInput() as Part
  const { chunk: first, step, chunks, passed: _, ...planned } = part
  let chunk = first
  let passed = part.passed ?? 0
  let alone = part.alone ?? false
  try {
    for (let steps = 0; chunk < chunks; steps++) {
      if (steps === stepsOfHistory) {
        context.df.continueAsNew({ ...part, chunk, passed, alone })
        return undefined
      }
      const unit = { ...planned, chunk, step, passed, alone }
      const outcome = (yield startUnit(context, 'chunk', unit)) as Outcome<Done>
      if (!outcome.ok) return outcome
      if (outcome.waitSeconds) {
        yield pause(context, outcome.waitSeconds)
        passed++
      } else {
        chunk += step
        passed = 0
        alone = outcome.unclaimed ?? false
      }
    }
    return { ok: true }
  } catch {
    // The parent hears of it when all parts have ended: they stop because the title has.
    const { tenantId, assetId, version } = planned
    return yield* failed(context, { tenantId, assetId, version }, exhausted)
  }
}

const isOutdated = (outcome: Outcome): boolean => !outcome.ok && outcome.code === 'encode-outdated'

const exhausted: Failure = { ok: false, code: 'encode-failed', detail: '' }

function* failed(context: OrchestrationContext, target: EncodeTarget, failure: Failure): Steps<Outcome> {
  const { code, detail } = failure
  yield start(context, 'fail', { ...target, code, ...(detail ? { detail } : {}) })
  return failure
}

/** The next version has an instance of its own, so that no unit of this one can be taken for one of its. */
function* encodeAnew(context: OrchestrationContext, target: EncodeTarget): Steps<Outcome> {
  yield start(context, 'renew', target)
  const next = { ...target, version: target.version + 1 }
  const instanceId = encodeInstanceId(next.assetId, next.version)
  return (yield context.df.callSubOrchestratorWithRetry('encode-asset', retry, next, instanceId)) as Outcome
}

/** After a title was encoded anew: the former version goes once nobody can be in the middle of it. */
function* retireFormer(
  context: OrchestrationContext,
  target: EncodeTarget,
  { until }: Finished,
): Steps<Outcome> {
  if (until !== undefined) {
    const instanceId = `retire-${target.assetId}-v${target.version}`
    yield context.df.callSubOrchestratorWithRetry(retireName, retry, { ...target, until }, instanceId)
  }
  return { ok: true }
}

const pauseMs = 900_000

/** Instance id `retire-{assetId}-v{version}` of the version that took over. A store that is away only delays it. */
export function* retireVersions(context: OrchestrationContext): Steps<Outcome | undefined> {
  const target = context.df.getInput() as RetireTarget
  try {
    yield* waitUntil(context, Date.parse(target.until))
    return (yield start(context, 'retire', target)) as Outcome
  } catch {
    yield* waitUntil(context, context.df.currentUtcDateTime.getTime() + pauseMs)
  }
  context.df.continueAsNew(target)
  return undefined
}

/** Instance id `quote-{assetId}-{of the file}`. What can't be found out is said, too. */
export function* quoteAsset(context: OrchestrationContext): Steps<Outcome> {
  const target = context.df.getInput() as QuoteTarget
  try {
    return (yield start(context, 'quote', target)) as Outcome
  } catch {
    return (yield start(context, 'quote', { ...target, code: 'unavailable' })) as Outcome
  }
}

/** For what failed or was deleted outside of an encode: an abandoned upload, a title that its tenant removed. */
export function* cleanAsset(context: OrchestrationContext): Steps<Outcome> {
  return (yield start(context, 'fail', context.df.getInput())) as Outcome
}
