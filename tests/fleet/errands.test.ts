// Wakes and drains to their end, on a real store, while the resource manager misbehaves in each of its ways.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PoolPlan } from '../../shared/fleet/plan.ts'
import type { Node } from '../../shared/fleet/ports.ts'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { seeded } from '../support/seeded.ts'
import { sampleGroup, samplePlan } from './documents.ts'
import { emptyFleet } from './empty.ts'
import { createWorld, type World } from './world.ts'

let cosmos: CosmosServer
beforeAll(async () => {
  cosmos = await startCosmos()
})
afterAll(() => cosmos?.stop())
beforeEach(() => emptyFleet(cosmos))

const one = 'encoder-z1-1'
const two = 'encoder-z1-2'
const worldOf = (plan: Partial<PoolPlan> = {}) =>
  createWorld({ cosmos, plan: samplePlan(plan), random: seeded(1) })

/** Work for one slot; a pool of one so that it is clear who does it. */
const alone: Partial<PoolPlan> = { groups: [sampleGroup({ count: 1 })], maximum: 1 }
const someWork = { seconds: 600, parallel: 1 }

const nodeOf = async (world: World, id = one): Promise<Node | undefined> =>
  (await world.nodes()).find((node) => node.id === id)
const stateOf = async (world: World, id = one) => (await nodeOf(world, id))?.state

async function until(world: World, state: Node['state'], seconds = 600): Promise<Node> {
  let node: Node | undefined
  for (let n = 0; n < seconds && node?.state !== state; n++) {
    await world.pass(1)
    node = await nodeOf(world)
  }
  expect(node?.state).toBe(state)
  return node as Node
}

test('work wakes a node, which serves; without work it goes to sleep, and its machine with it', async () => {
  const world = worldOf(alone)
  Object.assign(world.work, someWork)
  const ready = await until(world, 'ready')
  expect(ready).toMatchObject({ epoch: 1, reason: 'demand', failures: 0 })
  expect(world.cloud.find(one)).toMatchObject({ power: 'running', boots: 1 })
  Object.assign(world.work, { seconds: 0, parallel: 0 })
  const asleep = await until(world, 'stopped')
  expect([asleep.reason, asleep.boot, asleep.failures]).toEqual(['idle', undefined, 0])
  expect(world.cloud.find(one)?.power).toBe('deallocated')
  for (const event of ['woken', 'ready', 'draining', 'stopped'])
    expect([event, world.count(`fleet.${event}`)]).toEqual([event, 1])
  expect(world.cloud.requests.filter(({ what }) => what !== 'look').map(({ what }) => what)).toEqual([
    'start',
    'deallocate',
  ])
  expect(world.engine.running()).toEqual([])
})

describe('the resource manager', () => {
  test('that asks to come back later is asked again then', async () => {
    const world = worldOf(alone)
    Object.assign(world.work, someWork)
    world.cloud.setFaults({ later: 100 })
    await world.pass(40)
    expect(await stateOf(world)).toBe('starting')
    const starts = world.cloud.requests.filter(({ what }) => what === 'start')
    expect(starts.length).toBeGreaterThan(3)
    for (const [n, { atMs }] of starts.entries())
      if (n > 0) expect(atMs - (starts[n - 1]?.atMs ?? 0)).toBeGreaterThanOrEqual(5000)
    world.cloud.setFaults({})
    await until(world, 'ready')
  })

  test.each([
    ['at once', { noCapacity: 100 }],
    ['after it has begun', { failsLater: 100 }],
  ])('without capacity, which it says %s: the node rests, others are tried', async (_, faults) => {
    const world = worldOf()
    Object.assign(world.work, someWork)
    world.cloud.setFaults(faults)
    const asleep = await until(world, 'stopped')
    expect(asleep).toMatchObject({ reason: 'no-capacity', failures: 1 })
    expect(asleep.notBeforeMs).toBeGreaterThan(world.now())
    await world.pass(30)
    expect(
      world.lines.filter(({ event }) => event === 'fleet.no-capacity').map(({ node }) => node),
    ).toContain(two)
    // Nobody is woken again before the rest is over.
    expect((await nodeOf(world))?.epoch).toBe(1)
    world.cloud.setFaults({})
    await world.pass(600)
    expect((await world.nodes()).some(({ state }) => state === 'ready')).toBe(true)
  })

  test('that refuses is believed, and said so', async () => {
    const world = worldOf(alone)
    Object.assign(world.work, someWork)
    world.cloud.setFaults({ refused: 100 })
    await world.pass(20)
    expect(await nodeOf(world)).toMatchObject({ state: 'stopping', reason: 'refused' })
    expect(world.count('fleet.refused')).toBeGreaterThan(0)
    world.cloud.setFaults({})
    expect((await until(world, 'stopped')).failures).toBe(1)
  })

  test('that is away for long loses nothing: a node that should sleep goes to sleep once it is back', async () => {
    const world = worldOf(alone)
    Object.assign(world.work, someWork)
    await until(world, 'ready')
    Object.assign(world.work, { seconds: 0, parallel: 0 })
    world.cloud.setFaults({ throws: 100 })
    await world.pass(400)
    expect(await stateOf(world)).toBe('stopping')
    expect(world.cloud.find(one)?.power).toBe('running')
    expect(world.count('fleet.manager-away')).toBeGreaterThan(10)
    world.cloud.setFaults({})
    await until(world, 'stopped', 120)
    expect(world.cloud.find(one)?.power).toBe('deallocated')
  })

  test('whose answers are lost is asked again, to the same effect', async () => {
    const world = worldOf(alone)
    Object.assign(world.work, someWork)
    world.cloud.setFaults({ lostAnswers: 60 })
    await until(world, 'ready')
    expect(world.cloud.find(one)?.boots).toBe(1)
  })

  test('that has lost a machine ends its wake', async () => {
    const world = worldOf(alone)
    Object.assign(world.work, someWork)
    world.cloud.remove(one)
    await world.pass(30)
    expect(await nodeOf(world)).toMatchObject({ reason: 'refused', failures: 1 })
    expect(await stateOf(world)).toMatch(/stopp/)
  })
})

describe('a worker', () => {
  test('that is never heard: its machine is deallocated, another one is woken, and the node rests for longer each time', async () => {
    const world = worldOf({ lateMs: 60_000 })
    Object.assign(world.work, someWork)
    world.cloud.setFaults({ dumb: 100 })
    const first = await until(world, 'stopped')
    expect(first).toMatchObject({ reason: 'never-beat', failures: 1 })
    expect(world.cloud.find(one)?.power).toBe('deallocated')
    expect((await nodeOf(world, two))?.epoch).toBe(1)
    await world.pass(500)
    const later = (await nodeOf(world)) as Node
    expect(later.failures).toBeGreaterThan(1)
    expect(later.notBeforeMs - first.notBeforeMs).toBeGreaterThan(60_000)
    world.cloud.setFaults({})
    await world.pass(400)
    expect((await world.nodes()).some(({ state }) => state === 'ready')).toBe(true)
  })

  test('that dies is taken for dead after its time, its machine is deallocated', async () => {
    const world = worldOf(alone)
    Object.assign(world.work, someWork)
    await until(world, 'ready')
    world.kill(one)
    await world.pass(25)
    expect(await stateOf(world)).toBe('ready')
    await world.pass(20)
    expect(await stateOf(world)).toMatch(/failed|stopping/)
    expect(world.count('fleet.lost')).toBe(1)
    expect(await until(world, 'stopped')).toMatchObject({ reason: 'lost', failures: 1 })
    expect(world.cloud.find(one)?.power).toBe('deallocated')
    // Woken again after its rest, with a machine that boots anew.
    expect((await until(world, 'ready')).epoch).toBe(2)
    expect(world.cloud.find(one)?.boots).toBe(2)
  })

  test('that holds something is waited for, for as long as a drain may take', async () => {
    const world = worldOf({ ...alone, drainMs: 120_000 })
    Object.assign(world.work, someWork)
    await until(world, 'ready')
    await world.pass(10)
    world.stuck.add(one)
    const { errands } = await world.fleet.drain('encoder', { nodes: [one], keep: 0, minutes: 60 })
    world.engine.start(errands)
    await world.pass(110)
    expect([await stateOf(world), world.cloud.find(one)?.power]).toEqual(['draining', 'running'])
    expect((await nodeOf(world))?.beat).toMatchObject({ holds: [`unit-${one}`], drains: true })
    await world.pass(30)
    expect(await stateOf(world)).toMatch(/stopp/)
  })
})

describe('an errand', () => {
  test('that was lost is begun again by a watch, after its time and not before', async () => {
    const world = worldOf(alone)
    Object.assign(world.work, someWork)
    await world.watch()
    expect(world.engine.running()).toEqual([`wake-${one}-1`])
    world.engine.lose()
    await world.pass(50)
    expect([world.engine.running(), world.cloud.requests]).toEqual([[], []])
    await until(world, 'ready', 60)
    expect(world.count('fleet.stranded')).toBe(1)
  })

  test('goes on by itself when the store was away for a while', async () => {
    const world = worldOf(alone)
    Object.assign(world.work, someWork)
    await world.watch()
    world.away.isAway = true
    await world.pass(50)
    expect([world.engine.running(), world.cloud.requests]).toEqual([[`wake-${one}-1`], []])
    world.away.isAway = false
    await world.pass(31)
    expect(world.cloud.requests.map(({ what }) => what)).toContain('start')
    await until(world, 'ready')
  })

  test('of another wake asks nothing of anybody, whatever the node is at', async () => {
    const world = worldOf({ ...alone, drainMs: 3_600_000 })
    Object.assign(world.work, someWork)
    const strangers = async () => {
      const [before, node] = [world.cloud.requests.length, await nodeOf(world)]
      for (const epoch of [0, 2, 3])
        for (const step of ['start', 'look', 'stop'] as const)
          for (const what of ['start', 'stop'] as const) {
            const target = { pool: 'encoder', node: one, epoch, asked: { what, atMs: 0 } }
            expect(await world.fleet.errands[step](target)).toEqual({ next: 'over', waitSeconds: 0 })
          }
      expect(world.cloud.requests.length).toBe(before)
      expect(await nodeOf(world)).toEqual(node)
    }
    await world.watch()
    expect(await stateOf(world)).toBe('starting')
    await strangers()
    await until(world, 'ready')
    await strangers()
    world.stuck.add(one)
    world.engine.start((await world.fleet.drain('encoder', { nodes: [one], minutes: 60 })).errands)
    expect(await stateOf(world)).toBe('draining')
    await strangers()
    world.kill(one)
    await until(world, 'stopping')
    await strangers()
    await until(world, 'stopped')
    await strangers()
  })

  test('of a wake that was taken back leaves the machine to the errand of the drain', async () => {
    const world = worldOf(alone)
    Object.assign(world.work, someWork)
    await world.watch()
    const target = { pool: 'encoder', node: one, epoch: 1 }
    const { asked } = (await world.fleet.errands.start(target)) as { asked?: object }
    expect(asked).toMatchObject({ what: 'start' })
    await world.fleet.drain('encoder', { nodes: [one], minutes: 60 })
    // What the resource manager shows may be older than what it was asked.
    world.cloud.force(one, 'deallocated')
    expect(await world.fleet.errands.look({ ...target, asked })).toMatchObject({ next: 'over' })
    expect(await stateOf(world)).toBe('stopping')
  })

  test('asks again for what shows no effect, after its time', async () => {
    const world = worldOf(alone)
    Object.assign(world.work, someWork)
    const asked = (what: string) => world.cloud.requests.filter((one) => one.what === what).length
    await world.pass(15)
    world.cloud.force(one, 'deallocated')
    await world.pass(40)
    expect([await stateOf(world), asked('start')]).toEqual(['starting', 1])
    await until(world, 'ready', 70)
    expect(asked('start')).toBe(2)
    Object.assign(world.work, { seconds: 0, parallel: 0 })
    await until(world, 'stopping')
    world.cloud.force(one, 'running')
    await world.pass(40)
    expect([await stateOf(world), asked('deallocate')]).toEqual(['stopping', 1])
    await until(world, 'stopped', 70)
    expect([world.cloud.find(one)?.power, asked('deallocate')]).toEqual(['deallocated', 2])
  })

  test('of this wake has nothing to do where the node serves', async () => {
    const world = worldOf(alone)
    Object.assign(world.work, someWork)
    const ready = await until(world, 'ready')
    const before = world.cloud.requests.length
    for (const step of ['start', 'look', 'stop'] as const)
      expect(await world.fleet.errands[step]({ pool: 'encoder', node: one, epoch: 1 })).toMatchObject({
        next: 'over',
      })
    expect(world.cloud.requests.length).toBe(before)
    expect(await nodeOf(world)).toMatchObject({ state: 'ready', epoch: ready.epoch })
  })

  test('has short histories, however long it takes', async () => {
    const world = worldOf({ ...alone, lateMs: 86_400_000 })
    Object.assign(world.work, someWork)
    world.cloud.setFaults({ later: 100 })
    await world.pass(900)
    expect(world.engine.longestHistory).toBeGreaterThan(64)
    expect(world.engine.longestHistory).toBeLessThan(140)
  })
})

describe('machines against their documents', () => {
  test('one that runs and nobody asked for is stopped, the first provision too', async () => {
    const world = worldOf()
    world.cloud.force(one, 'running')
    world.cloud.force(two, 'running')
    await world.pass(130)
    for (const id of [one, two]) {
      expect(await nodeOf(world, id)).toMatchObject({ state: 'stopped', reason: 'not-asked', epoch: 0 })
      expect(world.cloud.find(id)?.power).toBe('deallocated')
    }
    expect(world.cloud.find('encoder-z1-3')?.power).toBe('deallocated')
    expect(await nodeOf(world, 'encoder-z1-3')).toBeUndefined()
  })

  test('one that is named otherwise is somebody else’s, whatever its name begins with', async () => {
    const others = ['encoder-gateway', 'edge-z1', 'encoder-z1-01', 'encoder-z1-1-copy']
    const world = createWorld({
      ...{ cosmos, plan: samplePlan(), random: seeded(1) },
      cloud: { names: [one, ...others] },
    })
    for (const { name } of world.cloud.all()) world.cloud.force(name, 'running')
    await world.pass(130)
    const running = world.cloud.all().filter(({ power }) => power === 'running')
    expect(running.map(({ name }) => name)).toEqual(others)
    expect((await world.nodes()).map(({ id }) => id)).toEqual([one])
  })

  test('one that was asked for is left alone', async () => {
    const world = worldOf({ ...alone, minimum: 1 })
    world.cloud.force(one, 'running')
    await world.pass(200)
    expect(await nodeOf(world)).toMatchObject({ state: 'ready', epoch: 1 })
    expect(world.cloud.find(one)?.boots).toBe(1)
    expect(world.cloud.requests.filter(({ what }) => what === 'deallocate')).toEqual([])
  })

  test('a node whose machine was stopped by somebody is lost, and woken again in its time', async () => {
    const world = worldOf(alone)
    Object.assign(world.work, someWork)
    await until(world, 'ready')
    world.cloud.force(one, 'deallocated')
    await world.pass(90)
    expect(world.count('fleet.lost')).toBe(1)
    expect((await until(world, 'ready')).epoch).toBe(2)
  })
})
