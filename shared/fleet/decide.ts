// What to do at a look at a pool: a pure function of the plan, the nodes, the demand and what was remembered.
import { createPurse } from './budget.ts'
import type { Choice, Decision, Look } from './decision.ts'
import { missing } from './missing.ts'
import { type Bounds, mostOf, nothing, required } from './need.ts'
import { recall } from './past.ts'
import type { PoolPlan } from './plan.ts'
import type { Bound, Demand, Need } from './ports.ts'
import { type Roster, rosterOf } from './roster.ts'
import { accrue } from './spend.ts'
import { idle, mustLeave, strangersLeave } from './surplus.ts'

/** What one look changes must fit into one transaction of the store, beside what the machines themselves have done. */
const mostChanges = 80

export function decide(look: Look): Decision {
  const { plan, nodes, demand, memory, nowMs } = look
  const spend = accrue({ plan, nodes, spend: memory?.spend, nowMs })
  const purse = createPurse({ plan, nodes, spend, nowMs })
  const { need, peak, ...past } = recall(look)
  const bounds = boundsOf(look)
  const all = rosterOf(plan, nodes, nowMs)

  const must = mustLeave(plan, all, { bounds, purse }).slice(0, mostChanges)
  const roster = without(all, must)
  const { wake, held } = missing({
    ...{ roster, bounds, purse },
    need: worthwhile(need, demand, { plan, roster, nowMs }),
    minimum: plan.minimum,
    most: mostChanges - must.length,
  })
  const coming = wake.length > 0 || roster.active.some(({ node }) => node.state === 'starting')
  const strange = strangersLeave(roster, { need, coming, held })
  const busy = busyIn(demand, roster, plan)
  const cooled = nowMs - past.watchedSinceMs >= plan.coolMs
  const spare = cooled ? idle(plan, roster.active, { peak: mostOf(peak, busy), bounds, nowMs }) : []

  const wanted = Math.min(bounds.high, all.places.length, required(all.places, mostOf(need, busy), bounds))
  const limit = must.some(({ reason }) => reason === 'budget') ? 'budget' : held
  return {
    ...{ wanted, wake },
    drain: [...must, ...strange, ...spare].slice(0, mostChanges - wake.length),
    memory: { ...past, spend, wanted },
    ...(limit ? { held: limit } : {}),
  }
}

const inForce = (bound: Bound | undefined, nowMs: number): number | undefined =>
  bound && nowMs < bound.untilMs ? bound.nodes : undefined

/** The smallest bound wins: an admin's ceiling overrides the floor and the minimum, and never raises the maximum. */
function boundsOf({ plan, floor, ceiling, nowMs }: Look): Bounds {
  const asked = inForce(ceiling, nowMs)
  return {
    low: Math.max(plan.minimum, inForce(floor, nowMs) ?? 0),
    high: Math.min(plan.maximum, asked ?? plan.maximum),
    highBy: asked !== undefined && asked < plan.maximum ? 'asked' : 'maximum',
    reserve: plan.reserve,
  }
}

function without(roster: Roster, left: readonly Choice[]): Roster {
  const gone = new Set(left.map(({ id }) => id))
  return {
    ...roster,
    active: roster.active.filter(({ id }) => !gone.has(id)),
    strangers: roster.strangers.filter(({ id }) => !gone.has(id)),
  }
}

/**
 * Work that those who are there will have done before another were ready is no reason to wake one. What they take for
 * that doesn't depend on how many there are: a reserve that is woken beside them must not ask for another.
 */
function worthwhile(
  need: Need,
  demand: Demand,
  { plan, roster, nowMs }: { plan: PoolPlan; roster: Roster; nowMs: number },
): Need {
  if (demand.kind === 'audience') return need
  const usableMs = roster.active.reduce((sum, { group, node }) => {
    const coming = Math.min(plan.bootMs, Math.max(0, nowMs - node.sinceMs))
    return sum + group.slots * (node.state === 'ready' ? plan.bootMs : coming)
  }, 0)
  const doneMs = Math.min(usableMs, demand.parallel * plan.bootMs)
  if (demand.seconds * 1000 > doneMs) return need
  return { ...need, slots: Math.min(need.slots, Math.ceil((demand.seconds * 1000) / plan.bootMs)) }
}

/**
 * Nodes that have work to do stay, the reserve aside, even where fewer would meet the goal: done by fewer, the work costs
 * the same and takes longer.
 */
function busyIn(demand: Demand, { active }: Roster, { reserve }: PoolPlan): Need {
  if (demand.kind === 'audience' || demand.seconds <= 0) return nothing
  const ready = active.filter(({ node }) => node.state === 'ready')
  const working = ready.slice(0, Math.max(0, ready.length - reserve))
  const slots = working.reduce((sum, { group }) => sum + group.slots, 0)
  return { ...nothing, slots: Math.min(demand.parallel, slots) }
}
