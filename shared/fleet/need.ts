// How many machines a demand asks for, of whatever mixture there is.
import type { Group, Place } from './plan.ts'
import type { Need } from './ports.ts'

export const nothing: Need = { slots: 0, sessions: 0, bytesPerSecond: 0 }

export const mostOf = (one: Need, other: Need): Need => ({
  slots: Math.max(one.slots, other.slots),
  sessions: Math.max(one.sessions, other.sessions),
  bytesPerSecond: Math.max(one.bytesPerSecond, other.bytesPerSecond),
})

const covers = (sum: Need, need: Need): boolean =>
  sum.slots >= need.slots && sum.sessions >= need.sessions && sum.bytesPerSecond >= need.bytesPerSecond

const plus = (sum: Need, group: Group): Need => ({
  slots: sum.slots + group.slots,
  sessions: sum.sessions + group.sessions,
  bytesPerSecond: sum.bytesPerSecond + group.bytesPerSecond,
})

export interface Bounds {
  /** Awake whatever is needed. */
  readonly low: number
  /** Awake at most. */
  readonly high: number
  /** Who says so. */
  readonly highBy: 'maximum' | 'asked'
  readonly reserve: number
}

/** How many of these it takes, in their order; `Infinity` when all of them are too few. */
export function required(
  places: readonly Place[],
  need: Need,
  bounds: Pick<Bounds, 'low' | 'reserve'>,
): number {
  let sum = nothing
  let taken = 0
  for (const { group } of places) {
    if (covers(sum, need)) break
    sum = plus(sum, group)
    taken += 1
  }
  if (!covers(sum, need)) return Number.POSITIVE_INFINITY
  return Math.max(taken > 0 ? taken + bounds.reserve : 0, bounds.low)
}
