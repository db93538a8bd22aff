// Runs the fleet's orchestrations on a clock of its own, one step at a time: instances may be lost, repeated, or begun twice.
import type { OrchestrationContext } from 'durable-functions'
import { fleetDrain, fleetWake } from '../../shared/fleet/orchestrate.ts'
import type { Errand } from '../../shared/fleet/work.ts'

export type Activities = Record<string, (input: unknown) => Promise<unknown>>

interface Task {
  readonly name?: string
  readonly input?: unknown
  readonly untilMs?: number
}

interface Instance {
  readonly id: string
  readonly kind: Errand['kind']
  steps: Generator<unknown, unknown, unknown>
  task: Task | undefined
  /** How many tasks this history has. */
  length: number
  again?: unknown
}

export interface Engine {
  start(errands: readonly Errand[]): void
  /** Runs what is due; each activity may be played twice at once, as an engine does after a lost answer. */
  run(twice?: () => boolean): Promise<void>
  /** As when the history of all that runs was lost. */
  lose(): void
  running(): string[]
  readonly longestHistory: number
}

export function createEngine(now: () => number, activities: Activities): Engine {
  const instances = new Map<string, Instance>()
  let longestHistory = 0

  function begin(id: string, kind: Errand['kind'], input: unknown): void {
    const instance: Instance = { id, kind, steps: undefined as never, task: undefined, length: 0 }
    const df = {
      instanceId: id,
      getInput: () => structuredClone(input),
      get currentUtcDateTime() {
        return new Date(now())
      },
      callActivityWithRetry: (name: string, retry: { maxNumberOfAttempts: number }, given: unknown): Task => {
        if (!(retry.maxNumberOfAttempts > 1)) throw new Error(`${name} is called without a retry policy`)
        return { name, input: structuredClone(given) }
      },
      createTimer: (at: Date): Task => ({ untilMs: at.getTime() }),
      continueAsNew: (next: unknown) => {
        instance.again = next
      },
    }
    const context = { df } as unknown as OrchestrationContext
    instance.steps = (kind === 'wake' ? fleetWake : fleetDrain)(context)
    instances.set(id, instance)
    advance(instance, () => instance.steps.next())
  }

  function advance(instance: Instance, step: () => IteratorResult<unknown>): void {
    const { done, value } = step()
    instance.length++
    longestHistory = Math.max(longestHistory, instance.length)
    instance.task = done ? undefined : (value as Task)
    if (!done) return
    instances.delete(instance.id)
    if (instance.again !== undefined) begin(instance.id, instance.kind, instance.again)
  }

  async function play(instance: Instance, twice: boolean): Promise<void> {
    const { name = '', input, untilMs } = instance.task ?? {}
    if (untilMs !== undefined) {
      if (untilMs <= now()) advance(instance, () => instance.steps.next())
      return
    }
    const activity = activities[name]
    if (!activity) throw new Error(`there is no activity '${name}'`)
    const runs = [activity(input), ...(twice ? [activity(input)] : [])]
    const [first] = await Promise.allSettled(runs)
    if (instances.get(instance.id) !== instance) return
    if (first?.status === 'fulfilled')
      advance(instance, () => instance.steps.next(structuredClone(first.value)))
    else advance(instance, () => instance.steps.throw(first?.reason))
  }

  return {
    start(errands) {
      for (const { kind, target } of errands) {
        const id = `${kind}-${target.node}-${target.epoch}`
        if (!instances.has(id)) begin(id, kind, target)
      }
    },
    async run(twice = () => false) {
      await Promise.all([...instances.values()].map((instance) => play(instance, twice())))
    },
    lose: () => instances.clear(),
    running: () => [...instances.keys()],
    get longestHistory() {
      return longestHistory
    },
  }
}
