// The budgets, by bills that the machines themselves keep: no hour that slides over them and no month costs more.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide } from '../../shared/fleet/decide.ts'
import type { PoolPlan } from '../../shared/fleet/plan.ts'
import type { Node, Spend } from '../../shared/fleet/ports.ts'
import { demandOf, groupOf, histories, lookThrough, noon, planOf, plans } from './pool-history.ts'
import { costBetween, dearestHour, type PoolModel } from './pool-model.ts'

const hourMs = 3_600_000
const runs = { numRuns: 25 }
const fullPrice = ({ groups }: PoolPlan): number =>
  groups.reduce((sum, { count, pricePerHour }) => sum + count * pricePerHour, 0)

/** The budget is so small a share of what all machines cost that it is met again and again. */
const tight = (perHour: number[], hoursPerMonth: number[]): fc.Arbitrary<PoolPlan> =>
  fc
    .tuple(plans, fc.constantFrom(...perHour), fc.constantFrom(...hoursPerMonth))
    .map(([plan, share, hours]) => ({
      ...plan,
      budget: { perHour: share * fullPrice(plan), perMonth: hours * fullPrice(plan) },
    }))

/** Some begin before the end of a month, and of a year. */
const starts = fc.constantFrom(
  noon,
  ...['2030-04-30T23:40:00Z', '2030-12-31T23:20:00Z'].map((at) => Date.parse(at)),
)

const monthOf = (ms: number) => new Date(ms).toISOString().slice(0, 7)
const monthsOf = (fromMs: number, toMs: number) => {
  const half = Date.parse(`${monthOf(toMs)}-01T00:00:00Z`)
  return half > fromMs ? [[fromMs, half] as const, [half, toMs] as const] : [[fromMs, toMs] as const]
}

/** All that is still awake at the end is let go, which is the worst that can follow. */
function untilAllSleep(model: PoolModel, fromMs: number): number {
  for (const { id } of model.nodes()) model.drain(id, 'budget', fromMs)
  const endMs = fromMs + 2 * hourMs
  model.advance(endMs)
  return endMs
}

test('no hour costs more than the hour’s budget, and at no moment do those awake', () => {
  let held = 0
  fc.assert(
    fc.property(histories({ plan: tight([0.1, 0.3, 0.7], [1e6]) }), (history) => {
      const { perHour } = history.plan.budget
      let last: PoolModel | undefined
      let endMs = 0
      for (const { look, decision, model } of lookThrough(history)) {
        held += decision.held === 'budget' ? 1 : 0
        last = model
        endMs = look.nowMs
      }
      if (!last) return
      expect(dearestHour(last.bills, untilAllSleep(last, endMs))).toBeLessThanOrEqual(perHour * (1 + 1e-9))
      for (const { fromMs } of last.bills) {
        const rate = last.bills.filter((bill) => bill.fromMs <= fromMs && fromMs < bill.toMs)
        expect(rate.reduce((sum, bill) => sum + bill.pricePerHour, 0)).toBeLessThanOrEqual(
          perHour * (1 + 1e-9),
        )
      }
    }),
    runs,
  )
  expect(held).toBeGreaterThan(0)
})

test('no month costs more than the month’s budget, even if all that drain take all the time they may', () => {
  let drained = 0
  fc.assert(
    fc.property(
      histories({ plan: tight([1], [0.2, 0.5, 1]), startMs: starts, orders: false }),
      fc.boolean(),
      (history, slow) => {
        const { plan, startMs } = history
        let last: PoolModel | undefined
        let endMs = 0
        for (const { look, decision, model } of lookThrough({
          ...history,
          faults: { ...history.faults, slow },
        })) {
          drained += decision.drain.filter(({ reason }) => reason === 'budget').length
          last = model
          endMs = look.nowMs
        }
        if (!last) return
        for (const [fromMs, toMs] of monthsOf(startMs, untilAllSleep(last, endMs)))
          expect(costBetween(last.bills, fromMs, toMs)).toBeLessThanOrEqual(plan.budget.perMonth * (1 + 1e-9))
      },
    ),
    runs,
  )
  expect(drained).toBeGreaterThan(0)
})

test('what was spent is what the bills say, by day and by month', () => {
  fc.assert(
    fc.property(histories({ startMs: starts }), (history) => {
      for (const { look, decision, model } of lookThrough(history)) {
        const { nowMs } = look
        const { spend } = decision.memory
        const today = Date.parse(spend.day)
        const month = Date.parse(`${spend.month}-01`)
        const billed = [costBetween(model.bills, today, nowMs), costBetween(model.bills, month, nowMs)]
        const errors = [spend.dayCost - (billed[0] ?? 0), spend.monthCost - (billed[1] ?? 0)]
        if (errors.some((error) => Math.abs(error) > 1e-6)) expect(errors).toEqual([0, 0])
        if (new Date(nowMs).toISOString().slice(0, 10) !== spend.day) expect(spend.day).toBe(nowMs)
      }
    }),
    { numRuns: 12 },
  )
})

const plan = planOf({
  groups: [groupOf({ name: 'dear', count: 2, pricePerHour: 3 }), groupOf({ name: 'cheap', count: 4 })],
})
const look = (given: Partial<PoolPlan['budget']>, nodes: readonly Node[] = [], spend?: Partial<Spend>) =>
  decide({
    plan: { ...plan, budget: { ...plan.budget, ...given } },
    nodes,
    demand: demandOf({ plan, kind: 'audience' }, 1),
    nowMs: noon,
    memory: spend && {
      spend: { countedToMs: noon, day: '2030-03-15', dayCost: 0, month: '2030-03', monthCost: 0, ...spend },
      ...{ samples: [], peaks: [], watchedSinceMs: noon, wanted: 0 },
    },
  })
const awake = (id: string, state: Node['state']): Node => ({
  ...{ id, pool: 'edge', type: 'node', schema: 2, state, sinceMs: noon - hourMs },
  ...{ epoch: 1, drivenAtMs: 0, failures: 0, notBeforeMs: 0 },
})

test('what is too dear is left out, and what the budget still bears is woken', () => {
  expect(look({}).wake).toHaveLength(6)
  const { wake, held } = look({ perHour: 5 })
  expect(wake.map(({ id }) => id)).toEqual(['edge-dear-1', 'edge-cheap-1', 'edge-cheap-2'])
  expect(held).toBe('budget')
})

test('those who drain, stop or have failed are still paid for', () => {
  const nodes = [awake('edge-dear-1', 'draining'), awake('edge-dear-2', 'failed')]
  expect(look({ perHour: 7 }, nodes).wake.map(({ id }) => id)).toEqual(['edge-cheap-1'])
  const asleep = nodes.map((node): Node => ({ ...node, state: 'stopped' }))
  expect(look({ perHour: 7 }, asleep).wake).toHaveLength(3)
})

test('a machine that the plan no longer has costs what its group does, or else the most', () => {
  expect(look({ perHour: 3 }, [awake('edge-cheap-9', 'draining')]).wake).toHaveLength(2)
  expect(look({ perHour: 4 }, [awake('edge-gone-1', 'draining')]).wake).toHaveLength(1)
})

test('when the month has no more than what leaving takes, all leave, even the last', () => {
  const nodes = [awake('edge-cheap-1', 'ready')]
  // Draining, stopping and the time to the next look, at 1 an hour.
  const leaving = (plan.drainMs + 300_000 + 60_000) / hourMs
  expect(look({ perMonth: 10 }, nodes, { monthCost: 10 - leaving - 0.01 }).drain).toEqual([])
  const { drain, wake, held } = look({ perMonth: 10 }, nodes, { monthCost: 10 - leaving + 0.01 })
  expect([drain, wake, held]).toEqual([[{ id: 'edge-cheap-1', reason: 'budget' }], [], 'budget'])
})

test('a machine is not woken for less time than it must stay', () => {
  const worth = (plan.bootMs + plan.stayMs + plan.drainMs + 300_000 + 60_000) / hourMs
  const cheap = (monthCost: number) => look({ perMonth: 10 }, [], { monthCost }).wake
  expect(cheap(10 - worth - 0.01)).toEqual([{ id: 'edge-cheap-1', reason: 'demand' }])
  expect(cheap(10 - worth + 0.01)).toEqual([])
})

test('what is left of this month is not borrowed from the next', () => {
  const eve = Date.parse('2030-03-31T23:59:00Z')
  const month = (perMonth: number, spent: number) =>
    decide({
      plan: { ...plan, budget: { ...plan.budget, perMonth } },
      nodes: [],
      demand: demandOf({ plan, kind: 'audience' }, 0.1),
      nowMs: eve,
      memory: {
        spend: { countedToMs: eve, day: '2030-03-31', dayCost: 0, month: '2030-03', monthCost: spent },
        ...{ samples: [], peaks: [], watchedSinceMs: eve, wanted: 0 },
      },
    }).wake.length
  // Only its last minute is paid from this month; all the rest must fit into the next.
  expect(month(10, 9.9)).toBe(1)
  expect(month(10, 9.99)).toBe(0)
  expect(month(0.1, 0)).toBe(0)
})
