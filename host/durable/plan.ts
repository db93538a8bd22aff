// What one episode will write and start: events for the history, and the work that goes with them.
import { codes, historyEvent, type RetryPolicy, type StoredEvent } from './history.ts'
import { timerDueMs } from './retry.ts'

export interface Plan {
  readonly nowMs: number
  readonly executionId: string
  nextId: number
  readonly events: StoredEvent[]
  readonly activities: PlannedActivity[]
  readonly children: PlannedChild[]
  readonly timers: PlannedTimer[]
}

export interface PlannedActivity {
  readonly task: number
  readonly name: string
  readonly input: string | undefined
  readonly isRetriable: boolean
}

export interface PlannedChild {
  readonly task: number
  readonly instanceId: string
  readonly name: string
  readonly input: string
  readonly version: string
}

export interface PlannedTimer {
  readonly task: number
  readonly fireAt: string
  readonly dueMs: number
}

interface Scheduling {
  readonly name: string
  readonly retry?: RetryPolicy
  readonly root?: number
}

/** The policy and all that another attempt needs stand beside the first event; later ones only point to it. */
function noteOf(
  { retry, root }: Scheduling,
  kept: { input: string | undefined; instanceId?: string | undefined },
) {
  if (root !== undefined) return { root }
  return retry ? { retry, ...kept } : undefined
}

export function planActivity(plan: Plan, activity: Scheduling & { input: string | undefined }): void {
  const task = plan.nextId++
  const { name, input, retry, root } = activity
  const event = historyEvent(codes.taskScheduled, plan.nowMs, { EventId: task, Name: name })
  plan.events.push({ event, note: noteOf(activity, { input }) })
  plan.activities.push({ task, name, input, isRetriable: retry !== undefined || root !== undefined })
}

type Child = Scheduling & { input: string; instanceId?: string | undefined; version: string }

export function planChild(plan: Plan, child: Child): void {
  const task = plan.nextId++
  const { name, input, version } = child
  const instanceId = child.instanceId || `${plan.executionId}:${task}`
  const event = historyEvent(codes.childCreated, plan.nowMs, {
    EventId: task,
    Name: name,
    InstanceId: instanceId,
  })
  const kept = { input, instanceId: child.instanceId, version }
  plan.events.push({ event, note: noteOf(child, kept) })
  plan.children.push({ task, instanceId, name, input, version })
}

/** A timer that is cancelled already takes its number and never fires. */
export function planTimer(
  plan: Plan,
  timer: { fireAtMs: number; root?: number; isCancelled?: boolean },
): void {
  const task = plan.nextId++
  const fireAt = new Date(timer.fireAtMs).toISOString()
  const event = historyEvent(codes.timerCreated, plan.nowMs, { EventId: task, FireAt: fireAt })
  plan.events.push({ event, note: timer.root === undefined ? undefined : { root: timer.root } })
  if (!timer.isCancelled) plan.timers.push({ task, fireAt, dueMs: timerDueMs(timer.fireAtMs, plan.nowMs) })
}
