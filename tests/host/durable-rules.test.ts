// The engine's pure rules, bare: which messages go together, when timers fall due, what is listed twice.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findRepetition, readActions } from '../../host/durable/actions.ts'
import { type Message, pickBatch } from '../../host/durable/batch.ts'
import { fold, newExecution } from '../../host/durable/execution.ts'
import {
  codes,
  completedTask,
  failedTask,
  firedTimer,
  type HistoryEvent,
  historyEvent,
} from '../../host/durable/history.ts'
import { retryDelayMs, timerDueMs } from '../../host/durable/retry.ts'

describe('timers', () => {
  it('are due a whole number of seconds from now, less than they ask for', () => {
    expect(
      [1, 999, 1000, 1001, 5000].map((aheadMs) => timerDueMs(10_000 + aheadMs, 10_000) - 10_000),
    ).toEqual([...[0, 0, 0, 1000, 4000]])
  })

  it('never fall due before now, nor a second or more early', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e9, max: 1e12 }),
        fc.integer({ min: 0, max: 2e12 }),
        (aheadMs, nowMs) => {
          const dueMs = timerDueMs(nowMs + aheadMs, nowMs)
          expect(dueMs).toBeGreaterThanOrEqual(nowMs)
          if (aheadMs > 0) expect(nowMs + aheadMs - dueMs).toBeGreaterThan(0)
          if (aheadMs > 0) expect(nowMs + aheadMs - dueMs).toBeLessThanOrEqual(1000)
        },
      ),
    )
  })
})

describe('retries', () => {
  const rest = { input: undefined, instanceId: undefined, version: undefined, sinceMs: 1000 }
  const delays = (more: object) =>
    [1, 2, 3].map((attempts) => {
      const policy = { firstRetryIntervalInMilliseconds: 100, maxNumberOfAttempts: 9, ...more }
      return retryDelayMs({ policy, attempts, ...rest }, 1500)
    })

  it('wait by interval, backoff, longest interval and time limit', () => {
    expect(delays({})).toEqual([100, 100, 100])
    expect(delays({ backoffCoefficient: 3 })).toEqual([100, 300, 900])
    expect(delays({ backoffCoefficient: 3, maxRetryIntervalInMilliseconds: 250 })).toEqual([100, 250, 250])
    expect(delays({ retryTimeoutInMilliseconds: 501 })).toEqual([100, 100, 100])
    expect(delays({ retryTimeoutInMilliseconds: 500 })).toEqual([undefined, undefined, undefined])
  })

  it('stay on the calendar with a backoff that has no end', () => {
    const policy = {
      firstRetryIntervalInMilliseconds: 1000,
      maxNumberOfAttempts: 9999,
      backoffCoefficient: 1000,
    }
    const delayMs = retryDelayMs({ policy, attempts: 5000, ...rest }, 1500)!
    expect(Number.isNaN(new Date(Date.now() + delayMs).getTime())).toBe(false)
  })
})

describe('batches', () => {
  const policy = { firstRetryIntervalInMilliseconds: 1, maxNumberOfAttempts: 3 }

  /** Tasks 0 and 1 are plain, 2 has a retry policy, 3 is a timer. */
  function execution() {
    const one = newExecution({ instanceId: 'i', executionId: 'now', name: 'O' })
    for (const EventId of [0, 1, 2]) {
      const event = historyEvent(codes.taskScheduled, 0, { EventId, Name: 'A' })
      fold(one, { event, note: EventId === 2 ? { retry: policy } : undefined })
    }
    fold(one, { event: historyEvent(codes.timerCreated, 0, { EventId: 3, FireAt: '' }) })
    return one
  }
  const messages = (...events: HistoryEvent[]): Message[] =>
    events.map((event, index) => ({ id: index + 1, executionId: 'now', event }))
  const raised = historyEvent(codes.eventRaised, 0, { Name: 'e', Input: '1' })
  const failure = { reason: 'r', details: 'd' }
  const picked = (list: readonly Message[], one = execution()) => {
    const { events, consumed, isMoreWaiting } = pickBatch(one, list)
    return { count: events.length, consumed, isMoreWaiting }
  }

  it('hold plain completions together', () => {
    const list = messages(
      completedTask(0, 0, '1'),
      failedTask(1, 0, failure),
      firedTimer(3, 0, ''),
      completedTask(2, 0, '1'),
    )
    expect(picked(list)).toEqual({ count: 4, consumed: [1, 2, 3, 4], isMoreWaiting: false })
  })

  it('hold a failure that is retried alone, also when others came first', () => {
    const failed = failedTask(2, 0, failure)
    expect(picked(messages(failed, completedTask(0, 0, '1')))).toEqual({
      count: 1,
      consumed: [1],
      isMoreWaiting: true,
    })
    expect(picked(messages(completedTask(0, 0, '1'), failed))).toEqual({
      count: 1,
      consumed: [1],
      isMoreWaiting: true,
    })
  })

  it('hold an external event alone, and none of an execution that is ending', () => {
    expect(picked(messages(raised, raised))).toEqual({ count: 1, consumed: [1], isMoreWaiting: true })
    const ending = Object.assign(execution(), { isEnding: true })
    expect(picked(messages(raised, completedTask(0, 0, '1')), ending)).toMatchObject({
      count: 1,
      consumed: [2],
    })
  })

  it('drop what is repeated, unknown, or of an earlier execution', () => {
    const stale: Message = { id: 9, executionId: 'before', event: completedTask(0, 0, '1') }
    const list = [
      ...messages(completedTask(1, 0, '1'), completedTask(1, 0, '2'), completedTask(7, 0, '1')),
      stale,
    ]
    expect(picked(list)).toEqual({ count: 1, consumed: [1, 2, 3, 9], isMoreWaiting: false })
  })
})

describe('lists of actions', () => {
  const activity = (name: string) => ({ actionType: 0, functionName: name, input: 1 })
  const all = (...compoundActions: object[]) => ({ actionType: 12, compoundActions })

  it('are flattened depth first', () => {
    const names = readActions([
      [activity('a'), all(activity('b'), all(activity('c')), activity('d')), activity('e')],
    ])
    expect(names.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('repeat what is the same object, not what looks the same', () => {
    expect(findRepetition({ actions: [[activity('a'), all(activity('a'), activity('a'))]] })).toBeUndefined()
    const [a, b] = [activity('a'), activity('b')]
    expect(findRepetition({ actions: [[all(a, b), all(activity('c'), b)]] })).toEqual({
      first: 1,
      members: [-1, 1],
    })
    expect(findRepetition({ actions: [[all(a, all(a))]] })).toEqual({ first: 0, members: [0] })
  })
})
