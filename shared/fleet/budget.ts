// Whether the budgets of the hour and of the month bear what is awake until it is surely gone, and who else may wake.
import type { Place, PoolPlan } from './plan.ts'
import type { Node, Spend } from './ports.ts'
import { costOf, monthEndOf, priceOf } from './spend.ts'

/** A machine that was told to stop is gone by then. */
const stopMs = 300_000
/** Looks may come late. */
const lookMs = 60_000

interface Exposure {
  readonly pricePerHour: number
  /** At worst, if it were sent away now. */
  readonly untilGoneMs: number
  readonly stays: boolean
}

const stays = ({ state }: Node): boolean => state === 'ready' || state === 'starting'

function untilGoneMs({ state, sinceMs }: Node, plan: PoolPlan, nowMs: number): number {
  const left = (ms: number) => Math.max(0, Math.min(ms, sinceMs + ms - nowMs))
  if (state === 'draining') return left(plan.drainMs) + stopMs
  if (state === 'stopping') return left(stopMs)
  return state === 'failed' ? stopMs : plan.drainMs + stopMs
}

interface Books {
  readonly plan: PoolPlan
  readonly nodes: readonly Node[]
  /** Accrued until now. */
  readonly spend: Spend
  readonly nowMs: number
}

/** Follows a decision while it is made. */
export interface Purse {
  /** Somebody has to go at once. */
  overdrawn(): boolean
  leaves(nodeId: string): void
  /** Takes one more in, if it can stay long enough to be worth its boot. */
  admits(place: Place): boolean
}

export function createPurse({ plan, nodes, spend, nowMs }: Books): Purse {
  const { perHour, perMonth } = plan.budget
  const exposures = new Map<string, Exposure>(
    nodes
      .filter(({ state }) => state !== 'stopped')
      .map((node) => [
        node.id,
        {
          pricePerHour: priceOf(plan, node.id),
          untilGoneMs: untilGoneMs(node, plan, nowMs),
          stays: stays(node),
        },
      ]),
  )
  const sum = (of: (exposure: Exposure) => number) =>
    [...exposures.values()].reduce((total, exposure) => total + of(exposure), 0)
  const monthLeftMs = monthEndOf(spend.countedToMs) - spend.countedToMs

  /** If all that stay did so for this long and then went: in this month, and, if it ends meanwhile, in the next. */
  const monthBears = (aheadMs: number) => {
    const cost = (mostMs: number) =>
      sum((one) => costOf(one.pricePerHour, Math.min(mostMs, one.untilGoneMs + (one.stays ? aheadMs : 0))))
    return spend.monthCost + cost(monthLeftMs) <= perMonth && cost(Number.POSITIVE_INFINITY) <= perMonth
  }
  return {
    overdrawn: () =>
      // What goes already can't go faster.
      sum((one) => (one.stays ? one.pricePerHour : 0)) > perHour || !monthBears(lookMs),
    leaves(nodeId) {
      const exposure = exposures.get(nodeId)
      if (exposure) exposures.set(nodeId, { ...exposure, stays: false })
    },
    admits({ id, group: { pricePerHour } }) {
      exposures.set(id, { pricePerHour, untilGoneMs: plan.drainMs + stopMs, stays: true })
      const bears =
        sum((one) => one.pricePerHour) <= perHour &&
        monthBears(lookMs + plan.bootMs + Math.max(plan.stayMs, plan.coolMs))
      if (!bears) exposures.delete(id)
      return bears
    },
  }
}
