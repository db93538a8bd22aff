// The orchestration of an encode: prepare, then all units at once, then ready; or failed, and cleaned.
import type { OrchestrationContext, RetryOptions, Task } from 'durable-functions'
import { encodeInstanceId } from '../assets/model.ts'
import { transient } from '../core/retry.ts'
import type { EncodeTarget } from './ports.ts'
import { type ActivityName, activityNames, type Failure, type Outcome, type Prepared } from './work.ts'

type Steps<T> = Generator<Task, T, unknown>

/** A plain object in place of the library's class: nothing here may load the library. */
const retry = transient as unknown as RetryOptions

const start = (context: OrchestrationContext, name: ActivityName, input: unknown): Task =>
  context.df.callActivityWithRetry(activityNames[name], retry, input)

/** The first units are those that the title's first second waits for; then its face, which takes no time. */
function startUnits(context: OrchestrationContext, target: EncodeTarget, prepared: Prepared): Task[] {
  const planned = { ...target, plan: prepared.plan }
  const chunks = Array.from({ length: prepared.chunks }, (_, chunk) =>
    start(context, 'chunk', { ...planned, chunk }),
  )
  const [first, ...rest] = chunks
  return [
    ...(first ? [first] : []),
    ...(prepared.hasAudio ? [start(context, 'audio', planned)] : []),
    start(context, 'poster', planned),
    ...rest,
    ...(prepared.hasChecksum ? [start(context, 'verify', target)] : []),
  ]
}

function* encodeUnits(context: OrchestrationContext, target: EncodeTarget): Steps<Outcome> {
  const prepared = (yield start(context, 'prepare', target)) as Outcome<Prepared>
  if (!prepared.ok) return prepared
  const outcomes = (yield context.df.Task.all(startUnits(context, target, prepared))) as Outcome[]
  const failures = outcomes.filter((outcome): outcome is Failure => !outcome.ok)
  const failure = failures.find(isOutdated) ?? failures[0]
  return failure ?? ((yield start(context, 'finish', { ...target, plan: prepared.plan })) as Outcome)
}

const isOutdated = (outcome: Outcome): boolean => !outcome.ok && outcome.code === 'encode-outdated'

const exhausted: Failure = { ok: false, code: 'encode-failed', detail: '' }

/** Instance id `encode-{assetId}-v{version}`. A unit that fails has failed its title already; here it is cleaned up. */
export function* encodeAsset(context: OrchestrationContext): Steps<Outcome> {
  const target = context.df.getInput() as EncodeTarget
  let outcome: Outcome
  try {
    outcome = yield* encodeUnits(context, target)
  } catch {
    outcome = exhausted
  }
  if (outcome.ok) return outcome
  if (isOutdated(outcome)) return yield* encodeAnew(context, target)
  const { code, detail } = outcome
  yield start(context, 'fail', { ...target, code, ...(detail ? { detail } : {}) })
  return outcome
}

/** The next version has an instance of its own, so that no unit of this one can be taken for one of its. */
function* encodeAnew(context: OrchestrationContext, target: EncodeTarget): Steps<Outcome> {
  yield start(context, 'renew', target)
  const next = { ...target, version: target.version + 1 }
  const instanceId = encodeInstanceId(next.assetId, next.version)
  return (yield context.df.callSubOrchestratorWithRetry('encode-asset', retry, next, instanceId)) as Outcome
}

/** For what failed or was deleted outside of an encode: an abandoned upload, a title that its tenant removed. */
export function* cleanAsset(context: OrchestrationContext): Steps<Outcome> {
  return (yield start(context, 'fail', context.df.getInput())) as Outcome
}
