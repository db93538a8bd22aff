// Decides, from what the orchestrator answered, what an episode writes, starts and ends.
import { type Action, findRepetition, isNumbered, type Numbered } from './actions.ts'
import { type Execution, endedTask, isFailure, takesHiddenNumber } from './execution.ts'
import { codes, type HistoryEvent, historyEvent } from './history.ts'
import { type Plan, planActivity, planChild, planTimer } from './plan.ts'
import { isIntegerLike, isTooLarge, maxCustomStatusBytes, nondeterminism, refusals } from './refusals.ts'
import { retryDelayMs } from './retry.ts'

/** What the orchestrator answered. */
export interface Answer {
  readonly isDone: boolean
  readonly actions: readonly Action[]
  readonly output: string
  readonly error: string | undefined
  readonly customStatus: string | undefined
  /** The library's own objects; absent when the orchestrator threw. */
  readonly raw: unknown
}

export interface Surroundings {
  readonly nowMs: number
  readonly activities: ReadonlySet<string>
  readonly orchestrators: ReadonlySet<string>
  readonly defaultVersion: string
  /** Status of the unfinished instance of that id, if there is one. */
  activeStatus(instanceId: string): string | undefined
}

export interface Ending {
  readonly status: 'Completed' | 'Failed' | 'Terminated'
  /** JSON text. */
  readonly output: string
}

export interface Decision {
  readonly plan: Plan
  readonly cancelled: readonly number[]
  readonly customStatus?: string | undefined
  readonly isEnding?: boolean
  readonly end?: Ending
  /** continueAsNew: the next input, and names of events that were delivered and never awaited. */
  readonly again?: { input: string; lost: readonly string[] }
}

/** `execution` holds the history up to and with the batch that the orchestrator has just seen. */
export function decide(
  execution: Execution,
  turn: { batch: readonly HistoryEvent[]; answer: Answer; around: Surroundings },
): Decision {
  const { batch, answer, around } = turn
  const plan = emptyPlan(execution, around.nowMs)
  const refusal =
    refuse(execution, answer) ??
    refuseSizes(answer) ??
    planHidden(plan, { execution, batch, around }) ??
    planNew(plan, { execution, answer, around })
  if (refusal !== undefined) return failed(execution, around.nowMs, refusal)
  const cancelled = cancelledTimers(execution, answer.actions)
  const decision: Decision = { plan, cancelled, customStatus: answer.customStatus }
  if (!answer.isDone && answer.error === undefined) return decision
  if (isBusy(execution, decision)) return { ...decision, isEnding: true }
  return { ...decision, ...outcome(execution, answer) }
}

/** An orchestration that the engine ends by itself; nothing that it asked for is started. */
export function failed(execution: Execution, nowMs: number, reason: string): Decision {
  const output = reason.startsWith('Non-Deterministic')
    ? reason
    : `Orchestrator function '${execution.name}' failed: ${reason}`
  const end = { status: 'Failed', output: JSON.stringify(output) } as const
  return { plan: emptyPlan(execution, nowMs), cancelled: [], end }
}

export function emptyPlan({ executionId, nextId }: Execution, nowMs: number): Plan {
  return { nowMs, executionId, nextId, events: [], activities: [], children: [], timers: [] }
}

function refuse(execution: Execution, answer: Answer): string | undefined {
  for (const action of answer.actions) {
    if (action.kind === 'unsupported') return refusals.unsupported(action.name)
    if (action.kind === 'event' && isIntegerLike(action.name)) return refusals.integerEvent(action.name)
  }
  return refuseRepetition(execution, answer) ?? refuseChange(execution, answer.actions)
}

function refuseRepetition(execution: Execution, { actions, raw }: Answer): string | undefined {
  const repetition = raw === undefined ? undefined : findRepetition(raw)
  if (!repetition) return undefined
  const isFinished = (place: number) => {
    const action = actions[place]
    if (!action) return false
    const before = actions.slice(0, place)
    if (action.kind === 'event') {
      const waits = before.filter(({ kind, name }) => kind === 'event' && name === action.name).length
      return (execution.raised.get(action.name) ?? 0) > waits
    }
    return execution.finished.has(execution.scheduled[before.filter(isNumbered).length] ?? -1)
  }
  if (repetition.members.every(isFinished)) return refusals.allFinished()
  const { kind, name } = actions[repetition.first]!
  const what = name ? `${kind} '${name}'` : kind
  return isFinished(repetition.first) ? refusals.finishedAgain(what) : refusals.pendingAgain(what)
}

function refuseChange(execution: Execution, actions: readonly Action[]): string | undefined {
  const numbered = actions.filter(isNumbered)
  for (const [place, id] of execution.scheduled.entries()) {
    const recorded = execution.tasks.get(id)!
    const now = numbered[place]
    if (now?.kind !== recorded.kind || now.name !== recorded.name) return nondeterminism(recorded, now)
  }
  return undefined
}

function refuseSizes({ customStatus, output }: Answer): string | undefined {
  const customStatusBytes = (customStatus?.length ?? 0) * 2
  if (customStatusBytes > maxCustomStatusBytes) return refusals.customStatus(customStatusBytes)
  return isTooLarge(output) ? refusals.tooLarge('The output', Buffer.byteLength(output)) : undefined
}

/** Retry timers and repeated attempts: durable-functions numbers them before it resumes the orchestrator. */
function planHidden(
  plan: Plan,
  turn: { execution: Execution; batch: readonly HistoryEvent[]; around: Surroundings },
): string | undefined {
  const { execution, batch, around } = turn
  for (const event of batch.filter((event) => takesHiddenNumber(execution, event))) {
    const { root } = execution.tasks.get(endedTask(event)!)!
    const retrying = execution.retrying.get(root)!
    const { kind, name } = execution.tasks.get(root)!
    if (isFailure(event)) {
      const delayMs = retryDelayMs(retrying, plan.nowMs)
      if (delayMs === undefined) return refusals.retryTimeout(name)
      planTimer(plan, { fireAtMs: plan.nowMs + delayMs, root })
    } else if (retrying.attempts < retrying.policy.maxNumberOfAttempts) {
      const { input, instanceId, version } = retrying
      const status = instanceId && around.activeStatus(instanceId)
      if (status) return refusals.childRunning(instanceId!, status)
      if (kind === 'activity') planActivity(plan, { name, input, root })
      else planChild(plan, { name, input: input ?? 'null', instanceId, version: version ?? '', root })
    }
  }
  return undefined
}

function planNew(
  plan: Plan,
  { execution, answer, around }: { execution: Execution; answer: Answer; around: Surroundings },
): string | undefined {
  for (const action of answer.actions.filter(isNumbered).slice(execution.scheduled.length)) {
    const refusal = refuseTask(action, around) ?? planTask(plan, action, around)
    if (refusal !== undefined) return refusal
  }
  const again = answer.actions.find(({ kind }) => kind === 'again')
  return again?.kind === 'again' && isTooLarge(again.input)
    ? refusals.tooLarge('The input of continueAsNew', Buffer.byteLength(again.input))
    : undefined
}

function refuseTask(action: Numbered, { activities, orchestrators }: Surroundings): string | undefined {
  if (action.kind === 'timer')
    return Number.isNaN(Date.parse(action.fireAt ?? '')) ? refusals.badTimer() : undefined
  const isActivity = action.kind === 'activity'
  if (isActivity && !activities.has(action.name)) return refusals.unknownActivity(action.name, activities)
  if (!isActivity && !orchestrators.has(action.name))
    return refusals.unknownOrchestrator(action.name, orchestrators)
  return isTooLarge(action.input)
    ? refusals.tooLarge(`The input of '${action.name}'`, Buffer.byteLength(action.input!))
    : undefined
}

function planTask(plan: Plan, action: Numbered, around: Surroundings): string | undefined {
  if (action.kind === 'activity') planActivity(plan, action)
  else if (action.kind === 'timer')
    planTimer(plan, { fireAtMs: Date.parse(action.fireAt!), isCancelled: action.isCancelled })
  else {
    const { instanceId } = action
    const isPlanned = plan.children.some((child) => child.instanceId === instanceId)
    const status = isPlanned ? 'Pending' : instanceId && around.activeStatus(instanceId)
    if (status) return refusals.childRunning(instanceId!, status)
    planChild(plan, { ...action, version: action.version ?? around.defaultVersion })
  }
  return undefined
}

function cancelledTimers(execution: Execution, actions: readonly Action[]): number[] {
  return actions
    .filter(isNumbered)
    .slice(0, execution.scheduled.length)
    .flatMap((action, place) =>
      action.kind === 'timer' && action.isCancelled ? [execution.scheduled[place]!] : [],
    )
    .filter((id) => execution.tasks.get(id)?.isOpen)
}

/** The real engine ends no orchestration before its last open task: one forgotten timer keeps it running. */
function isBusy(execution: Execution, { plan, cancelled }: Decision): boolean {
  if (plan.activities.length + plan.children.length + plan.timers.length > 0) return true
  return execution.openTasks > cancelled.length
}

function outcome(execution: Execution, answer: Answer): Pick<Decision, 'end' | 'again'> {
  if (answer.error !== undefined) {
    const output = JSON.stringify(`Orchestrator function '${execution.name}' failed: ${answer.error}`)
    return { end: { status: 'Failed', output } }
  }
  const again = answer.actions.find((action) => action.kind === 'again')
  if (!again) return { end: { status: 'Completed', output: answer.output } }
  const waits = Map.groupBy(answer.actions, ({ kind, name }) => (kind === 'event' ? name : ''))
  const lost = [...execution.raised].filter(([name, count]) => count > (waits.get(name)?.length ?? 0))
  return { again: { input: again.input, lost: lost.map(([name]) => name) } }
}

/** The last event of a finished history. */
export function endEvent({ status, output }: Ending, nowMs: number): HistoryEvent {
  return historyEvent(codes.executionCompleted, nowMs, { OrchestrationStatus: status, Result: output })
}
