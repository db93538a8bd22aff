// The orchestrations of protect: a title's content keys are changed, and all keys are wrapped by the newest KEK.
import type { OrchestrationContext, RetryOptions, Task } from 'durable-functions'
import { transient } from '../core/retry.ts'
import { waitUntil } from '../core/wait-until.ts'
import {
  type ActivityName,
  activityNames,
  type Failure,
  type Outcome,
  type RekeyProgress,
  type Rewrapped,
} from './work.ts'

type Steps<T> = Generator<Task, T, unknown>

/** A plain object in place of the library's class: nothing here may load the library. */
const retry = transient as unknown as RetryOptions

/** Of a few that an app runs at once, so that a film that is being encoded goes on. */
const batchesAtOnce = 2
/** Then the history begins anew: each replay reads all of it. */
const batchesOfHistory = 100
const rewrapsOfHistory = 20
const pauseMs = 900_000

const start = (context: OrchestrationContext, name: ActivityName, input: unknown): Task =>
  context.df.callActivityWithRetry(activityNames[name], retry, input)

/**
 * Instance id `rekey-{assetId}-v{version}.{generation}`: seals all segments anew, switches the title, and once players
 * that began before are done, takes away what was. A store that is away for long only delays it.
 */
export function* rekeyAsset(context: OrchestrationContext): Steps<Outcome | undefined> {
  const begun = context.df.getInput() as RekeyProgress
  const progress = { ...begun }
  try {
    const outcome = progress.until ? undefined : yield* sealAnew(context, progress)
    if (outcome) return outcome
    if (begun.until) {
      yield* waitUntil(context, Date.parse(begun.until))
      return (yield start(context, 'rekeyRetire', targetOf(begun))) as Outcome
    }
  } catch {
    yield* waitUntil(context, context.df.currentUtcDateTime.getTime() + pauseMs)
  }
  context.df.continueAsNew(progress)
  return undefined
}

const targetOf = ({ tenantId, assetId, version, generation }: RekeyProgress) => ({
  ...{ tenantId, assetId, version, generation },
})

/** Notes in `progress` how far it came; a failure that no repetition cures is the outcome. */
function* sealAnew(
  context: OrchestrationContext,
  progress: { -readonly [K in keyof RekeyProgress]: RekeyProgress[K] },
): Steps<Failure | undefined> {
  const target = targetOf(progress)
  const begun = (yield start(context, 'rekeyBegin', target)) as Outcome<{ batches: number }>
  if (!begun.ok) return begun
  const first = progress.done ?? 0
  const end = Math.min(begun.batches, first + batchesOfHistory)
  for (let at = first; at < end; at = progress.done) {
    const next = Math.min(at + batchesAtOnce, end)
    const wave = Array.from({ length: next - at }, (_, n) =>
      start(context, 'rekeyBatch', { ...target, batch: at + n }),
    )
    const outcomes = (yield context.df.Task.all(wave)) as Outcome[]
    const failure = outcomes.find((outcome): outcome is Failure => !outcome.ok)
    if (failure) return failure
    progress.done = next
  }
  if (end < begun.batches) return undefined
  const switched = (yield start(context, 'rekeySwitch', target)) as Outcome<{ until: string }>
  if (!switched.ok) return switched
  progress.until = switched.until
  return undefined
}

/** Instance id `rewrap`: harmless when repeated, and nothing to do for it once all is wrapped by the newest KEK. */
export function* rewrapKeys(context: OrchestrationContext): Steps<{ ok: boolean; lost: number } | undefined> {
  for (let batch = 0; batch < rewrapsOfHistory; batch++) {
    const { found, lost } = (yield start(context, 'rewrap', {})) as Rewrapped
    if (found === lost) return { ok: lost === 0, lost }
  }
  context.df.continueAsNew({})
  return undefined
}
