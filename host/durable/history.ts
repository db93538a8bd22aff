// The history of an execution as durable-functions reads it: event codes, and how each event is built.

export const codes = {
  executionStarted: 0,
  executionCompleted: 1,
  executionTerminated: 3,
  taskScheduled: 4,
  taskCompleted: 5,
  taskFailed: 6,
  childCreated: 7,
  childCompleted: 8,
  childFailed: 9,
  timerCreated: 10,
  timerFired: 11,
  orchestratorStarted: 12,
  orchestratorCompleted: 13,
  eventRaised: 15,
  /** Ours, never stored in a history: the engine itself ends the orchestration. */
  refused: -1,
} as const

/** Names and cases of the fields are the protocol's. `IsPlayed` stays false: the library tells replay by position. */
export interface HistoryEvent {
  readonly EventType: number
  readonly EventId: number
  readonly IsPlayed: false
  readonly Timestamp: string
  readonly Name?: string
  readonly Version?: string
  readonly InstanceId?: string
  readonly TaskScheduledId?: number
  readonly TimerId?: number
  readonly FireAt?: string
  readonly Input?: string | null
  readonly Result?: string
  readonly Reason?: string
  readonly Details?: string
  readonly FailureDetails?: unknown
  readonly OrchestrationStatus?: string
}

/** What a retry policy says, in the library's own fields. */
export interface RetryPolicy {
  readonly firstRetryIntervalInMilliseconds: number
  readonly maxNumberOfAttempts: number
  readonly backoffCoefficient?: number
  readonly maxRetryIntervalInMilliseconds?: number
  readonly retryTimeoutInMilliseconds?: number
}

/** What the engine remembers beside an event and the library never sees. */
export interface Note {
  /** Text of the input, kept where it may be needed for another attempt. */
  readonly input?: string | undefined
  readonly retry?: RetryPolicy
  /** Number of the task that the orchestrator scheduled, on hidden attempts and retry timers. */
  readonly root?: number
  readonly instanceId?: string | undefined
  readonly version?: string | undefined
  /** The orchestrator is done, and tasks of its are still open. */
  readonly isEnding?: boolean
}

export interface StoredEvent {
  readonly event: HistoryEvent
  readonly note?: Note | undefined
}

type Fields = Omit<Partial<HistoryEvent>, 'EventType' | 'Timestamp' | 'IsPlayed'>

export function historyEvent(type: number, timeMs: number, fields: Fields = {}): HistoryEvent {
  return {
    EventType: type,
    EventId: -1,
    IsPlayed: false,
    Timestamp: new Date(timeMs).toISOString(),
    ...fields,
  }
}

export function completedTask(id: number, timeMs: number, result: string): HistoryEvent {
  return historyEvent(codes.taskCompleted, timeMs, { TaskScheduledId: id, Result: result })
}

/** The library wants Reason and Details both, or throws a replay failure of its own. */
export interface Failure {
  readonly reason: string
  readonly details: string
  readonly failureDetails?: unknown
}

export function failedTask(id: number, timeMs: number, failure: Failure): HistoryEvent {
  return historyEvent(codes.taskFailed, timeMs, { TaskScheduledId: id, ...failureFields(failure) })
}

export function failedChild(id: number, timeMs: number, failure: Failure): HistoryEvent {
  return historyEvent(codes.childFailed, timeMs, { TaskScheduledId: id, ...failureFields(failure) })
}

export function firedTimer(id: number, timeMs: number, fireAt: string): HistoryEvent {
  return historyEvent(codes.timerFired, timeMs, { TimerId: id, FireAt: fireAt })
}

function failureFields({ reason, details, failureDetails }: Failure) {
  return {
    Reason: reason,
    Details: details,
    ...(failureDetails ? { FailureDetails: failureDetails } : {}),
  }
}
