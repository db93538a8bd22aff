// What the status of an instance shows, in the real extension's words, order and precision.
import { codes, type HistoryEvent } from './history.ts'
import type { Instance } from './store.ts'

export interface Shown {
  readonly input: boolean
  readonly history: readonly HistoryEvent[] | undefined
  readonly historyOutput: boolean
}

/** Whole seconds. */
const seconds = (timeMs: number) => `${new Date(timeMs).toISOString().slice(0, 19)}Z`
/** .NET's seven digits. */
const ticks = (timestamp: string) => timestamp.replace(/\.(\d{3})Z$/, '.$10000Z')

const parsed = (json: string | null): unknown => (json === null ? null : JSON.parse(json))

export function statusBody(instance: Instance, shown: Shown): object {
  const { name, id, status } = instance
  return {
    name,
    instanceId: id,
    runtimeStatus: status,
    input: shown.input ? parsed(instance.input) : null,
    customStatus: parsed(instance.customStatus),
    output: parsed(instance.output),
    createdTime: seconds(instance.createdMs),
    lastUpdatedTime: seconds(instance.updatedMs),
    ...(shown.history ? { historyEvents: historyBody(instance, shown.history, shown) } : {}),
  }
}

/** What scheduled a task stands only while the task is open, and then inside what ended it. */
function historyBody(instance: Instance, history: readonly HistoryEvent[], shown: Shown): object[] {
  const scheduled = new Map<number, HistoryEvent>()
  const ended = new Set(history.map((event) => event.TaskScheduledId))
  const started = [codes.taskScheduled, codes.childCreated] as readonly number[]
  const bodies: object[] = []
  for (const event of history) {
    if (started.includes(event.EventType)) {
      scheduled.set(event.EventId, event)
      if (ended.has(event.EventId)) continue
    }
    const body = eventBody(event, { instance, shown, source: scheduled.get(event.TaskScheduledId ?? -1) })
    if (body) bodies.push(body)
  }
  return bodies
}

interface Setting {
  readonly instance: Instance
  readonly shown: Shown
  readonly source: HistoryEvent | undefined
}

function eventBody(event: HistoryEvent, { instance, shown, source }: Setting): object | undefined {
  const { FireAt, Name, Input, Reason, Details, OrchestrationStatus } = event
  const Timestamp = ticks(event.Timestamp)
  const result = shown.historyOutput ? { Result: parsed(event.Result ?? null) } : {}
  const input = shown.input ? { Input: null } : {}
  const task = {
    Timestamp,
    ...(source
      ? { ScheduledTime: ticks(source.Timestamp).replace('Z', '+00:00'), FunctionName: source.Name }
      : {}),
    ...input,
  }
  const bodies: Record<number, object> = {
    [codes.executionStarted]: {
      ...{
        EventType: 'ExecutionStarted',
        ...(shown.input ? { Input: instance.input } : {}),
        Correlation: null,
      },
      ...{ ParentTraceContext: null, ScheduledStartTime: null, Generation: 0, GenerateNewTrace: false },
      ...{ Timestamp, FunctionName: Name },
    },
    [codes.taskScheduled]: { EventType: 'TaskScheduled', Timestamp, FunctionName: Name, ...input },
    [codes.childCreated]: {
      ...{ EventType: 'SubOrchestrationInstanceCreated', InstanceId: event.InstanceId },
      ...{ Timestamp, FunctionName: Name, ...input },
    },
    [codes.taskCompleted]: { EventType: 'TaskCompleted', ...result, ...task },
    [codes.childCompleted]: { EventType: 'SubOrchestrationInstanceCompleted', ...result, ...task },
    [codes.taskFailed]: { EventType: 'TaskFailed', Reason, Details, ...task },
    [codes.childFailed]: { EventType: 'SubOrchestrationInstanceFailed', Reason, Details, ...task },
    [codes.timerCreated]: { EventType: 'TimerCreated', FireAt: FireAt && ticks(FireAt), Timestamp },
    [codes.timerFired]: { EventType: 'TimerFired', FireAt: FireAt && ticks(FireAt), Timestamp },
    [codes.eventRaised]: { EventType: 'EventRaised', Name, ...(shown.input ? { Input } : {}), Timestamp },
    [codes.executionTerminated]: { EventType: 'ExecutionTerminated', Input, Timestamp },
    [codes.executionCompleted]: {
      ...{ EventType: 'ExecutionCompleted', OrchestrationStatus, ...result, FailureDetails: null, Timestamp },
    },
  }
  return bodies[event.EventType]
}
