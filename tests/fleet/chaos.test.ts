// A pool under everything at once, by a seed: misbehaving machines, lost errands, doubled steps, two watches, workers that die.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { isAwake } from '../../shared/fleet/machine.ts'
import { placesOf } from '../../shared/fleet/plan.ts'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { seeded } from '../support/seeded.ts'
import { sampleGroup, samplePlan } from './documents.ts'
import { emptyFleet } from './empty.ts'
import { createWorld, type World } from './world.ts'

const first = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const seeds = Array.from({ length: Number(process.env['SEEDS'] ?? 2) }, (_, n) => first + n)

let cosmos: CosmosServer
beforeAll(async () => {
  cosmos = await startCosmos()
})
afterAll(() => cosmos?.stop())
beforeEach(() => emptyFleet(cosmos))

const plan = samplePlan({
  groups: [
    sampleGroup({ name: 'z1', count: 3, pricePerHour: 1 }),
    sampleGroup({ name: 'z2', count: 3, pricePerHour: 1.5 }),
  ],
  ...{ maximum: 6, lateMs: 90_000, drainMs: 60_000 },
  budget: { perHour: 4, perMonth: 10_000 },
})
const priceOf = new Map(placesOf(plan).map(({ id, group }) => [id, group.pricePerHour]))
const busyMinutes = Number(process.env['MINUTES'] ?? 10)
const quietMinutes = 15

/** What each machine was asked within any minute, at most. */
function mostInAMinute(world: World, what: string): number {
  const most = [...priceOf.keys()].map((vm) => {
    const times = world.cloud.requests
      .filter((one) => one.vm === vm && one.what === what)
      .map(({ atMs }) => atMs)
    return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + 60_000).length))
  })
  return Math.max(...most)
}

test.each(seeds)(
  'nothing is woken twice, the budget holds, and all sleep in the end (SEED=%i)',
  async (seed) => {
    const random = seeded(seed)
    const world = createWorld({ cosmos, plan, random })
    const others = [world.instance(), world.instance()]
    const happens = (share: number) => random() * 100 < share
    const epochs = new Map<string, number>()

    async function look(): Promise<void> {
      const nodes = await world.nodes()
      const price = nodes.filter(isAwake).reduce((sum, { id }) => sum + (priceOf.get(id) ?? 0), 0)
      expect(price).toBeLessThanOrEqual(plan.budget.perHour)
      for (const { id, epoch } of nodes) {
        expect(epoch).toBeGreaterThanOrEqual(epochs.get(id) ?? 0)
        epochs.set(id, epoch)
      }
    }

    // A calm minute with work for more than the budget bears: where nobody ever served nothing would be shown.
    Object.assign(world.work, { seconds: 100_000, parallel: 6 })
    await world.pass(60)
    expect((await world.nodes()).filter(({ state }) => state === 'ready')).toHaveLength(3)
    world.cloud.setFaults({
      ...{ later: 10, noCapacity: 10, refused: 3, failsLater: 10, throws: 10, lostAnswers: 10, dumb: 15 },
    })
    await world.pass((busyMinutes - 1) * 60, async (second) => {
      if (happens(1))
        Object.assign(world.work, { seconds: random() * 2000, parallel: Math.ceil(random() * 8) })
      if (happens(0.5)) world.engine.lose()
      if (happens(0.5)) for (const { name } of world.cloud.all()) if (happens(30)) world.kill(name)
      if (happens(5)) await world.engine.run(() => happens(50))
      if (happens(5)) {
        // Three watches at the same moment, and somebody who calls.
        const errands = await Promise.all([...others.map((one) => one.watch()), world.fleet.call('encoder')])
        world.engine.start(errands.flat())
      }
      if (second % 5 === 0) await look()
    })
    // Each wake was decided once: what is counted in documents is what was logged by whoever wrote it.
    expect(world.count('fleet.woken')).toBe([...epochs.values()].reduce((sum, epoch) => sum + epoch, 0))

    Object.assign(world.work, { seconds: 0, parallel: 0 })
    world.cloud.setFaults({})
    await world.pass(quietMinutes * 60)
    expect((await world.nodes()).filter(isAwake).map(({ id, state }) => `${id} ${state}`)).toEqual([])
    expect(world.cloud.all().filter(({ power }) => power !== 'deallocated')).toEqual([])
    expect(world.engine.running()).toEqual([])
    expect(mostInAMinute(world, 'look')).toBeLessThanOrEqual(36)
    expect(mostInAMinute(world, 'start')).toBeLessThanOrEqual(12)
    expect(mostInAMinute(world, 'deallocate')).toBeLessThanOrEqual(12)
  },
  600_000,
)
