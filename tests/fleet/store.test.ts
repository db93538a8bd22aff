// The fleet's store against two servers of the protocol: a pool and its nodes are written all together or not at all.
import { CosmosClient } from '@azure/cosmos'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { asleep } from '../../shared/fleet/machine.ts'
import type { FleetStore, Node, Pool } from '../../shared/fleet/ports.ts'
import { type CosmosServer, startCosmos, startCosmosOracle } from '../support/cosmos.ts'
import { sampleBoot, sampleLoad, sampleNode } from './documents.ts'
import { emptyFleet } from './empty.ts'
import { pace, schemas } from './stores.ts'

const spend = { countedToMs: 1, day: '2026-11-22', dayCost: 0.5, month: '2026-11', monthCost: 7.25 }
const samplePool = (wanted = 0): Pool => ({
  ...{ id: 'pool', pool: 'encoder', type: 'pool', schema: 1 },
  memory: { spend, samples: [], peaks: [], watchedSinceMs: 0, wanted },
})
const id = (n: number) => `encoder-z1-${n}`

describe.each([
  ['the local server', startCosmos],
  ['the independent server', startCosmosOracle],
])('on %s', (name, start) => {
  let server: CosmosServer
  let client: CosmosClient
  let store: FleetStore
  beforeAll(async () => {
    server = await start()
    const { endpoint, key } = server
    client = new CosmosClient({ endpoint, key, connectionPolicy: { enableEndpointDiscovery: false } })
    store = createCosmosStores(server, { ...pace, schemas }).fleet
  })
  afterAll(async () => {
    client?.dispose()
    await server?.stop()
  })
  beforeEach(() => emptyFleet(server))
  const raw = () => client.database(server.database).container('fleet')

  test('what is written comes back as it was, at once and node by node', async () => {
    const beat = {
      atMs: 5,
      holds: ['a', 'b'],
      load: { ...sampleLoad, pixelsPerSecond: 3.5 },
      drains: true as const,
    }
    const boot = { ...sampleBoot(), address: '10.0.0.4:80' }
    const whole = sampleNode({
      state: 'draining',
      sinceMs: 3,
      epoch: 4,
      failures: 1,
      reason: 'idle',
      boot,
      beat,
    })
    const bare = asleep('encoder', id(2))
    const pool: Pool = {
      ...samplePool(2),
      ...{ floor: { nodes: 2, untilMs: 9 }, ceiling: { nodes: 3, untilMs: 8 } },
      memory: {
        ...samplePool(2).memory,
        samples: [
          { atMs: 1, demand: { kind: 'work', seconds: 1.5, parallel: 2 } },
          { atMs: 2, demand: { kind: 'audience', sessions: 3, bytesPerSecond: 4.5 } },
        ],
        peaks: [{ atMs: 6, need: { slots: 1, sessions: 2, bytesPerSecond: 3 } }],
      },
    }
    const written = await store.change('encoder', () => ({ pool, nodes: [whole, bare] }))
    const read = await store.read('encoder')
    for (const state of [written, read]) {
      expect(state.pool).toEqual(pool)
      expect([...state.nodes].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([whole, bare])
    }
    expect(await store.node('encoder', id(1))).toEqual(whole)
    expect(await store.node('edge', id(1))).toBeUndefined()
    expect((await store.read('edge')).nodes).toEqual([])
  })

  test('what is left out of a change stays, what is taken off a node goes', async () => {
    const boot = sampleBoot()
    const nodes = [1, 2].map((n) => sampleNode({ id: id(n), state: 'ready', boot }))
    await store.change('encoder', () => ({ pool: samplePool(), nodes }))
    const { boot: _, ...vacant } = nodes[0] as Node
    await store.change('encoder', () => ({ pool: samplePool(), nodes: [vacant] }))
    expect(await store.node('encoder', id(1))).toEqual(vacant)
    expect((await store.node('encoder', id(2)))?.boot).toEqual(boot)
    const before = (await raw().item('pool', 'encoder').read()).resource?._etag
    expect((await store.change('encoder', () => 'unchanged')).nodes).toHaveLength(2)
    expect((await raw().item('pool', 'encoder').read()).resource?._etag).toBe(before)
  })

  // The independent one writes what comes before the operation of a batch that fails.
  const isWhole = name === 'the local server'
  test.runIf(isWhole)(
    'of many changes at once none is lost, none is done by halves, and beats go on between them',
    async () => {
      const nodes = [1, 2, 3].map((n) => sampleNode({ id: id(n) }))
      await store.change('encoder', () => ({ pool: samplePool(), nodes }))
      // Each with a connection of its own.
      const stores = Array.from({ length: 4 }, () => createCosmosStores(server, { ...pace, schemas }).fleet)
      const decide = (from: FleetStore, n: number) =>
        from.change('encoder', ({ pool, nodes: all }) => {
          const node = all.find((one) => one.id === id(1 + (n % 3))) as Node
          const wanted = (pool?.memory.wanted ?? 0) + 1
          return { pool: samplePool(wanted), nodes: [{ ...node, failures: node.failures + 1 }] }
        })
      const beat = (from: FleetStore, n: number) =>
        from.changeNode('encoder', id(1 + (n % 3)), (node) => ({
          ...(node as Node),
          epoch: (node?.epoch ?? 0) + 1,
        }))
      const settled = await Promise.all(
        [decide, beat].map((run) =>
          Promise.allSettled(stores.flatMap((from) => Array.from({ length: 8 }, (_, n) => run(from, n)))),
        ),
      )
      const [decided, beaten] = settled.map((all) => {
        for (const one of all) if (one.status === 'rejected') expect(one.reason.code).toBe('conflict')
        return all.filter(({ status }) => status === 'fulfilled').length
      })
      expect(decided).toBeGreaterThan(8)
      const { pool, nodes: after } = await store.read('encoder')
      const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0)
      expect(pool?.memory.wanted).toBe(decided)
      expect(sum(after.map(({ failures }) => failures))).toBe(decided)
      expect(sum(after.map(({ epoch }) => epoch))).toBe(beaten)
    },
  )

  test('a transaction holds the pool and ninety-nine nodes', async () => {
    const nodes = Array.from({ length: 99 }, (_, n) => sampleNode({ id: id(n + 1) }))
    await store.change('encoder', () => ({ pool: samplePool(), nodes }))
    expect((await store.read('encoder')).nodes).toHaveLength(99)
  })

  test('nodes of before are as if they were not there; one of a version to come stops all decisions', async () => {
    const former = { id: `node_${'a'.repeat(20)}`, pool: 'encoder', type: 'node', schema: 1, sha256: 'x' }
    await raw().items.create(former)
    await store.change('encoder', ({ nodes }) => {
      expect(nodes).toEqual([])
      return { pool: samplePool(1), nodes: [sampleNode()] }
    })
    expect((await store.read('encoder')).nodes.map((node) => node.id)).toEqual([id(1)])
    await raw().items.create({ ...sampleNode({ id: id(7) }), schema: 3 })
    const blind = store.change('encoder', () => ({ pool: samplePool(2), nodes: [] }))
    await expect(blind).rejects.toThrow(/does not know|version of the application knows/)
    expect((await raw().item('pool', 'encoder').read()).resource?.memory.wanted).toBe(1)
  })

  test('what a newer version added to a document stays there', async () => {
    await store.change('encoder', () => ({ pool: samplePool(), nodes: [sampleNode()] }))
    const item = raw().item(id(1), 'encoder')
    const { resource } = await item.read()
    await item.replace({ ...resource, later: 'something' })
    await store.change('encoder', ({ nodes }) => ({
      pool: samplePool(1),
      nodes: nodes.map((node) => ({ ...node, failures: 5 })),
    }))
    expect((await item.read()).resource).toMatchObject({ later: 'something', failures: 5 })
  })

  test('gauges are told, listed and taken away', async () => {
    const gauge = {
      id: 'gauge-a',
      pool: 'edge',
      type: 'gauge',
      schema: 1,
      atMs: 1,
      sessions: 2,
      bytesPerSecond: 3,
    } as const
    await store.putGauge(gauge)
    await store.putGauge({ ...gauge, atMs: 2 })
    await store.putGauge({ ...gauge, id: 'gauge-b' })
    expect((await store.gauges()).map(({ id: gaugeId, atMs }) => [gaugeId, atMs]).sort()).toEqual([
      ['gauge-a', 2],
      ['gauge-b', 1],
    ])
    await store.removeGauge('gauge-a')
    await store.removeGauge('gauge-a')
    expect(await store.gauges()).toHaveLength(1)
    expect((await store.read('edge')).nodes).toEqual([])
  })
})
