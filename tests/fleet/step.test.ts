// One look at a pool, with decisions that the test makes: what it changes, what is left alone, and which errands it takes.
import { describe, expect, test } from 'vitest'
import type { Decision, Look } from '../../shared/fleet/decision.ts'
import { drainAsked, lost, registered, released, woken } from '../../shared/fleet/machine.ts'
import type { Demand, Memory, Node, Pool, Reason } from '../../shared/fleet/ports.ts'
import { type Now, step } from '../../shared/fleet/step.ts'
import { sampleBoot, sampleGroup, sampleNode, samplePlan } from './documents.ts'

const demand: Demand = { kind: 'work', seconds: 100, parallel: 2 }
const memory: Memory = {
  spend: { countedToMs: 0, day: '2026-11-22', dayCost: 0, month: '2026-11', monthCost: 0 },
  ...{ samples: [], peaks: [], watchedSinceMs: 0, wanted: 0 },
}
/** Looked at every ten seconds. */
const steady: Pool = {
  ...{ id: 'pool', pool: 'encoder', type: 'pool', schema: 1, steadySinceMs: 0 },
  memory: { ...memory, spend: { ...memory.spend, countedToMs: 990_000 } },
}
const choices = (ids: readonly string[], reason: Reason) => ids.map((id) => ({ id, reason }))

function stepWith(
  { wake = [], drain = [] }: { wake?: string[]; drain?: string[] },
  now: Partial<Now> & { nodes?: Node[]; pool?: Pool; plan?: ReturnType<typeof samplePlan> } = {},
) {
  const { nodes = [], pool, plan = samplePlan(), ...rest } = now
  let look: Look | undefined
  const decide = (given: Look): Decision => {
    look = given
    return { wanted: 1, wake: choices(wake, 'demand'), drain: choices(drain, 'idle'), memory }
  }
  const rules = { plan, deadMs: 30_000, strandedMs: 60_000, decide }
  const outcome = step(rules, { state: { pool, nodes }, demand, nowMs: 1_000_000, ...rest })
  const states = Object.fromEntries(outcome.change.nodes.map(({ id, state }) => [id, state]))
  return { ...outcome, look: look as unknown as Look, states }
}

const id = (n: number) => `encoder-z1-${n}`
const ready = (n: number, atMs = 990_000) =>
  registered(woken(sampleNode({ id: id(n) }), 'demand', atMs), sampleBoot(`boot-${n}`, atMs))

describe('what was decided', () => {
  test('wakes nodes without a document, with an errand for that wake', () => {
    const { states, errands, change } = stepWith({ wake: [id(1), id(2)] })
    expect(states).toEqual({ [id(1)]: 'starting', [id(2)]: 'starting' })
    expect(errands).toEqual(
      [1, 2].map((n) => ({ kind: 'wake', target: { pool: 'encoder', node: id(n), epoch: 1 } })),
    )
    expect(change.pool).toMatchObject({ id: 'pool', pool: 'encoder', memory })
  })

  test('drains nodes, with an errand', () => {
    const { states, errands } = stepWith({ drain: [id(1)] }, { nodes: [ready(1), ready(2)] })
    expect(states).toEqual({ [id(1)]: 'draining' })
    expect(errands).toEqual([{ kind: 'drain', target: { pool: 'encoder', node: id(1), epoch: 1 } }])
  })

  test('has no effect where the node can not follow: awake already, not in the plan, not before its time', () => {
    const resting = sampleNode({ id: id(3), notBeforeMs: 1_000_001 })
    const { change, errands } = stepWith(
      { wake: [id(1), id(3), 'encoder-z9-1'], drain: [id(2)] },
      { nodes: [ready(1), resting] },
    )
    expect([change.nodes, errands]).toEqual([[], []])
    // The very same choice is followed a moment later.
    expect(stepWith({ wake: [id(3)] }, { nodes: [resting], nowMs: 1_000_001 }).states).toEqual({
      [id(3)]: 'starting',
    })
  })

  test('fits into one transaction; what is left over is for the next look', () => {
    const plan = samplePlan({ groups: [sampleGroup({ count: 300 })], maximum: 300 })
    const all = Array.from({ length: 300 }, (_, n) => id(n + 1))
    const { change, errands } = stepWith({ wake: all }, { plan })
    expect([change.nodes.length, errands.length]).toEqual([99, 99])
  })
})

describe('what is found', () => {
  test('a node whose beats stopped is lost, before anything is decided', () => {
    const nodes = [ready(1, 960_000), ready(2, 980_000)]
    const { states, errands, look } = stepWith({}, { nodes, pool: steady })
    expect(states).toEqual({ [id(1)]: 'failed' })
    expect(look.nodes.find((node) => node.id === id(1))?.state).toBe('failed')
    expect(errands.map(({ kind, target }) => [kind, target.node])).toEqual([['drain', id(1)]])
  })

  test('after a break in the looks nobody is lost before its beats had time to come back', () => {
    const nodes = [ready(1, 960_000)]
    const pool = (lookedAtMs: number, steadySinceMs: number): Pool => ({
      ...{ id: 'pool', pool: 'encoder', type: 'pool', schema: 1, steadySinceMs },
      memory: { ...memory, spend: { ...memory.spend, countedToMs: lookedAtMs } },
    })
    const first = stepWith({}, { nodes, pool: pool(960_000, 0) })
    expect([first.states, first.change.pool.steadySinceMs]).toEqual([{}, 1_000_000])
    const second = stepWith({}, { nodes, pool: pool(1_019_999, 1_000_000), nowMs: 1_029_999 })
    expect([second.states, second.change.pool.steadySinceMs]).toEqual([{}, 1_000_000])
    const third = stepWith({}, { nodes, pool: pool(1_029_999, 1_000_000), nowMs: 1_030_000 })
    expect(third.states).toEqual({ [id(1)]: 'failed' })
    // Nobody ever looked before.
    expect(stepWith({}, { nodes }).states).toEqual({})
  })

  test('a node that left the plan goes when that is decided, and is never woken', () => {
    const gone = { ...ready(1), id: 'encoder-z9-1' }
    const starting = woken(sampleNode({ id: 'encoder-z9-2' }), 'demand', 990_000)
    const nodes = [gone, starting]
    expect(stepWith({}, { nodes }).change.nodes).toEqual([])
    const { states, errands } = stepWith(
      { wake: ['encoder-z9-3'], drain: ['encoder-z9-1', 'encoder-z9-2'] },
      { nodes },
    )
    expect(states).toEqual({ 'encoder-z9-1': 'draining', 'encoder-z9-2': 'stopping' })
    expect(errands.map(({ kind }) => kind)).toEqual(['drain', 'drain'])
  })

  test('a node in transition that nobody drives gets its errand again, once in that time', () => {
    const at = 1_000_000 - 60_000
    const starting = woken(sampleNode({ id: id(1) }), 'demand', at)
    const draining = drainAsked(ready(2, at), 'idle', at)
    const stopping = released(lost(ready(3, at), at, 1), { epoch: 1, nowMs: at, drainMs: 1 })
    // Alive, so that it is not lost.
    const beat = { atMs: 999_000, holds: ['x'], load: { sessions: 0, bytesPerSecond: 0, cpu: 0 } }
    const nodes = [starting, { ...draining, beat }, stopping, { ...ready(4, at), beat }]
    const plan = samplePlan({ groups: [sampleGroup({ count: 4 })] })
    const first = stepWith({}, { nodes, plan })
    expect(first.errands.map(({ kind, target }) => [kind, target.node, target.epoch])).toEqual([
      ['wake', id(1), 1],
      ['drain', id(2), 1],
      ['drain', id(3), 1],
    ])
    // Another watch sees that it was done.
    const after = nodes.map((node) => first.change.nodes.find((one) => one.id === node.id) ?? node)
    expect(stepWith({}, { nodes: after, plan, nowMs: 1_010_000 }).errands).toEqual([])
  })
})

describe('an admin', () => {
  const until = 1_060_000
  const pool = (bounds: Partial<Pool>): Pool => ({
    ...{ id: 'pool', pool: 'encoder', type: 'pool', schema: 1, memory },
    ...bounds,
  })

  const boundsOf = ({ change }: ReturnType<typeof stepWith>) => {
    const { floor, ceiling } = change.pool
    return { ...(floor ? { floor } : {}), ...(ceiling ? { ceiling } : {}) }
  }

  test('drains the nodes that are named, which are not woken again for a while', () => {
    const order = { drain: { ids: [id(2), id(3)], untilMs: until } }
    const { change } = stepWith({}, { nodes: [ready(1), ready(2)], order })
    expect(
      change.nodes.map(({ id: node, state, reason, notBeforeMs }) => [node, state, reason, notBeforeMs]),
    ).toEqual([
      [id(2), 'draining', 'asked', until],
      [id(3), 'stopped', 'asked', until],
    ])
    const asleep = change.nodes.filter(({ state }) => state === 'stopped')
    expect(stepWith({ wake: [id(3)] }, { nodes: asleep }).states).toEqual({})
    // But by an admin who wants nodes after all.
    const floor = { nodes: 1, untilMs: until }
    expect(stepWith({ wake: [id(3)] }, { nodes: asleep, order: { floor } }).states).toEqual({
      [id(3)]: 'starting',
    })
  })

  test('who drains nodes by name means fewer than were wanted before', () => {
    const floor = { nodes: 3, untilMs: until }
    const nodes = [ready(1), ready(2), ready(3)]
    const order = (...ids: string[]) => ({ drain: { ids, untilMs: until } })
    expect(stepWith({}, { nodes, pool: pool({ floor }), order: order(id(1)) }).look.floor?.nodes).toBe(2)
    expect(
      stepWith({}, { nodes, pool: pool({ floor }), order: order(id(1), id(2), id(3)) }).look.floor,
    ).toBeUndefined()
  })

  test('sets a floor and a ceiling that are decided with, are kept, and lapse', () => {
    const floor = { nodes: 2, untilMs: until }
    const ceiling = { nodes: 4, untilMs: until }
    const first = stepWith({}, { order: { floor } })
    expect([first.look.floor, first.change.pool.floor]).toEqual([floor, floor])
    const second = stepWith({}, { pool: first.change.pool, order: { ceiling } })
    expect([second.look.floor, second.look.ceiling]).toEqual([floor, ceiling])
    const before = stepWith({}, { pool: second.change.pool, nowMs: until - 1 })
    expect([before.look.floor, before.look.ceiling]).toEqual([floor, ceiling])
    const after = stepWith({}, { pool: second.change.pool, nowMs: until })
    expect([after.look.floor, after.look.ceiling, boundsOf(after)]).toEqual([undefined, undefined, {}])
  })

  test('takes back what was asked: the bounds, and the sleep of those that were named', () => {
    const bounds = { floor: { nodes: 3, untilMs: until }, ceiling: { nodes: 1, untilMs: until } }
    const named = sampleNode({ id: id(3), notBeforeMs: until, reason: 'asked' })
    const scarce = sampleNode({ id: id(2), notBeforeMs: until, reason: 'no-capacity', failures: 1 })
    const nodes = [named, scarce]
    const wake = [id(2), id(3)]
    const before = stepWith({ wake }, { nodes, pool: pool(bounds) })
    expect([before.look.floor, before.look.ceiling, before.states]).toEqual([
      ...[bounds.floor, bounds.ceiling],
      {},
    ])
    const lifted = stepWith({ wake }, { nodes, pool: pool(bounds), order: { lift: true } })
    expect([lifted.look.floor, lifted.look.ceiling, boundsOf(lifted)]).toEqual([undefined, undefined, {}])
    // One without capacity is not an admin's, and rests on.
    expect(lifted.states).toEqual({ [id(3)]: 'starting' })
    const again = stepWith({}, { nodes: [], pool: lifted.change.pool, order: { lift: true } })
    expect([again.change.nodes, boundsOf(again)]).toEqual([[], {}])
  })

  test('who says two things that contradict each other meant the later one', () => {
    const floor = { nodes: 3, untilMs: until }
    const ceiling = { nodes: 1, untilMs: until }
    expect(boundsOf(stepWith({}, { pool: pool({ floor }), order: { ceiling } }))).toEqual({ ceiling })
    expect(boundsOf(stepWith({}, { pool: pool({ ceiling }), order: { floor } }))).toEqual({ floor })
  })
})
