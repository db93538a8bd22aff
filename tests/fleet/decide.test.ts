// Decisions by example: how demand becomes machines, who bounds them, who goes first, and what an admin's word does.
import { describe, expect, test } from 'vitest'
import { decide } from '../../shared/fleet/decide.ts'
import type { Look } from '../../shared/fleet/decision.ts'
import type { PoolPlan } from '../../shared/fleet/plan.ts'
import type { Beat, Demand, Memory, Node, NodeState } from '../../shared/fleet/ports.ts'
import { groupOf, noon, planOf } from './pool-history.ts'

const minuteMs = 60_000
const nothing = { slots: 0, sessions: 0, bytesPerSecond: 0 }

/** Of a pool that was looked at for long, and was not needed of late. */
const calm: Memory = {
  spend: { countedToMs: noon, day: '2030-03-15', dayCost: 0, month: '2030-03', monthCost: 0 },
  samples: [],
  peaks: [{ atMs: noon - 10_000, need: nothing }],
  watchedSinceMs: noon - 60 * minuteMs,
  wanted: 0,
}

const viewers = (sessions: number, bytesPerSecond = 0): Demand => ({
  kind: 'audience',
  sessions,
  bytesPerSecond,
})
const work = (seconds: number, parallel = 100): Demand => ({ kind: 'work', seconds, parallel })

const node = (id: string, state: NodeState, more: Partial<Node> = {}): Node => ({
  ...{ id, pool: 'edge', type: 'node', schema: 2, state, sinceMs: noon - 30 * minuteMs },
  ...{ epoch: 1, drivenAtMs: 0, failures: 0, notBeforeMs: 0, ...more },
})
const ready = (...ids: string[]): Node[] => ids.map((id) => node(id, 'ready'))
const holding = (...holds: string[]): Beat => ({
  ...{ atMs: noon, holds },
  load: { sessions: 0, bytesPerSecond: 0, cpu: 0 },
})

const look = (given: Partial<Omit<Look, 'plan'>> & { plan?: Partial<PoolPlan> }) => {
  const decision = decide({
    ...{ nodes: [], demand: viewers(0), memory: calm, nowMs: noon, ...given },
    plan: planOf(given.plan),
  })
  return {
    ...decision,
    wakes: decision.wake.map(({ id }) => id),
    drains: decision.drain.map(({ id }) => id),
  }
}

describe('an audience', () => {
  const groups = [
    groupOf({ name: 'big', count: 2, sessions: 1000, bytesPerSecond: 1e9 }),
    groupOf({ name: 'small', count: 3, sessions: 400, bytesPerSecond: 2e8 }),
  ]

  test('gets machines for its sessions or its bytes, whichever takes more', () => {
    expect(look({ plan: { groups }, demand: viewers(1) }).wakes).toEqual(['edge-big-1'])
    expect(look({ plan: { groups }, demand: viewers(1000) }).wakes).toHaveLength(1)
    expect(look({ plan: { groups }, demand: viewers(1001) }).wakes).toEqual(['edge-big-1', 'edge-big-2'])
    expect(look({ plan: { groups }, demand: viewers(1, 2.3e9) }).wakes).toHaveLength(4)
    expect(look({ plan: { groups }, demand: viewers(2900, 2.3e9) }).wakes).toHaveLength(5)
    expect(look({ plan: { groups } }).wakes).toEqual([])
  })

  test('that the app serves itself wakes nobody, and lets those go that are there; one more gets machines for all', () => {
    const plan = { groups, appSessions: 100 }
    const nodes = ready('edge-big-1')
    for (const demand of [viewers(1), viewers(100), viewers(100, 1e8)]) {
      expect(look({ plan, demand }).wakes).toEqual([])
      expect(look({ plan, demand, nodes }).drains).toEqual(['edge-big-1'])
    }
    for (const demand of [viewers(101), viewers(1, 1.01e8)]) {
      expect(look({ plan, demand }).wakes).toEqual(['edge-big-1'])
      expect(look({ plan, demand, nodes }).drains).toEqual([])
    }
    expect(look({ plan, demand: viewers(1001) }).wakes).toHaveLength(2)
    // Before it is too many, one that grows gets them too.
    const samples = Array.from({ length: 12 }, (_, n) => ({
      ...{ atMs: noon - (12 - n) * 10_000, demand: viewers(4 * n) },
    }))
    expect(look({ plan, demand: viewers(48), memory: { ...calm, samples } }).wakes).toEqual([])
    expect(look({ plan, demand: viewers(60), memory: { ...calm, samples } }).wakes).toEqual(['edge-big-1'])
  })

  test('counts on those that come, and on none that drain, stop or have failed', () => {
    const with_ = (state: NodeState) =>
      look({ plan: { groups }, demand: viewers(900), nodes: [node('edge-big-1', state, { sinceMs: noon })] })
        .wakes
    for (const state of ['starting', 'ready'] as const) expect(with_(state)).toEqual([])
    for (const state of ['draining', 'stopping', 'failed'] as const)
      expect(with_(state)).toEqual(['edge-big-2'])
  })

  test('counts on nobody who is late, even if nobody has given it up yet', () => {
    const since = (ms: number) => [node('edge-big-1', 'starting', { sinceMs: noon - ms })]
    expect(look({ plan: { groups }, demand: viewers(900), nodes: since(299_999) }).wakes).toEqual([])
    expect(look({ plan: { groups }, demand: viewers(900), nodes: since(300_000) }).wakes).toEqual([
      'edge-big-2',
    ])
  })

  test('that grows is met where it will be when a boot is done', () => {
    const samples = Array.from({ length: 12 }, (_, n) => ({
      atMs: noon - (12 - n) * 10_000,
      demand: viewers(400 + 40 * n),
    }))
    const grown = look({ plan: { groups }, demand: viewers(880), memory: { ...calm, samples } })
    expect(grown.wakes).toEqual(['edge-big-1', 'edge-big-2'])
    expect(look({ plan: { groups }, demand: viewers(880) }).wakes).toEqual(['edge-big-1'])
  })
})

describe('work', () => {
  const plan = { name: 'encoder', groups: [groupOf({ name: 'a', count: 5, slots: 2 })] } as const

  test('gets slots to be done by the goal, as many as could work at once', () => {
    expect(look({ plan, demand: work(0, 0) }).wakes).toEqual([])
    expect(look({ plan, demand: work(1) }).wakes).toEqual(['encoder-a-1'])
    expect(look({ plan, demand: work(1200) }).wakes).toHaveLength(1)
    expect(look({ plan, demand: work(1201) }).wakes).toHaveLength(2)
    expect(look({ plan, demand: work(6000, 3) }).wakes).toHaveLength(2)
  })

  test('that is counted but can’t begin yet still gets one', () => {
    expect(look({ plan, demand: work(6000, 0) }).wakes).toHaveLength(1)
  })

  test('wakes nobody when those awake will be done before a boot', () => {
    const busy = { plan: { ...plan, goalMs: minuteMs }, nodes: ready('encoder-a-1') }
    // Two slots do 240 seconds in the two minutes of a boot.
    expect(look({ ...busy, demand: work(240) }).wakes).toEqual([])
    expect(look({ ...busy, demand: work(241) }).wakes).toHaveLength(2)
    expect(look({ ...busy, demand: work(121, 1) }).wakes).toEqual([])
  })

  test('wakes its reserve beside them, and no reserve for the reserve', () => {
    const busy = { plan: { ...plan, goalMs: minuteMs, reserve: 1 }, demand: work(240) }
    expect(look({ ...busy, nodes: ready('encoder-a-1') }).wakes).toEqual(['encoder-a-2'])
    const coming = [...ready('encoder-a-1'), node('encoder-a-2', 'starting', { sinceMs: noon })]
    expect(look({ ...busy, nodes: coming }).wakes).toEqual([])
  })

  test('counts on those that come for what is left of the boot', () => {
    const starting = (sinceMs: number) => [node('encoder-a-1', 'starting', { sinceMs })]
    const wakes = (sinceMs: number) =>
      look({ plan: { ...plan, goalMs: minuteMs }, demand: work(150), nodes: starting(sinceMs) }).wakes
    expect(wakes(noon - 100_000)).toEqual([])
    expect(wakes(noon - 10_000)).toHaveLength(1)
  })
})

test('who has work to do stays, and who could do none of it goes', () => {
  const plan = { name: 'encoder', groups: [groupOf({ name: 'a', count: 5, slots: 2 })] } as const
  const nodes = ready('encoder-a-1', 'encoder-a-2', 'encoder-a-3')
  const drains = (demand: Demand, reserve = 0) => look({ plan: { ...plan, reserve }, nodes, demand }).drains
  expect(drains(work(60, 100))).toEqual([])
  expect(drains(work(60, 2))).toEqual(['encoder-a-3', 'encoder-a-2'])
  expect(drains(work(60, 2), 1)).toEqual(['encoder-a-3'])
  expect(drains(work(0, 0))).toHaveLength(3)
})

describe('bounds', () => {
  const plan = { groups: [groupOf({ name: 'a', count: 6 })] }
  const floor = { nodes: 4, untilMs: noon + 1 }
  const ceiling = { nodes: 1, untilMs: noon + 1 }

  test('the minimum is awake without demand, and the reserve with any', () => {
    expect(look({ plan: { ...plan, minimum: 2 } }).wake).toEqual([
      { id: 'edge-a-1', reason: 'minimum' },
      { id: 'edge-a-2', reason: 'minimum' },
    ])
    expect(look({ plan: { ...plan, reserve: 2 } }).wakes).toHaveLength(0)
    expect(look({ plan: { ...plan, reserve: 2 }, demand: viewers(1) }).wakes).toHaveLength(3)
    expect(look({ plan: { ...plan, reserve: 2, minimum: 3 }, demand: viewers(1) }).wakes).toHaveLength(3)
  })

  test('the maximum holds, with all that are still awake', () => {
    const most = { plan: { ...plan, maximum: 2 }, demand: viewers(6000) }
    expect(look(most)).toMatchObject({ wanted: 2, held: 'maximum', wakes: ['edge-a-1', 'edge-a-2'] })
    expect(look({ ...most, nodes: [node('edge-a-1', 'stopping')] }).wakes).toEqual(['edge-a-2'])
    expect(look({ ...most, nodes: ready('edge-a-1', 'edge-a-2', 'edge-a-3') }).drain).toEqual([
      { id: 'edge-a-3', reason: 'not-planned' },
    ])
  })

  test('an admin’s floor wakes, until it lapses', () => {
    expect(look({ plan, floor })).toMatchObject({ wanted: 4, wakes: { length: 4 } })
    expect(look({ plan, floor }).wake[0]).toEqual({ id: 'edge-a-1', reason: 'asked' })
    expect(look({ plan, floor: { ...floor, untilMs: noon } }).wakes).toEqual([])
    expect(
      look({ plan, floor, nodes: ready('edge-a-1', 'edge-a-2', 'edge-a-3', 'edge-a-4') }).drains,
    ).toEqual([])
  })

  test('an admin’s ceiling drains at once, stands over floor, minimum and demand, and lapses', () => {
    const nodes = [...ready('edge-a-1', 'edge-a-2'), node('edge-a-3', 'starting', { sinceMs: noon })]
    const asked = { plan: { ...plan, minimum: 2 }, nodes, demand: viewers(3000), floor }
    expect(look({ ...asked, ceiling })).toMatchObject({
      ...{ wanted: 1, held: 'asked', wakes: [] },
      drain: [
        { id: 'edge-a-3', reason: 'asked' },
        { id: 'edge-a-2', reason: 'asked' },
      ],
    })
    expect(look({ ...asked, ceiling: { ...ceiling, nodes: 0 } }).drains).toHaveLength(3)
    expect(look({ ...asked, ceiling: { ...ceiling, untilMs: noon } })).toMatchObject({
      wakes: ['edge-a-4'],
      drains: [],
    })
  })
})

describe('who is woken', () => {
  const groups = [groupOf({ name: 'a', count: 3 }), groupOf({ name: 'b', count: 3 })]

  test('the best first, without those that are not to be tried yet', () => {
    const nodes = [node('edge-a-1', 'stopped', { notBeforeMs: noon + 1 }), node('edge-a-2', 'stopped')]
    expect(look({ plan: { groups }, demand: viewers(2500), nodes }).wakes).toEqual([
      'edge-a-2',
      'edge-a-3',
      'edge-b-1',
    ])
  })

  test('where one has just found no capacity, its like come last', () => {
    const nodes = [node('edge-a-1', 'stopped', { notBeforeMs: noon + 1, reason: 'no-capacity' })]
    const wakes = (sessions: number) => look({ plan: { groups }, demand: viewers(sessions), nodes })
    expect(wakes(2000).wakes).toEqual(['edge-b-1', 'edge-b-2'])
    expect(wakes(9000).wakes).toEqual(['edge-b-1', 'edge-b-2', 'edge-b-3', 'edge-a-2', 'edge-a-3'])
    expect(wakes(9000).held).toBe('no-capacity')
  })
})

test('no more change at a look than one transaction takes; the next looks do the rest', () => {
  const plan = { groups: [groupOf({ name: 'a', count: 200 })] }
  const counts: number[] = []
  let nodes: Node[] = []
  for (let n = 0; n < 4; n++) {
    const { wakes } = look({ plan, demand: viewers(190_000), nodes })
    counts.push(wakes.length)
    nodes = [...nodes, ...wakes.map((id) => node(id, 'starting', { sinceMs: noon }))]
  }
  expect(counts).toEqual([80, 80, 30, 0])
})

describe('who goes', () => {
  const groups = [groupOf({ name: 'a', count: 3 }), groupOf({ name: 'b', count: 3 })]

  test('the least preferred, those that hold nothing, the oldest', () => {
    const nodes = [
      node('edge-a-1', 'ready', { sinceMs: noon - 99 * minuteMs }),
      node('edge-a-2', 'ready', { beat: holding('u1'), sinceMs: noon - 100 * minuteMs }),
      node('edge-b-1', 'ready', { beat: holding('u2'), sinceMs: noon - 60 * minuteMs }),
      node('edge-b-2', 'ready', { beat: holding(), sinceMs: noon - 40 * minuteMs }),
      node('edge-b-3', 'ready', { beat: holding(), sinceMs: noon - 50 * minuteMs }),
    ]
    expect(look({ plan: { groups }, nodes }).drains).toEqual([
      ...['edge-b-3', 'edge-b-2', 'edge-b-1', 'edge-a-1', 'edge-a-2'],
    ])
    expect(look({ plan: { groups }, nodes, demand: viewers(2500) }).drains).toEqual(['edge-b-3', 'edge-b-2'])
  })

  test('only who was woken long enough ago, and was not needed for long enough', () => {
    const nodes = ready('edge-a-1', 'edge-a-2', 'edge-a-3')
    expect(look({ plan: { groups }, nodes }).drains).toHaveLength(3)
    const young = nodes.map((one) => ({ ...one, sinceMs: noon - 600_000 + 1 }))
    expect(look({ plan: { groups }, nodes: young }).drains).toEqual([])
    const peaks = [{ atMs: noon - 600_000 + 1, need: { ...nothing, sessions: 1500 } }]
    expect(look({ plan: { groups }, nodes, memory: { ...calm, peaks } }).drains).toEqual(['edge-a-3'])
    const past = [{ atMs: noon - 600_000, need: { ...nothing, sessions: 1500 } }]
    expect(look({ plan: { groups }, nodes, memory: { ...calm, peaks: past } }).drains).toHaveLength(3)
  })

  test('nobody before it was watched for as long, nor after a long break', () => {
    const nodes = ready('edge-a-1')
    expect(look({ plan: { groups }, nodes, memory: undefined }).drains).toEqual([])
    const since = (watchedSinceMs: number) => ({ ...calm, watchedSinceMs })
    expect(look({ plan: { groups }, nodes, memory: since(noon - 600_000 + 1) }).drains).toEqual([])
    expect(look({ plan: { groups }, nodes, memory: since(noon - 600_000) }).drains).toEqual(['edge-a-1'])
    const peaks = [{ atMs: noon - 600_001, need: nothing }]
    expect(look({ plan: { groups }, nodes, memory: { ...calm, peaks } }).drains).toEqual([])
  })

  test('a clock that was ahead lets nobody stay for longer', () => {
    const peaks = [{ atMs: noon + 60 * minuteMs, need: { ...nothing, sessions: 1500 } }]
    const first = look({ plan: { groups }, nodes: ready('edge-a-1'), memory: { ...calm, peaks } })
    expect(first.drains).toEqual([])
    let { memory } = first
    for (let n = 1; n < 60; n++)
      memory = look({ plan: { groups }, nodes: ready('edge-a-1'), memory, nowMs: noon + n * 10_000 }).memory
    const then = { plan: { groups }, nodes: ready('edge-a-1'), memory, nowMs: noon + 12 * minuteMs }
    expect(look(then).drains).toEqual(['edge-a-1'])
  })

  test('nobody ready for one that only comes', () => {
    const nodes = [...ready('edge-a-1'), node('edge-a-2', 'starting', { sinceMs: noon })]
    expect(look({ plan: { groups }, nodes, demand: viewers(500) }).drains).toEqual([])
    expect(
      look({ plan: { groups }, nodes: ready('edge-a-1', 'edge-a-2'), demand: viewers(500) }).drains,
    ).toEqual(['edge-a-2'])
  })
})

describe('machines that left the plan', () => {
  const plan = { groups: [groupOf({ name: 'a', count: 2 })] }
  const old = ready('edge-old-1', 'edge-old-2')

  test('go at once when nobody needs them, and are never woken', () => {
    expect(look({ plan, nodes: old }).drain).toEqual([
      { id: 'edge-old-1', reason: 'not-planned' },
      { id: 'edge-old-2', reason: 'not-planned' },
    ])
    const asleep = old.map((one): Node => ({ ...one, state: 'stopped' }))
    expect(look({ plan, nodes: asleep, demand: viewers(9000) }).wakes).toEqual(['edge-a-1', 'edge-a-2'])
  })

  test('serve on until others have come in their place', () => {
    const asked = { plan: { ...plan, maximum: 4 }, demand: viewers(1500) }
    expect(look({ ...asked, nodes: old })).toMatchObject({ wakes: ['edge-a-1', 'edge-a-2'], drains: [] })
    const coming = [...old, ...ready('edge-a-1'), node('edge-a-2', 'starting', { sinceMs: noon })]
    expect(look({ ...asked, nodes: coming })).toMatchObject({ wakes: [], drains: [] })
    const come = [...old, ...ready('edge-a-1', 'edge-a-2')]
    expect(look({ ...asked, nodes: come }).drains).toEqual(['edge-old-1', 'edge-old-2'])
  })

  test('go at once where an admin or the maximum leaves no place for them', () => {
    const asked = {
      plan: { ...plan, maximum: 4 },
      demand: viewers(1500),
      nodes: [...old, ...ready('edge-a-1')],
    }
    const ceiling = (nodes: number) => ({ nodes, untilMs: noon + 1 })
    expect(look({ ...asked, ceiling: ceiling(1) }).drains).toEqual(['edge-old-1', 'edge-old-2'])
    expect(look({ ...asked, ceiling: ceiling(0) }).drains).toHaveLength(3)
    expect(look({ ...asked, plan: { ...plan, maximum: 2 } }).drains).toEqual(['edge-old-1'])
  })

  test('serve on where there is no capacity for others: going would make none', () => {
    const scarce = ['edge-a-1', 'edge-a-2'].map((id) => node(id, 'stopped', { notBeforeMs: noon + 1 }))
    const asked = { plan: { ...plan, maximum: 4 }, nodes: [...old, ...scarce] }
    expect(look({ ...asked, demand: viewers(1500) })).toMatchObject({ drains: [], held: 'no-capacity' })
    expect(look(asked).drains).toEqual(['edge-old-1', 'edge-old-2'])
  })

  test('go one after the other when there is no room for others beside them', () => {
    const full = { plan: { ...plan, maximum: 2 }, demand: viewers(1500) }
    expect(look({ ...full, nodes: old })).toMatchObject({
      wakes: [],
      drains: ['edge-old-1'],
      held: 'maximum',
    })
    const leaving = [node('edge-old-1', 'draining'), ...ready('edge-old-2')]
    expect(look({ ...full, nodes: leaving })).toMatchObject({ wakes: [], drains: [] })
    expect(look({ ...full, nodes: ready('edge-old-2') })).toMatchObject({ wakes: ['edge-a-1'], drains: [] })
    expect(look({ ...full, nodes: ready('edge-old-2', 'edge-a-1') }).drains).toEqual(['edge-old-2'])
  })
})
