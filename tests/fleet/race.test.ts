// Many instances of the app decide on one pool at the same moment: no node is woken twice, and the budget holds.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { asleep, isAwake } from '../../shared/fleet/machine.ts'
import { placesOf } from '../../shared/fleet/plan.ts'
import type { Pool } from '../../shared/fleet/ports.ts'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { seeded } from '../support/seeded.ts'
import { sampleGroup, samplePlan } from './documents.ts'
import { emptyFleet } from './empty.ts'
import { createWorld } from './world.ts'

let cosmos: CosmosServer
beforeAll(async () => {
  cosmos = await startCosmos()
})
afterAll(() => cosmos?.stop())
beforeEach(() => emptyFleet(cosmos))

const instances = 12
const plan = samplePlan({
  groups: [sampleGroup({ count: 30, pricePerHour: 2 })],
  maximum: 30,
  budget: { perHour: 15, perMonth: 1e6 },
})

test('a dozen watches at once, again and again', async () => {
  // Each with a connection of its own, as on instances of their own.
  const worlds = Array.from({ length: instances }, (_, n) => createWorld({ cosmos, plan, random: seeded(n) }))
  const [world] = worlds
  // All documents are there: that two make the same one must not be what keeps them apart.
  await world?.fleet.watch()
  const known = placesOf(plan).map(({ id }) => asleep('encoder', id))
  await world?.store.change('encoder', ({ pool }) => ({ pool: pool as Pool, nodes: known }))
  for (const one of worlds) Object.assign(one.work, { seconds: 1e6, parallel: 100 })
  const errands: string[] = []
  for (let round = 0; round < 4; round++) {
    const found = await Promise.all(worlds.map((one) => one.fleet.watch()))
    errands.push(...found.flat().map(({ kind, target }) => `${kind} ${target.node} ${target.epoch}`))
    const awake = ((await world?.nodes()) ?? []).filter(isAwake)
    // As many as the budget bears, and there is work for more.
    expect(awake.length).toBe(7)
    expect(awake.every(({ epoch }) => epoch === 1)).toBe(true)
  }
  // Each was handed to one of them alone.
  expect(errands.length).toBe(7)
  expect(new Set(errands).size).toBe(7)
  expect(worlds.flatMap(({ lines }) => lines).filter(({ event }) => event === 'fleet.woken').length).toBe(7)
  expect(worlds.flatMap(({ lines }) => lines).filter(({ event }) => event === 'fleet.watch-failed')).toEqual(
    [],
  )
})

test('an admin’s orders, watches and beats at once: each is heard, none undoes another', async () => {
  const world = createWorld({ cosmos, plan, random: seeded(1) })
  const watchers = Array.from({ length: 6 }, () => world.instance())
  Object.assign(world.work, { seconds: 1e6, parallel: 100 })
  await world.pass(90)
  const ready = (await world.nodes()).filter(({ state }) => state === 'ready')
  expect(ready.length).toBe(7)
  const [named = ''] = ready.map(({ id }) => id)
  const answers = await Promise.all([
    world.fleet.wake('encoder', { nodes: 2, minutes: 5 }),
    world.fleet.drain('encoder', { nodes: [named], minutes: 5 }),
    world.fleet.drain('encoder', { keep: 6, minutes: 5 }),
    ...watchers.map((one) => one.watch()),
    world.beat(),
  ])
  expect(answers.length).toBe(10)
  const view = await world.fleet.view('encoder')
  expect([view.floor?.nodes, view.ceiling?.nodes]).toEqual([2, 6])
  expect(view.nodes.find(({ id }) => id === named)?.state).toBe('draining')
  expect(view.cost.perHourNow).toBeLessThanOrEqual(15)
})
