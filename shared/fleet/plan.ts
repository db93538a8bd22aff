// What a pool may be: its machines in order of preference, its bounds, its patience and its budget, as an operator wrote them.
import type { PoolName } from './ports.ts'

/** Machines that are alike. Where one has no capacity, the next group is tried. */
export interface Group {
  readonly name: string
  readonly size: string
  readonly zone: string
  readonly count: number
  readonly pricePerHour: number
  /** Of encoders: units that one machine does at once. */
  readonly slots: number
  /** Of edges: what one machine serves without slowdown. */
  readonly sessions: number
  readonly bytesPerSecond: number
}

export interface PoolPlan {
  readonly name: PoolName
  readonly groups: readonly Group[]
  /** Awake at all times. */
  readonly minimum: number
  readonly maximum: number
  /** Awake beyond what is needed, while anything is. */
  readonly reserve: number
  /** Of encoders: how soon all the work should be done. */
  readonly goalMs: number
  /** Fewer nodes must have been enough for so long before one is drained. */
  readonly coolMs: number
  /** A node that was woken stays for so long. */
  readonly stayMs: number
  /** A boot takes about so long: forecasts look as far, and what is over before is not worth one. */
  readonly bootMs: number
  /** One that has not beaten after so long never will. */
  readonly lateMs: number
  /** One that is still not done with what it holds is stopped. */
  readonly drainMs: number
  /** A machine without capacity is not tried again for so long. */
  readonly scarceMs: number
  readonly budget: { readonly perHour: number; readonly perMonth: number }
}

export interface FleetPlan {
  readonly currency: string
  readonly pools: readonly PoolPlan[]
  readonly beatMs: number
  /** A node that is silent for so long is taken for dead; it falls silent itself at three quarters. */
  readonly deadMs: number
}

/** A machine of a pool, and where it stands in the order of preference. */
export interface Place {
  readonly id: string
  readonly rank: number
  readonly group: Group
}

export const nodeIdOf = (pool: PoolName, group: string, n: number): string => `${pool}-${group}-${n}`

/** The first group first; the infrastructure names its machines alike. */
export const placesOf = (plan: PoolPlan): Place[] =>
  plan.groups
    .flatMap((group) =>
      Array.from({ length: group.count }, (_, n) => ({ id: nodeIdOf(plan.name, group.name, n + 1), group })),
    )
    .map((place, rank) => ({ ...place, rank }))

const nodeForm = /^(encoder|edge)-[a-z0-9]{1,12}-[1-9]\d*$/

/** The pool that a node's name tells; a machine of another name is none of ours, and nobody's to stop. */
export const poolOf = (nodeId: string): PoolName | undefined =>
  nodeForm.exec(nodeId)?.[1] as PoolName | undefined
