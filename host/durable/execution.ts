// The state of one execution, folded from its history: which tasks there are, which are open, what comes next.
import { codes, type HistoryEvent, type RetryPolicy, type StoredEvent } from './history.ts'

export interface Task {
  readonly id: number
  readonly kind: 'activity' | 'child' | 'timer'
  readonly name: string
  readonly scheduledMs: number
  /** The task that the orchestrator itself scheduled: this one, or the one that this attempt or retry timer is for. */
  readonly root: number
  isOpen: boolean
}

/** Attempts of a task that has a retry policy. */
export interface Retrying {
  readonly policy: RetryPolicy
  readonly input: string | undefined
  readonly instanceId: string | undefined
  readonly version: string | undefined
  readonly sinceMs: number
  attempts: number
}

export interface Execution {
  readonly instanceId: string
  readonly executionId: string
  readonly name: string
  readonly tasks: Map<number, Task>
  readonly retrying: Map<number, Retrying>
  /** Numbers of the tasks that the orchestrator scheduled, in its order; the other tasks are hidden from it. */
  readonly scheduled: number[]
  /** Results that were given to the orchestrator: numbers of finished tasks, and how many events came of each name. */
  readonly finished: Set<number>
  readonly raised: Map<string, number>
  /** The events that the library acts on, as JSON with commas between; the others would only be parsed at every replay. */
  text: string
  length: number
  openTasks: number
  isEnding: boolean
  nextId: number
  lastMs: number
}

export function newExecution(identity: { instanceId: string; executionId: string; name: string }): Execution {
  return {
    ...identity,
    tasks: new Map(),
    retrying: new Map(),
    scheduled: [],
    finished: new Set(),
    raised: new Map(),
    text: '',
    length: 0,
    openTasks: 0,
    isEnding: false,
    nextId: 0,
    lastMs: 0,
  }
}

const silent = new Set<number>([
  ...[codes.taskScheduled, codes.childCreated, codes.timerCreated],
  ...[codes.orchestratorCompleted, codes.executionTerminated],
])

const taskKinds: Record<number, Task['kind']> = {
  [codes.taskScheduled]: 'activity',
  [codes.childCreated]: 'child',
  [codes.timerCreated]: 'timer',
}

/** Number of the task that an event ends, if it ends one. */
export function endedTask(event: HistoryEvent): number | undefined {
  return event.TaskScheduledId ?? event.TimerId
}

export const isFailure = (event: HistoryEvent) =>
  event.EventType === codes.taskFailed || event.EventType === codes.childFailed

/** True when the event makes the library take a hidden sequence number before it resumes the orchestrator. */
export function takesHiddenNumber(execution: Execution, event: HistoryEvent): boolean {
  const task = execution.tasks.get(endedTask(event) ?? -1)
  if (!task || !execution.retrying.has(task.root)) return false
  return isFailure(event) || task.kind === 'timer'
}

export function fold(execution: Execution, { event, note }: StoredEvent, json = JSON.stringify(event)): void {
  if (!silent.has(event.EventType)) execution.text += execution.text === '' ? json : `,${json}`
  execution.length++
  if (note?.isEnding) execution.isEnding = true
  if (event.EventType === codes.orchestratorStarted) execution.lastMs = Date.parse(event.Timestamp)
  if (event.EventType === codes.eventRaised) {
    const name = event.Name ?? ''
    execution.raised.set(name, (execution.raised.get(name) ?? 0) + 1)
  }
  const kind = taskKinds[event.EventType]
  if (kind) schedule(execution, kind, { event, note })
  const ended = execution.tasks.get(endedTask(event) ?? -1)
  if (ended) end(execution, ended, event)
}

function schedule(execution: Execution, kind: Task['kind'], { event, note }: StoredEvent): void {
  const id = event.EventId
  const root = note?.root ?? id
  execution.openTasks++
  const scheduledMs = Date.parse(event.Timestamp)
  execution.tasks.set(id, { id, kind, name: event.Name ?? '', scheduledMs, root, isOpen: true })
  execution.nextId = Math.max(execution.nextId, id + 1)
  if (root !== id) {
    if (kind !== 'timer') execution.retrying.get(root)!.attempts++
    return
  }
  execution.scheduled.push(id)
  if (!note?.retry) return
  const { retry: policy, input, instanceId, version } = note
  execution.retrying.set(id, { policy, input, instanceId, version, sinceMs: scheduledMs, attempts: 1 })
}

export function close(execution: Execution, task: Task): void {
  if (task.isOpen) execution.openTasks--
  task.isOpen = false
}

function end(execution: Execution, task: Task, event: HistoryEvent): void {
  close(execution, task)
  const retrying = execution.retrying.get(task.root)
  if (!retrying) execution.finished.add(task.id)
  else if (task.kind !== 'timer' && !isFailure(event)) execution.finished.add(task.root)
  else if (task.kind === 'timer' && retrying.attempts >= retrying.policy.maxNumberOfAttempts)
    execution.finished.add(task.root)
}
