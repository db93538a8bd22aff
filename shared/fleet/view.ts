// A pool as an admin sees it: what would be right, what is there, and what it costs.
import { isoTime } from '../core/clock.ts'
import type { Decision } from './decision.ts'
import { asleep } from './machine.ts'
import { type FleetPlan, type Group, type PoolPlan, placesOf } from './plan.ts'
import type { Bound, Node } from './ports.ts'
import type { PoolView } from './schema.ts'
import { perHourNow, priceOf } from './spend.ts'
import type { Now } from './step.ts'

type NodeView = PoolView['nodes'][number]

type Kind = Pick<Group, 'name' | 'size' | 'zone' | 'pricePerHour'>

/** Of a node that left the plan nothing is known but its document. */
const unplanned = (plan: PoolPlan, id: string): Kind => ({
  ...{ name: '', size: '', zone: '' },
  pricePerHour: priceOf(plan, id),
})

function viewNode(node: Node, group: Kind, nowMs: number): NodeView {
  const { id, state, reason, failures, beat, boot } = node
  return {
    ...{ id, group: group.name, size: group.size, zone: group.zone, pricePerHour: group.pricePerHour },
    state,
    ...(node.sinceMs > 0 ? { since: isoTime(node.sinceMs) } : {}),
    ...(reason ? { reason } : {}),
    failures,
    ...(node.notBeforeMs > nowMs ? { notBefore: isoTime(node.notBeforeMs) } : {}),
    holds: [...(beat?.holds ?? [])],
    ...(beat ? { load: beat.load, lastBeatAt: isoTime(beat.atMs) } : {}),
    ...(boot ? { bootedAt: isoTime(boot.atMs) } : {}),
    ...(boot?.address ? { address: boot.address } : {}),
  }
}

const viewBound = ({ nodes, untilMs }: Bound) => ({ nodes, until: isoTime(untilMs) })

export function viewPool(
  { currency }: Pick<FleetPlan, 'currency'>,
  plan: PoolPlan,
  { now, decision }: { now: Now; decision: Decision },
): PoolView {
  const { state, demand, nowMs } = now
  const { floor, ceiling } = state.pool ?? {}
  const known = new Map(state.nodes.map((node) => [node.id, node]))
  const places = placesOf(plan)
  const planned = new Set(places.map(({ id }) => id))
  const nodes = [
    ...places.map(({ id, group }) => viewNode(known.get(id) ?? asleep(plan.name, id), group, nowMs)),
    ...state.nodes
      .filter(({ id }) => !planned.has(id))
      .map((node) => viewNode(node, unplanned(plan, node.id), nowMs)),
  ]
  const { dayCost: today, monthCost: month } = decision.memory.spend
  return {
    ...{ pool: plan.name, currency, wanted: decision.wanted },
    ...(decision.held ? { held: decision.held } : {}),
    demand,
    ...(floor && floor.untilMs > nowMs ? { floor: viewBound(floor) } : {}),
    ...(ceiling && ceiling.untilMs > nowMs ? { ceiling: viewBound(ceiling) } : {}),
    cost: {
      perHourNow: perHourNow(plan, state.nodes),
      ...{ today, month },
      ...{ budgetPerHour: plan.budget.perHour, budgetPerMonth: plan.budget.perMonth },
    },
    nodes,
  }
}
