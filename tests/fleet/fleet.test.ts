// The fleet as the app and its other stages see it, on a real store: demand, calls, encoders, pools that left the plan, and no fleet at all.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from '../../shared/config/index.ts'
import { decide } from '../../shared/fleet/decide.ts'
import { createFleet } from '../../shared/fleet/index.ts'
import { isAwake } from '../../shared/fleet/machine.ts'
import type { Machines, PoolName } from '../../shared/fleet/ports.ts'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { seeded } from '../support/seeded.ts'
import { sampleFleet, sampleGroup, samplePlan } from './documents.ts'
import { emptyFleet } from './empty.ts'
import { createWorld } from './world.ts'

let cosmos: CosmosServer
beforeAll(async () => {
  cosmos = await startCosmos()
})
afterAll(() => cosmos?.stop())
beforeEach(() => emptyFleet(cosmos))

const encoders = samplePlan()
const edges = samplePlan({ name: 'edge', groups: [sampleGroup({ sessions: 100 })] })

describe('an audience', () => {
  const gauge = (id: string, atMs: number, sessions: number) =>
    ({ id, pool: 'edge', type: 'gauge', schema: 1, atMs, sessions, bytesPerSecond: 10 * sessions }) as const

  test('is what instances told of late and what edges beat; old gauges count for nothing, and go', async () => {
    const world = createWorld({ cosmos, plan: edges, random: seeded(1) })
    const { store, fleet, now } = world
    await store.putGauge(gauge('gauge-a', now(), 70))
    await store.putGauge(gauge('gauge-b', now() - 29_000, 50))
    await store.putGauge(gauge('gauge-c', now() - 31_000, 1000))
    await store.putGauge(gauge('gauge-d', now() - 700_000, 1000))
    expect((await fleet.view('edge')).demand).toEqual({
      kind: 'audience',
      sessions: 120,
      bytesPerSecond: 1200,
    })
    expect((await store.gauges()).map(({ id }) => id).sort()).toEqual(['gauge-a', 'gauge-b', 'gauge-c'])
    world.engine.start(await fleet.watch())
    expect((await world.nodes()).filter(isAwake).length).toBe(2)
    await world.pass(50, (second) =>
      second % 10 === 0 ? store.putGauge(gauge('gauge-a', now(), 120)) : undefined,
    )
    const ready = (await world.nodes()).filter(({ state }) => state === 'ready')
    expect(ready.length).toBeGreaterThan(0)
    const [edge] = ready
    await fleet.nodes.beat(edge?.id ?? '', edge?.boot?.id ?? '', {
      holds: [],
      load: { sessions: 33, bytesPerSecond: 7, cpu: 0.5 },
    })
    expect((await fleet.view('edge')).demand).toEqual({
      kind: 'audience',
      sessions: 153,
      bytesPerSecond: 1207,
    })
  })
})

describe('encode', () => {
  test('calls for encoders and is heard at once, and every two seconds', async () => {
    const world = createWorld({ cosmos, plan: encoders, random: seeded(1) })
    Object.assign(world.work, { seconds: 600, parallel: 1 })
    const errands = await world.fleet.call('encoder')
    expect(errands).toEqual([{ kind: 'wake', target: { pool: 'encoder', node: 'encoder-z1-1', epoch: 1 } }])
    Object.assign(world.work, { seconds: 6000, parallel: 10 })
    expect(await world.fleet.call('encoder')).toEqual([])
    await world.pass(2)
    expect((await world.fleet.call('encoder')).length).toBe(2)
    expect(await world.fleet.call('edge')).toEqual([])
  })

  test('hears whether anybody is awake, and how fast they are', async () => {
    const world = createWorld({ cosmos, plan: encoders, random: seeded(1) })
    expect([await world.fleet.crew.awake(), await world.fleet.crew.pixelsPerSecond()]).toEqual([0, undefined])
    Object.assign(world.work, { seconds: 6000, parallel: 2 })
    await world.pass(70)
    expect(await world.fleet.crew.awake()).toBe(
      (await world.nodes()).filter(({ state }) => state === 'ready').length,
    )
    expect(await world.fleet.crew.awake()).toBeGreaterThan(0)
    expect(await world.fleet.crew.pixelsPerSecond()).toBe(1e6)
  })
})

test('an admin’s order is told once, and only where it moves something', async () => {
  const world = createWorld({ cosmos, plan: encoders, random: seeded(1) })
  const { errands } = await world.fleet.wake('encoder', { nodes: 1, minutes: 60 })
  world.engine.start(errands)
  await world.pass(60)
  world.lines.length = 0
  const order = { nodes: ['encoder-z1-1', 'encoder-z1-2'], minutes: 10 }
  for (let n = 0; n < 3; n++) world.engine.start((await world.fleet.drain('encoder', order)).errands)
  expect(world.lines).toEqual([{ event: 'fleet.draining', node: 'encoder-z1-1', reason: 'asked', epoch: 1 }])
  await world.pass(90)
  expect(
    (await world.nodes()).map(({ id, state, notBeforeMs }) => [id, state, notBeforeMs > world.now()]),
  ).toEqual([
    ['encoder-z1-1', 'stopped', true],
    ['encoder-z1-2', 'stopped', true],
  ])
})

test('more than a pool may have is refused, and says how many that is; as many are woken', async () => {
  const plan = samplePlan({ maximum: 2 })
  const { fleet, nodes } = createWorld({ cosmos, plan, random: seeded(1) })
  const errors = [{ pointer: '/nodes', message: expect.stringContaining('at most 2') }]
  for (const count of [3, 500])
    await expect(fleet.wake('encoder', { nodes: count, minutes: 1 })).rejects.toMatchObject({
      ...{ code: 'invalid-request', options: { errors } },
    })
  expect(await nodes()).toEqual([])
  expect((await fleet.wake('encoder', { nodes: 2, minutes: 1 })).errands).toHaveLength(2)
})

test('a node that has left the plan can be drained by name, one that never was can not', async () => {
  const before = createWorld({ cosmos, plan: encoders, random: seeded(1) })
  before.engine.start((await before.fleet.wake('encoder', { nodes: 1, minutes: 60 })).errands)
  await before.pass(60)
  const plan = samplePlan({ groups: [sampleGroup({ name: 'z2' })] })
  const { fleet } = createWorld({ cosmos, plan, random: seeded(1), startMs: before.now() })
  const order = (id: string) => fleet.drain('encoder', { nodes: [id], minutes: 1 })
  await expect(order('encoder-z3-1')).rejects.toMatchObject({ code: 'not-found' })
  const { view } = await order('encoder-z1-1')
  expect(view.nodes.find(({ id }) => id === 'encoder-z1-1')).toMatchObject({ state: 'draining', group: '' })
})

test('a pool that leaves the plan while nodes are awake is sent to sleep', async () => {
  const world = createWorld({ cosmos, plan: encoders, random: seeded(1) })
  Object.assign(world.work, { seconds: 600, parallel: 1 })
  await world.pass(60)
  expect((await world.nodes()).filter(({ state }) => state === 'ready').length).toBe(1)
  const later = createFleet({
    plan: sampleFleet(edges),
    store: world.store,
    machines: world.cloud.api,
    backlog: { read: async () => world.work },
    decide,
    clock: { now: world.now, wait: async () => {} },
    log: () => {},
  })
  world.engine.start(await later.watch())
  expect((await world.nodes()).filter(isAwake).map(({ state, reason }) => [state, reason])).toEqual([
    ['draining', 'not-planned'],
  ])
})

test('the last pool leaves the plan while nodes are awake: they are sent to sleep, and looked for seldom', async () => {
  const world = createWorld({ cosmos, plan: encoders, random: seeded(1) })
  Object.assign(world.work, { seconds: 600, parallel: 1 })
  await world.pass(60)
  expect((await world.nodes()).filter(isAwake).length).toBe(1)
  let reads = 0
  const store = {
    ...world.store,
    read: (pool: PoolName) => {
      reads++
      return world.store.read(pool)
    },
  }
  const later = (isLeft: boolean) =>
    createFleet({
      ...{ plan: sampleFleet(), isLeft, store, machines: world.cloud.api, decide },
      backlog: { read: () => Promise.reject(new Error('nobody asks')) },
      clock: { now: world.now, wait: async () => {} },
      log: () => {},
    })
  const nobody = later(false)
  expect([await nobody.watch(), reads]).toEqual([[], 0])
  const fleet = later(true)
  world.watch = async () => world.engine.start(await fleet.watch())
  await world.pass(120)
  expect((await world.nodes()).map(({ state, reason }) => [state, reason])).toEqual([
    ['stopped', 'not-planned'],
  ])
  expect(world.cloud.all().filter(({ power }) => power !== 'deallocated')).toEqual([])
  // Once a minute, in twelve looks.
  expect(reads).toBe(2 * 2)
})

test('where machines of a plan that is no more are, is told by subscription and group alone', () => {
  const fleetWith = (more: Record<string, string>) =>
    loadConfig({
      ...{ BLOB_URL: 'http://127.0.0.1:1/a', COSMOS_ENDPOINT: 'http://127.0.0.1:2', KEK_FILE: '/kek' },
      ...{ BLOB_ACCOUNT: 'a', BLOB_KEY: 'Yg==', COSMOS_KEY: 'Yw==', ADMIN_KEY: 'an-admin-key-of-tests' },
      ...more,
    }).fleet
  const place = { FLEET_SUBSCRIPTION: 'a-subscription', FLEET_GROUP: 'a-group' }
  expect(fleetWith({ ...place, FLEET_POOLS: '' })).toMatchObject({
    ...{ pools: [], arm: { subscription: 'a-subscription', group: 'a-group' } },
  })
  expect(fleetWith({})).toBeUndefined()
  expect(fleetWith({ ...place, FLEET_GROUP: '' })).toBeUndefined()
})

test('without pools there is nothing to see and nothing to do, and nobody is asked', async () => {
  const nobody = new Proxy({} as Machines, {
    get: () => () => {
      throw new Error('there is no resource manager')
    },
  })
  const world = createWorld({ cosmos, plan: encoders, random: seeded(1) })
  const lines: string[] = []
  const none = createFleet({
    plan: sampleFleet(),
    store: world.store,
    machines: nobody,
    backlog: { read: () => Promise.reject(new Error('nobody asks')) },
    decide,
    clock: { now: world.now, wait: async () => {} },
    log: (_, event) => lines.push(event),
  })
  expect([await none.watch(), await none.call('encoder'), await none.list(), lines]).toEqual([[], [], [], []])
  for (const pool of ['encoder', 'edge', 'sfu', '']) {
    await expect(none.view(pool)).rejects.toMatchObject({ code: 'not-found' })
    await expect(none.wake(pool, { nodes: 1, minutes: 1 })).rejects.toMatchObject({ code: 'not-found' })
    await expect(none.drain(pool, { keep: 0, minutes: 1 })).rejects.toMatchObject({ code: 'not-found' })
  }
})

test('what hinders one pool does not hinder the others', async () => {
  const world = createWorld({ cosmos, plan: encoders, random: seeded(1) })
  const lines: string[] = []
  const fleet = createFleet({
    plan: sampleFleet(encoders, samplePlan({ ...edges, minimum: 1 })),
    store: world.store,
    machines: world.cloud.api,
    backlog: { read: () => Promise.reject(new Error('the backlog is away')) },
    decide,
    clock: { now: world.now, wait: async () => {} },
    log: (_, event) => lines.push(event),
  })
  expect((await fleet.watch()).map(({ target }) => target.node)).toEqual(['edge-z1-1'])
  expect(lines).toContain('fleet.watch-failed')
})

test('a resource manager that does not answer keeps no look waiting, and what it finds later is not lost', async () => {
  const world = createWorld({ cosmos, plan: encoders, random: seeded(1) })
  world.cloud.force('encoder-z1-2', 'running')
  let answer = () => {}
  const silence = new Promise<void>((resolve) => {
    answer = resolve
  })
  const fleet = createFleet({
    plan: sampleFleet(encoders),
    store: world.store,
    machines: { ...world.cloud.api, all: () => silence.then(world.cloud.api.all) },
    backlog: { read: async () => ({ seconds: 600, parallel: 1 }) },
    decide,
    clock: { now: world.now, wait: () => new Promise((resolve) => setTimeout(resolve, 20)) },
    log: () => {},
  })
  expect(await fleet.watch()).toMatchObject([{ kind: 'wake', target: { node: 'encoder-z1-1' } }])
  expect(await fleet.watch()).toEqual([])
  answer()
  await expect
    .poll(async () => (await fleet.watch()).map(({ kind, target }) => [kind, target.node]))
    .toEqual([['drain', 'encoder-z1-2']])
})
