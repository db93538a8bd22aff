// What the machines have cost by UTC day and month, counted exactly from look to look.
import { isoTime } from '../core/clock.ts'
import type { PoolPlan } from './plan.ts'
import type { Node, Spend } from './ports.ts'

const hourMs = 3_600_000
const dayOf = (ms: number): string => isoTime(ms).slice(0, 10)
const monthOf = (ms: number): string => isoTime(ms).slice(0, 7)
const startOf = (dayOrMonth: string): number => Date.parse(dayOrMonth)

/** When the UTC month of this moment is over. */
export function monthEndOf(ms: number): number {
  const [year, month] = monthOf(ms).split('-').map(Number) as [number, number]
  return Date.UTC(year, month)
}

/** Of a machine that the plan no longer knows: the price of its group, or the highest there is. */
export function priceOf(plan: PoolPlan, nodeId: string): number {
  const group = plan.groups.find(({ name }) => nodeId.startsWith(`${plan.name}-${name}-`))
  return group?.pricePerHour ?? Math.max(0, ...plan.groups.map(({ pricePerHour }) => pricePerHour))
}

export const costOf = (pricePerHour: number, ms: number): number => (pricePerHour * ms) / hourMs

/** Everything that is not deallocated costs its price. */
export const perHourNow = (plan: PoolPlan, nodes: readonly Node[]): number =>
  nodes.reduce((sum, { id, state }) => sum + (state === 'stopped' ? 0 : priceOf(plan, id)), 0)

/** One that has stopped meanwhile was awake until then; one that has started, from then on. */
function awakeMs({ state, sinceMs }: Node, fromMs: number, toMs: number): number {
  const begin = state === 'starting' ? Math.max(fromMs, sinceMs) : fromMs
  const end = state === 'stopped' ? Math.min(toMs, sinceMs) : toMs
  return Math.max(0, end - begin)
}

interface Accrual {
  readonly plan: PoolPlan
  readonly nodes: readonly Node[]
  /** Until the last look. */
  readonly spend: Spend | undefined
  readonly nowMs: number
}

/** A clock that goes backwards accrues nothing, until it is where it was. */
export function accrue({ plan, nodes, spend, nowMs }: Accrual): Spend {
  const day = dayOf(nowMs)
  const month = monthOf(nowMs)
  if (!spend) return { countedToMs: nowMs, day, dayCost: 0, month, monthCost: 0 }
  if (nowMs <= spend.countedToMs) return spend
  const since = (startMs: number) => {
    const fromMs = Math.max(spend.countedToMs, startMs)
    return nodes.reduce((sum, node) => sum + costOf(priceOf(plan, node.id), awakeMs(node, fromMs, nowMs)), 0)
  }
  return {
    countedToMs: nowMs,
    day,
    dayCost: (day === spend.day ? spend.dayCost : 0) + since(startOf(day)),
    month,
    monthCost: (month === spend.month ? spend.monthCost : 0) + since(startOf(month)),
  }
}
