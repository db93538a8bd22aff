// Which machines are woken because too few are there, and what stands in the way of waking more.
import type { Purse } from './budget.ts'
import type { Choice, Decision } from './decision.ts'
import { type Bounds, required } from './need.ts'
import type { Place } from './plan.ts'
import type { Need } from './ports.ts'
import type { Roster } from './roster.ts'

export interface Ask {
  readonly roster: Roster
  readonly need: Need
  readonly bounds: Bounds
  readonly minimum: number
  readonly purse: Purse
  /** Wakes at most. */
  readonly most: number
}

export interface Missing {
  readonly wake: readonly Choice[]
  readonly held?: NonNullable<Decision['held']>
}

export function missing({ roster, need, bounds, minimum, purse, most }: Ask): Missing {
  let there: readonly Place[] = roster.active
  const wake: Choice[] = []
  const isEnough = () => there.length >= required(there, need, bounds)
  const isFull = () => roster.awake + wake.length >= bounds.high
  const reasonOf = (): Choice['reason'] => {
    if (there.length < required(there, need, { ...bounds, low: 0 })) return 'demand'
    return there.length < minimum ? 'minimum' : 'asked'
  }
  let tooDear = Number.POSITIVE_INFINITY
  for (const place of roster.asleep) {
    if (isEnough() || isFull() || wake.length >= most) break
    if (place.group.pricePerHour >= tooDear) continue
    if (purse.admits(place)) {
      wake.push({ id: place.id, reason: reasonOf() })
      there = [...there, place].sort((a, b) => a.rank - b.rank)
    } else tooDear = place.group.pricePerHour
  }
  if (isEnough()) return { wake }
  if (isFull()) return { wake, held: bounds.highBy }
  if (wake.length >= most) return { wake }
  return { wake, held: Number.isFinite(tooDear) ? 'budget' : 'no-capacity' }
}
