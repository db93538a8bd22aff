// The orchestrations of the fleet: one drives a node from its wake to its first beat, one from its drain to its sleep.
import type { OrchestrationContext, RetryOptions, Task } from 'durable-functions'
import { transient } from '../core/retry.ts'
import { type ActivityName, activityNames, type Progress, type Step } from './work.ts'

type Steps = Generator<Task, void, unknown>

/** A plain object in place of the library's class: nothing here may load the library. */
const retry = transient as unknown as RetryOptions

/** After this many steps the history begins anew: each replay reads all of it. */
const stepsOfHistory = 64
/** A store that is away for longer than the retries only delays it. */
const awaySeconds = 30

/** Nothing but "over" ends it, and only an activity that has read the node's document says that. */
function* drive(context: OrchestrationContext, first: ActivityName): Steps {
  let { next = first, ...target } = context.df.getInput() as Progress
  for (let count = 0; count < stepsOfHistory; count++) {
    let waitSeconds = awaySeconds
    try {
      const step = (yield context.df.callActivityWithRetry(activityNames[next], retry, target)) as Step
      if (step.next === 'over') return
      const { pool, node, epoch } = target
      target = { pool, node, epoch, ...(step.asked ? { asked: step.asked } : {}) }
      next = step.next
      waitSeconds = step.waitSeconds
    } catch {
      // The same step again.
    }
    if (waitSeconds > 0) {
      const at = context.df.currentUtcDateTime.getTime() + waitSeconds * 1000
      yield context.df.createTimer(new Date(at))
    }
  }
  context.df.continueAsNew({ ...target, next })
}

/** Instance id `wake-{node}-{epoch}`. A wake that comes to nothing goes on until its machine sleeps. */
export function* fleetWake(context: OrchestrationContext): Steps {
  yield* drive(context, 'start')
}

/** Instance id `drain-{node}-{epoch}`. */
export function* fleetDrain(context: OrchestrationContext): Steps {
  yield* drive(context, 'stop')
}
