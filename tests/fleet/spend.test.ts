// What machines cost between two looks: to the moment, over midnight and the end of a month, and never twice.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Node, NodeState, Spend } from '../../shared/fleet/ports.ts'
import { accrue, monthEndOf, perHourNow, priceOf } from '../../shared/fleet/spend.ts'
import { groupOf, planOf } from './pool-history.ts'

const plan = planOf({
  groups: [groupOf({ name: 'a', pricePerHour: 2 }), groupOf({ name: 'b', pricePerHour: 5 })],
})
const hourMs = 3_600_000
const at = (text: string) => Date.parse(`${text}Z`)
const node = (id: string, state: NodeState, sinceMs: number): Node => ({
  ...{ id, pool: 'edge', type: 'node', schema: 2, state, sinceMs },
  ...{ epoch: 1, drivenAtMs: 0, failures: 0, notBeforeMs: 0 },
})
const from = (nowMs: number): Spend => accrue({ plan, nodes: [], spend: undefined, nowMs })
const between = (before: string, now: string, nodes: readonly Node[]): Spend =>
  accrue({ plan, nodes, spend: from(at(before)), nowMs: at(now) })

test('the first look costs nothing', () => {
  const nodes = [node('edge-a-1', 'ready', 0)]
  expect(accrue({ plan, nodes, spend: undefined, nowMs: at('2030-01-01T12:00') })).toMatchObject({
    ...{ day: '2030-01-01', dayCost: 0, month: '2030-01', monthCost: 0 },
  })
})

test('every state but `stopped` is paid for', () => {
  const cost = (state: NodeState) =>
    between('2030-01-01T12:00', '2030-01-01T12:30', [node('edge-a-1', state, 0)]).dayCost
  for (const state of ['starting', 'ready', 'draining', 'stopping', 'failed'] as const)
    expect(cost(state)).toBe(1)
  expect(cost('stopped')).toBe(0)
  expect(perHourNow(plan, [node('edge-a-1', 'failed', 0), node('edge-b-1', 'stopped', 0)])).toBe(2)
})

test('one that stopped or was woken since the last look is paid for as long as it was awake', () => {
  const { dayCost } = between('2030-01-01T12:00', '2030-01-01T13:00', [
    node('edge-a-1', 'stopped', at('2030-01-01T12:15')),
    node('edge-b-1', 'starting', at('2030-01-01T12:48')),
  ])
  expect(dayCost).toBeCloseTo(0.5 + 1)
})

test('midnight in UTC splits a day, and the end of a month a month', () => {
  const nodes = [node('edge-a-1', 'ready', 0)]
  expect(between('2030-01-30T23:00', '2030-01-31T00:30', nodes)).toMatchObject({ dayCost: 1, monthCost: 3 })
  expect(between('2030-01-31T23:00', '2030-02-01T00:30', nodes)).toMatchObject({ dayCost: 1, monthCost: 1 })
  expect(between('2030-12-31T23:30', '2031-01-02T06:00', nodes)).toMatchObject({
    ...{ day: '2031-01-02', dayCost: 12, month: '2031-01', monthCost: 60 },
  })
  expect(monthEndOf(at('2028-02-28T12:00'))).toBe(at('2028-03-01T00:00'))
  expect(monthEndOf(at('2030-12-31T23:59'))).toBe(at('2031-01-01T00:00'))
})

test('a clock that goes backwards pays nothing, and nothing twice', () => {
  const nodes = [node('edge-a-1', 'ready', 0)]
  const steps = ['12:00', '12:30', '11:00', '12:10', '13:00'].map((time) => at(`2030-01-01T${time}`))
  const spend = steps.reduce<Spend | undefined>(
    (before, nowMs) => accrue({ plan, nodes, spend: before, nowMs }),
    undefined,
  )
  expect(spend?.dayCost).toBeCloseTo(2)
})

test('however often somebody looks, it costs the same', () => {
  const startMs = at('2030-01-31T20:00')
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 8 * hourMs }), { maxLength: 30 }), (offsets) => {
      const nodes = [node('edge-a-1', 'ready', 0), node('edge-b-2', 'stopped', startMs + 3 * hourMs)]
      const looks = [...offsets.toSorted((a, b) => a - b), 8 * hourMs]
      const spend = looks.reduce<Spend>(
        (before, offset) => accrue({ plan, nodes, spend: before, nowMs: startMs + offset }),
        from(startMs),
      )
      expect(spend.monthCost).toBeCloseTo(2 * 4, 6)
    }),
  )
})

test('a machine without a place in the plan has the price of its group, or else the highest', () => {
  expect(['edge-a-1', 'edge-a-99', 'edge-gone-1'].map((id) => priceOf(plan, id))).toEqual([2, 2, 5])
})
