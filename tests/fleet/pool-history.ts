// Long random lives of a pool: a plan, a demand that jumps, climbs and trembles, admins, faults, and looks at odd moments.
import fc from 'fast-check'
import { decide } from '../../shared/fleet/decide.ts'
import type { Decision, Look } from '../../shared/fleet/decision.ts'
import type { Group, PoolPlan } from '../../shared/fleet/plan.ts'
import type { Bound, Demand, Memory } from '../../shared/fleet/ports.ts'
import { seeded } from '../support/seeded.ts'
import { createPoolModel, type Faults, noFaults, type PoolModel } from './pool-model.ts'

const minuteMs = 60_000

export interface Stretch {
  readonly minutes: number
  /** Of all that the pool could bear. */
  readonly level: number
  readonly shape: 'hold' | 'climb' | 'tremble'
}

interface Order {
  readonly atMinute: number
  readonly bound: 'floor' | 'ceiling'
  readonly nodes: number
  readonly minutes: number
}

export interface History {
  readonly plan: PoolPlan
  readonly kind: Demand['kind']
  readonly stretches: readonly Stretch[]
  readonly orders: readonly Order[]
  readonly faults: Faults
  readonly startMs: number
  /** Of the clock that looks are made by. */
  readonly jitterMs: number
  readonly seed: number
}

/** One look: what was decided, before it is done. */
export interface Moment {
  readonly look: Look
  readonly decision: Decision
  readonly model: PoolModel
}

export const groupOf = (group: Partial<Group> & Pick<Group, 'name'>): Group => ({
  ...{ size: 'local', zone: '', count: 4, pricePerHour: 1 },
  ...{ slots: 2, sessions: 1000, bytesPerSecond: 1e9, ...group },
})

export function planOf(plan: Partial<PoolPlan> = {}): PoolPlan {
  const groups = plan.groups ?? [groupOf({ name: 'a' })]
  return {
    ...{ name: 'edge', groups, minimum: 0, reserve: 0, appSessions: 0, goalMs: 600_000 },
    maximum: groups.reduce((sum, { count }) => sum + count, 0),
    ...{ coolMs: 600_000, stayMs: 600_000, bootMs: 120_000, lateMs: 300_000, drainMs: 600_000 },
    ...{ scarceMs: 600_000, budget: { perHour: 1e9, perMonth: 1e9 }, ...plan },
  }
}

const capacityOf = (plan: PoolPlan, of: 'slots' | 'sessions' | 'bytesPerSecond'): number =>
  plan.groups.reduce((sum, group) => sum + group.count * group[of], 0)

export function demandOf({ plan, kind }: Pick<History, 'plan' | 'kind'>, level: number): Demand {
  if (kind === 'audience')
    return {
      kind,
      sessions: Math.round(level * capacityOf(plan, 'sessions')),
      bytesPerSecond: Math.round(level * capacityOf(plan, 'bytesPerSecond')),
    }
  const slots = level * capacityOf(plan, 'slots')
  return { kind, seconds: Math.round((slots * plan.goalMs) / 1000), parallel: Math.ceil(1.2 * slots) }
}

function levelAt(stretches: readonly Stretch[], atMs: number, random: () => number): number {
  let fromMs = 0
  let before = 0
  for (const { minutes, level, shape } of stretches) {
    const part = (atMs - fromMs) / (minutes * minuteMs)
    if (part < 1) {
      if (shape === 'climb') return before + (level - before) * part
      return shape === 'tremble' ? level * (0.9 + 0.2 * random()) : level
    }
    fromMs += minutes * minuteMs
    before = level
  }
  return before
}

const boundAt = (orders: readonly Order[], kind: Order['bound'], at: { startMs: number; nowMs: number }) =>
  orders
    .filter(({ bound, atMinute }) => bound === kind && at.startMs + atMinute * minuteMs <= at.nowMs)
    .map(({ nodes, atMinute, minutes }): Bound => {
      return { nodes, untilMs: at.startMs + (atMinute + minutes) * minuteMs }
    })
    .at(-1)

/** Looks at it from its beginning to its end; each decision is done when the next look is asked for. */
export function* lookThrough(history: History): Generator<Moment, PoolModel> {
  const { plan, stretches, orders, startMs, jitterMs } = history
  const random = seeded(history.seed)
  const model = createPoolModel(plan, random, history.faults)
  const endMs = startMs + stretches.reduce((sum, { minutes }) => sum + minutes * minuteMs, 0)
  let memory: Memory | undefined
  for (let atMs = startMs; atMs < endMs; ) {
    model.advance(atMs)
    const nowMs = Math.round(atMs + jitterMs * (2 * random() - 1))
    const at = { startMs, nowMs }
    const look: Look = {
      ...{ plan, nodes: model.nodes(), memory, nowMs },
      demand: demandOf(history, levelAt(stretches, atMs - startMs, random)),
      floor: boundAt(orders, 'floor', at),
      ceiling: boundAt(orders, 'ceiling', at),
    }
    const decision = decide(look)
    yield { look, decision, model }
    // As it comes back from the store, now and then.
    memory = random() < 0.1 ? (JSON.parse(JSON.stringify(decision.memory)) as Memory) : decision.memory
    for (const { id, reason } of decision.drain) model.drain(id, reason, nowMs)
    for (const { id, reason } of decision.wake) model.wake(id, reason, nowMs)
    const pace = random()
    atMs += Math.round(
      pace < 0.1 ? 1000 * random() : pace < 0.98 ? 8000 + 8000 * random() : 50_000 * random(),
    )
  }
  return model
}

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values)

const group = (name: string): fc.Arbitrary<Group> =>
  fc
    .record({
      count: fc.integer({ min: 1, max: 5 }),
      pricePerHour: oneOf(0.1, 0.4, 1, 2.5),
      slots: fc.integer({ min: 1, max: 4 }),
      sessions: oneOf(100, 500, 1000),
      bytesPerSecond: oneOf(1e8, 1e9),
    })
    .map((given) => groupOf({ name, ...given }))

const seconds = (...values: number[]) => oneOf(...values.map((value) => value * 1000))

export const plans: fc.Arbitrary<PoolPlan> = fc
  .record({
    groups: fc.integer({ min: 1, max: 3 }).chain((n) => fc.tuple(...['a', 'b', 'c'].slice(0, n).map(group))),
    minimum: fc.nat(2),
    maximum: fc.integer({ min: 1, max: 15 }),
    reserve: fc.nat(2),
    goalMs: seconds(60, 300, 600),
    coolMs: seconds(0, 30, 120, 600),
    stayMs: seconds(0, 60, 600),
    bootMs: seconds(20, 60, 120, 180),
    drainMs: seconds(0, 60, 600),
    scarceMs: seconds(60, 600),
  })
  .map((given) => {
    const there = given.groups.reduce((sum, { count }) => sum + count, 0)
    return planOf({ ...given, maximum: Math.min(given.maximum, there) })
  })

const stretch: fc.Arbitrary<Stretch> = fc.record({
  minutes: fc.integer({ min: 1, max: 25 }),
  level: oneOf(0, 0.02, 0.2, 0.5, 0.9, 1.3),
  shape: oneOf('hold', 'climb', 'tremble'),
})

const order: fc.Arbitrary<Order> = fc.record({
  atMinute: fc.integer({ min: 0, max: 90 }),
  bound: oneOf('floor', 'ceiling'),
  nodes: fc.nat(6),
  minutes: fc.integer({ min: 1, max: 30 }),
})

export const anyFaults: fc.Arbitrary<Faults> = fc.record({
  noCapacity: oneOf(0, 10, 60),
  neverBeat: oneOf(0, 10),
  lifeMs: oneOf(Number.POSITIVE_INFINITY, 3_600_000, 600_000),
  barren: oneOf([], ['a']),
})

interface Kinds {
  readonly plan?: fc.Arbitrary<PoolPlan>
  readonly faults?: fc.Arbitrary<Faults>
  readonly orders?: boolean
  readonly jitterMs?: number
  readonly startMs?: fc.Arbitrary<number>
}

export const noon = Date.parse('2030-03-15T12:00:00Z')

export const histories = (kinds: Kinds = {}): fc.Arbitrary<History> =>
  fc
    .record({
      plan: kinds.plan ?? plans,
      kind: oneOf<Demand['kind']>('audience', 'work'),
      stretches: fc.array(stretch, { minLength: 2, maxLength: 7 }),
      orders: kinds.orders === false ? fc.constant([]) : fc.array(order, { maxLength: 3 }),
      faults: kinds.faults ?? fc.oneof(fc.constant(noFaults), anyFaults),
      startMs: kinds.startMs ?? fc.constant(noon),
      jitterMs: fc.constant(kinds.jitterMs ?? 0),
      seed: fc.integer({ min: 0, max: 2 ** 31 }),
    })
    .map((given) => ({ ...given, plan: { ...given.plan, name: given.kind === 'work' ? 'encoder' : 'edge' } }))
