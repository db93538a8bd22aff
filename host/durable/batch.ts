// Decides which of an instance's waiting messages one episode takes, and which are stale.
import { type Execution, endedTask, takesHiddenNumber } from './execution.ts'
import { codes, type HistoryEvent } from './history.ts'

export interface Message {
  readonly id: number
  /** Absent on external events, which outlive continueAsNew. */
  readonly executionId: string | null
  readonly event: HistoryEvent
}

export interface Batch {
  readonly events: readonly HistoryEvent[]
  /** Taken or stale: gone once the episode is committed. */
  readonly consumed: readonly number[]
  readonly isMoreWaiting: boolean
}

/**
 * Completions may share an episode. One that takes a hidden sequence number may not, since what the orchestrator
 * schedules in the same episode would be numbered around it; nor may an external event, because those that are still
 * waiting at a continueAsNew live on and those already delivered do not.
 */
export function pickBatch(execution: Execution, messages: readonly Message[]): Batch {
  const events: HistoryEvent[] = []
  const consumed: number[] = []
  const ended = new Set<number>()
  for (const { id, executionId, event } of messages) {
    if (isStale(execution, ended, { executionId, event })) {
      consumed.push(id)
      continue
    }
    // What comes after continueAsNew is for the next generation.
    if (execution.isEnding && event.EventType === codes.eventRaised) continue
    const alone = isAlone(execution, event)
    if (alone && events.length > 0) return { events, consumed, isMoreWaiting: true }
    events.push(event)
    consumed.push(id)
    if (alone) return { events, consumed, isMoreWaiting: id !== messages.at(-1)!.id }
    ended.add(endedTask(event)!)
  }
  return { events, consumed, isMoreWaiting: false }
}

/** Late, repeated, or for an earlier execution of the instance. */
function isStale(execution: Execution, ended: Set<number>, message: Omit<Message, 'id'>): boolean {
  if (message.executionId !== null && message.executionId !== execution.executionId) return true
  const id = endedTask(message.event)
  return id !== undefined && (ended.has(id) || execution.tasks.get(id)?.isOpen !== true)
}

function isAlone(execution: Execution, event: HistoryEvent): boolean {
  const { eventRaised, executionTerminated, refused } = codes
  if ([eventRaised, executionTerminated, refused].some((code) => code === event.EventType)) return true
  return takesHiddenNumber(execution, event)
}
