// Which machines are sent to sleep: those that must go whatever is needed, and those that have been too many for long enough.
import type { Purse } from './budget.ts'
import type { Choice, Decision } from './decision.ts'
import { type Bounds, required } from './need.ts'
import type { PoolPlan } from './plan.ts'
import type { Need } from './ports.ts'
import { byLeave, type Member, type Roster } from './roster.ts'

const isReady = ({ node }: Member): boolean => node.state === 'ready'

/**
 * Beyond what an admin or the plan allows, or beyond the budget, which spares nobody. Those that left the plan go first,
 * then those that only come.
 */
export function mustLeave(
  plan: PoolPlan,
  { active, strangers }: Roster,
  { bounds, purse }: { bounds: Bounds; purse: Purse },
): Choice[] {
  const excess = Math.max(0, strangers.length + active.length - bounds.high)
  if (excess === 0 && !purse.overdrawn()) return []
  const order = active.toSorted((a, b) => Number(isReady(a)) - Number(isReady(b)) || byLeave(plan)(a, b))
  const left: Choice[] = []
  for (const { id } of [...strangers, ...order]) {
    const isExcess = left.length < excess
    if (!isExcess && !purse.overdrawn()) break
    purse.leaves(id)
    left.push({ id, reason: isExcess ? (bounds.highBy === 'asked' ? 'asked' : 'not-planned') : 'budget' })
  }
  return left
}

interface Change {
  readonly need: Need
  /** Others are on their way. */
  readonly coming: boolean
  readonly held: Decision['held']
}

/**
 * Machines that left the plan go; while they are needed, after others have come in their place. Where there is no room
 * for others beside them, one goes after the other to make some; where there is no capacity, going makes none.
 */
export function strangersLeave(roster: Roster, { need, coming, held }: Change): Choice[] {
  const replaced = Number.isFinite(required(roster.active.filter(isReady), need, { low: 0, reserve: 0 }))
  const leaving = roster.awake > roster.active.length + roster.strangers.length
  const crowded = held !== undefined && held !== 'no-capacity' && !coming && !leaving
  const serving = roster.strangers.filter(({ state }) => state === 'ready')
  const gone = replaced ? serving : serving.slice(0, crowded ? 1 : 0)
  return [...roster.strangers.filter(({ state }) => state === 'starting'), ...gone].map(({ id }) => ({
    id,
    reason: 'not-planned',
  }))
}

interface Idle {
  /** The most that was needed in the time that must pass. */
  readonly peak: Need
  readonly bounds: Bounds
  readonly nowMs: number
}

/** Those that are still coming don't count: they may never arrive. */
export function idle(plan: PoolPlan, active: readonly Member[], { peak, bounds, nowMs }: Idle): Choice[] {
  let ready = active.filter(isReady)
  const left: Choice[] = []
  const without = (member: Member) => ready.filter((one) => one !== member)
  const isSpare = (member: Member) => {
    const rest = without(member)
    return rest.length >= Math.min(bounds.high, required(rest, peak, bounds))
  }
  const isOld = ({ node }: Member) => nowMs - node.sinceMs >= Math.max(plan.stayMs, plan.coolMs)
  for (const group of plan.groups.toReversed()) {
    const old = ready.filter((member) => member.group === group && isOld(member))
    // They are alike: where one can't be spared, none can.
    if (!old[0] || !isSpare(old[0])) continue
    for (const member of old.toSorted(byLeave(plan))) {
      if (!isSpare(member)) break
      ready = without(member)
      left.push({ id: member.id, reason: 'idle' })
    }
  }
  return left
}
