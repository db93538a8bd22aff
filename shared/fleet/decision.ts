// What a decision is made of, and what it is: which nodes to wake, which to send to sleep.
import type { PoolPlan } from './plan.ts'
import type { Bound, Demand, Memory, Node, Reason } from './ports.ts'

export interface Look {
  readonly plan: PoolPlan
  /** Those that have a document; the others of the plan are asleep. */
  readonly nodes: readonly Node[]
  readonly demand: Demand
  /** Of the last look; undefined at the first. */
  readonly memory: Memory | undefined
  readonly floor?: Bound | undefined
  readonly ceiling?: Bound | undefined
  readonly nowMs: number
}

export interface Choice {
  readonly id: string
  readonly reason: Reason
}

export interface Decision {
  /** Nodes that would be right now, after all bounds; for people to read. */
  readonly wanted: number
  readonly wake: readonly Choice[]
  readonly drain: readonly Choice[]
  readonly memory: Memory
  /** What kept it from waking as many as would be right. */
  readonly held?: 'budget' | 'maximum' | 'no-capacity' | 'asked'
}
