// Plays orchestrations without an engine: answers each activity by name, runs parts to their end, and writes all of it down.
import type { OrchestrationContext } from 'durable-functions'
import { expect } from 'vitest'
import { type encodeAsset, encodePart, encodeUnit } from '../../shared/encode/orchestrate.ts'
import type { Outcome } from '../../shared/encode/work.ts'
import { target } from './stage.ts'

export interface Call {
  readonly name: string
  readonly input: Record<string, unknown>
}
export type Answers = Record<string, (input: Record<string, unknown>) => unknown>

interface Played {
  readonly outcome: Outcome
  readonly calls: Call[]
  readonly names: string[]
  /** Of each execution, between two new histories: how many tasks it waited for. */
  readonly executions: number[]
  /** Longest JSON of anything that an engine would have to keep. */
  readonly longestPayload: number
}

interface Pending extends Call {
  readonly kind: 'activity' | 'child' | 'timer' | 'event'
  all?: Pending[]
  any?: Pending[]
  cancel?: () => void
}

/** Throws what is an Error, as a failed task does. */
export function play(
  orchestrator: typeof encodeAsset,
  answers: Answers,
  { input = target }: { input?: unknown } = {},
): Played {
  const calls: Call[] = []
  const executions: number[] = []
  let longestPayload = 0
  let nowMs = 0
  const kept = <T>(value: T): T => {
    longestPayload = Math.max(longestPayload, JSON.stringify(value)?.length ?? 0)
    return value
  }

  function settle(task: Pending): unknown {
    if (task.kind === 'timer') {
      nowMs += Number(task.input['seconds']) * 1000
      return undefined
    }
    if (task.kind === 'child' && task.name === 'encode-part') return run(encodePart, task.input)
    if (task.kind === 'child' && task.name === 'encode-unit') return run(encodeUnit, task.input)
    const answer = kept((answers[task.name] ?? (() => ({ ok: true })))(task.input))
    if (answer instanceof Error) throw answer
    return answer
  }

  /** The event, where one is answered for; else the timer. */
  function winnerOf(tasks: Pending[]): Pending | undefined {
    const event = tasks.find(({ kind, name }) => kind === 'event' && answers[name]?.({}))
    const timer = tasks.find(({ kind }) => kind === 'timer')
    if (!event && timer) settle(timer)
    return event ?? timer
  }

  function run(generator: typeof encodeAsset, given: unknown): Outcome {
    let next: unknown = given
    for (;;) {
      let again: unknown
      const call = (kind: Pending['kind'], name: string, input: Record<string, unknown>): Pending => {
        calls.push(kept({ name, input }))
        return { kind, name, input }
      }
      const df = {
        getInput: () => next,
        get currentUtcDateTime() {
          return new Date(nowMs)
        },
        createTimer: (at: Date) => ({
          ...call('timer', 'timer', { seconds: (at.getTime() - nowMs) / 1000 }),
          cancel: () => calls.push({ name: 'cancel', input: {} }),
        }),
        continueAsNew: (input: unknown) => {
          again = kept(input)
        },
        callActivityWithRetry: (name: string, retry: { maxNumberOfAttempts: number }, given: never) => {
          expect(retry.maxNumberOfAttempts).toBeGreaterThan(1)
          return call('activity', name, given)
        },
        callSubOrchestratorWithRetry: (name: string, retry: unknown, given: never, id?: string) => {
          expect(retry).toBeDefined()
          const child = call('child', id ? `${name} ${id}` : name, given)
          return { ...child, name }
        },
        instanceId: `instance-${calls.length}`,
        waitForExternalEvent: (name: string) => call('event', name, {}),
        Task: { all: (tasks: Pending[]) => ({ all: tasks }), any: (tasks: Pending[]) => ({ any: tasks }) },
      }
      const outcome = runOnce(generator({ df } as unknown as OrchestrationContext))
      if (again === undefined) return kept(outcome as Outcome)
      next = again
    }
  }

  function runOnce(steps: ReturnType<typeof encodeAsset>): unknown {
    let waited = 0
    let step = steps.next()
    while (!step.done) {
      const task = step.value as unknown as Pending
      waited += task.all?.length ?? 1
      let result: unknown
      try {
        result = task.any ? winnerOf(task.any) : task.all ? task.all.map(settle) : settle(task)
      } catch (error) {
        step = steps.throw(error)
        continue
      }
      step = steps.next(result)
    }
    executions.push(waited)
    return step.value
  }

  const outcome = run(orchestrator, input)
  return { outcome, calls, names: calls.map(({ name }) => name), executions, longestPayload }
}
