// Writes one episode, whole or not at all: its history, the work it starts, and the word to its parent.
import { randomUUID } from 'node:crypto'
import { type Decision, type Ending, endEvent } from './decide.ts'
import { codes, failedChild, type HistoryEvent, historyEvent, type StoredEvent } from './history.ts'
import type { Instance, Store, Work } from './store.ts'

export interface Episode {
  readonly instance: Instance
  /** State before this episode's own events: its length is where they go. */
  readonly place: number
  readonly opening: readonly HistoryEvent[]
  readonly consumed: readonly number[]
  readonly decision: Decision
}

export interface Consequences {
  readonly events: readonly (StoredEvent & { json: string })[]
  readonly activities: readonly Work[]
  readonly hasTimers: boolean
  /** Instances that now have something to read. */
  readonly woken: readonly string[]
}

export function commitEpisode(store: Store, episode: Episode): Consequences {
  const { instance, opening, decision, place } = episode
  const { plan, end } = decision
  const closing = end ? endEvent(end, plan.nowMs) : historyEvent(codes.orchestratorCompleted, plan.nowMs)
  const stored: StoredEvent[] = [
    ...opening.map((event) => ({ event })),
    ...plan.events,
    { event: closing, note: decision.isEnding ? { isEnding: true } : undefined },
  ]
  const events = stored.map((one) => ({ ...one, json: JSON.stringify(one.event) }))
  return store.transaction(() => {
    for (const id of episode.consumed) store.sql.dropMessage.run(id)
    for (const [index, { json, note }] of events.entries())
      store.sql.putEvent.run(instance.id, place + index, json, note ? JSON.stringify(note) : null)
    const activities = startWork(store, episode)
    const woken = [...plan.children.map(({ instanceId }) => instanceId), ...endOrGoOn(store, episode)]
    return { events, activities, woken, hasTimers: plan.timers.length > 0 }
  })
}

function startWork(store: Store, { instance, decision: { plan, cancelled } }: Episode): Work[] {
  const { id: instanceId, executionId } = instance
  for (const task of cancelled) {
    store.sql.dropTimer.run(instanceId, executionId, task)
    store.sql.dropFired.run(instanceId, executionId, task)
  }
  for (const { task, dueMs, fireAt } of plan.timers)
    store.sql.putTimer.run(instanceId, executionId, task, dueMs, fireAt)
  for (const child of plan.children) {
    const parent = { parentId: instanceId, parentExecutionId: executionId, parentTask: child.task }
    putNew(store, { ...child, id: child.instanceId, nowMs: plan.nowMs }, parent)
  }
  return plan.activities.map(({ task, name, input = null, isRetriable }) => {
    const retriable = isRetriable ? 1 : 0
    const row = store.sql.putActivity.run(instanceId, executionId, task, name, input, retriable)
    const id = Number(row.lastInsertRowid)
    return { id, instanceId, executionId, task, name, input, isRetriable: retriable, isStarted: 0 }
  })
}

/** Puts a new instance in the place of an ended one of the same id, if there is one. */
export function putNew(
  store: Store,
  {
    id,
    name,
    version,
    input,
    nowMs,
  }: { id: string; name: string; version: string; input: string; nowMs: number },
  parent: Pick<Instance, 'parentId' | 'parentExecutionId' | 'parentTask'> = noParent,
): void {
  clear(store, id)
  store.sql.clearHistory.run(id)
  store.putInstance({
    ...{ id, name, version, input, ...parent },
    ...{ executionId: randomUUID(), status: 'Pending', isFresh: 1, output: null, customStatus: null },
    ...{ createdMs: nowMs, updatedMs: nowMs },
  })
}

const noParent = { parentId: null, parentExecutionId: null, parentTask: null }

function clear(store: Store, instanceId: string): void {
  store.sql.clearInbox.run(instanceId, 1)
  store.sql.clearTimers.run(instanceId)
}

/** Returns the instances to wake. */
function endOrGoOn(store: Store, { instance, decision }: Episode): string[] {
  const { plan, end, again } = decision
  const customStatus = decision.customStatus ?? instance.customStatus
  const next: Instance = { ...instance, customStatus, status: 'Running', isFresh: 0, updatedMs: plan.nowMs }
  if (again) {
    store.sql.clearHistory.run(instance.id)
    store.sql.clearTimers.run(instance.id)
    store.sql.clearInbox.run(instance.id, 0)
    const renewed = { executionId: randomUUID(), input: again.input, isFresh: 1, createdMs: plan.nowMs }
    store.putInstance({ ...next, ...renewed })
    return [instance.id]
  }
  store.putInstance(end ? { ...next, ...end } : next)
  if (!end) return []
  clear(store, instance.id)
  return tellParent(store, instance, end) ? [instance.parentId!] : []
}

function tellParent(store: Store, instance: Instance, end: Ending): boolean {
  const { parentId, parentExecutionId, parentTask } = instance
  if (parentId === null || parentTask === null) return false
  return store.post(
    { instanceId: parentId, executionId: parentExecutionId },
    childEvent(parentTask, instance.name, end),
  )
}

function childEvent(task: number, name: string, { status, output }: Ending): HistoryEvent {
  if (status === 'Completed')
    return historyEvent(codes.childCompleted, Date.now(), { TaskScheduledId: task, Result: output })
  const reason = String(JSON.parse(output))
  const message = reason.replace(`Orchestrator function '${name}' failed: `, '')
  const details = `Message: ${message}, StackTrace:    at the local Durable engine`
  return failedChild(task, Date.now(), { reason, details })
}
