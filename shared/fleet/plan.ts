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
  /** How many are always awake. */
  readonly minimum: number
  readonly maximum: number
  /** How many are awake beyond what is needed, while anything is needed. */
  readonly reserve: number
  /** Of edges: an audience that the app serves itself; for as few viewers no machine is woken. */
  readonly appSessions: number
  /** Of encoders: how soon all the work should be done. */
  readonly goalMs: number
  /** How long fewer nodes must have been enough before one is drained. */
  readonly coolMs: number
  /** How long a woken node stays at least. */
  readonly stayMs: number
  /** About how long a boot takes: forecasts look that far ahead, and work that ends sooner is not worth one. */
  readonly bootMs: number
  /** How long a woken node has to beat; then it is given up. */
  readonly lateMs: number
  /** How long a draining node has to finish what it holds; then it is stopped. */
  readonly drainMs: number
  /** How long a machine without capacity is left alone. */
  readonly scarceMs: number
  readonly budget: { readonly perHour: number; readonly perMonth: number }
}

export interface FleetPlan {
  readonly currency: string
  readonly pools: readonly PoolPlan[]
  readonly beatMs: number
  /** How long a node may be silent before it is taken for dead; at three quarters of that it stops by itself. */
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
