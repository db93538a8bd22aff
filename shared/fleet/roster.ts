// Which machines of a pool can be counted on, which could be woken, and in which order they are woken and go.
import { type Place, type PoolPlan, placesOf } from './plan.ts'
import type { Node } from './ports.ts'

export interface Member extends Place {
  readonly node: Node
}

export interface Roster {
  /**
   * Ready, or coming, best first; those that drain, stop or have failed are not counted on. Their order is the plan's
   * alone: were it what they do at the moment, the answer would change while nothing has.
   */
  readonly active: readonly Member[]
  /** Could be woken now, best first. */
  readonly asleep: readonly Place[]
  /** Ready or coming, and not in the plan. */
  readonly strangers: readonly Node[]
  /** How many are not stopped. */
  readonly awake: number
  /** All places of the plan: active, asleep, others. */
  readonly places: readonly Place[]
}

/** One that is late is counted on no more, even while nobody has given it up yet. */
const isActive = ({ state, sinceMs }: Node, { lateMs }: PoolPlan, nowMs: number): boolean =>
  state === 'ready' || (state === 'starting' && nowMs - sinceMs < lateMs)

/** Capacity is a matter of size and zone: where one machine has just got none, its like are tried last. */
const isScarce = ({ reason, state, notBeforeMs }: Node, nowMs: number): boolean =>
  reason === 'no-capacity' && (state === 'stopping' || (state === 'stopped' && nowMs < notBeforeMs))

export function rosterOf(plan: PoolPlan, nodes: readonly Node[], nowMs: number): Roster {
  const places = placesOf(plan)
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const planned = new Set(places.map(({ id }) => id))
  const active = places.flatMap((place) => {
    const node = byId.get(place.id)
    return node && isActive(node, plan, nowMs) ? [{ ...place, node }] : []
  })
  const scarce = new Set(
    places.flatMap(({ id, group }) => {
      const node = byId.get(id)
      return node && isScarce(node, nowMs) ? [group] : []
    }),
  )
  const wakeable = places.filter(({ id }) => {
    const node = byId.get(id)
    return !node || (node.state === 'stopped' && node.notBeforeMs <= nowMs)
  })
  const asleep = wakeable.toSorted((a, b) => Number(scarce.has(a.group)) - Number(scarce.has(b.group)))
  const listed = new Set([...active, ...asleep].map(({ id }) => id))
  return {
    active,
    asleep,
    strangers: nodes.filter((node) => !planned.has(node.id) && isActive(node, plan, nowMs)),
    awake: nodes.filter(({ state }) => state !== 'stopped').length,
    places: [...active, ...asleep, ...places.filter(({ id }) => !listed.has(id))],
  }
}

/** Who goes first: of the least preferred group, those that hold least, the oldest of them. */
export function byLeave(plan: PoolPlan): (a: Member, b: Member) => number {
  const groupRank = new Map(plan.groups.map((group, rank) => [group, rank]))
  const keys = ({ group, node, rank }: Member): number[] => [
    -(groupRank.get(group) ?? 0),
    node.beat?.holds.length ?? 0,
    node.beat?.load.sessions ?? 0,
    node.sinceMs,
    -rank,
  ]
  return (a, b) => {
    const others = keys(b)
    return (
      keys(a)
        .map((key, n) => key - (others[n] ?? 0))
        .find((difference) => difference !== 0) ?? 0
    )
  }
}
