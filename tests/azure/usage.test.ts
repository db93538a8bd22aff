// Limits that hold exactly: many nodes race for the last of them on a real Cosmos server, and the count is what there is.
import { CosmosClient } from '@azure/cosmos'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cleaned, failed, finished, reencoded, removed } from '../../shared/assets/machine.ts'
import { type Asset, AssetDocument, keptOf } from '../../shared/assets/model.ts'
import { type CosmosStores, createCosmosStores } from '../../shared/azure/cosmos.ts'
import { systemClock } from '../../shared/core/clock.ts'
import type { TenantId } from '../../shared/core/ids.ts'
import { Problem } from '../../shared/core/problem.ts'
import { systemRandom } from '../../shared/core/random.ts'
import { admitTitle } from '../../shared/tenants/limits.ts'
import { type Limits, TenantDocument } from '../../shared/tenants/model.ts'
import { createUsage } from '../../shared/tenants/usage.ts'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { newTenantId, sampleAsset, sampleTenant } from '../support/documents.ts'

const nodes = 4
/** One day of one month, whenever the test runs. */
const noon = { ...systemClock, now: () => Date.parse('2026-11-22T12:00:00Z') }
let server: CosmosServer
let stores: CosmosStores[]
let client: CosmosClient

beforeAll(async () => {
  server = await startCosmos()
  const schemas = { asset: AssetDocument, tenant: TenantDocument }
  const open = () => createCosmosStores(server, { clock: systemClock, random: systemRandom, schemas })
  stores = Array.from({ length: nodes }, open)
  client = new CosmosClient({ ...server, connectionPolicy: { enableEndpointDiscovery: false } })
})
afterAll(async () => {
  client?.dispose()
  await server?.stop()
})

const node = (n: number): CosmosStores => stores[n % nodes] as CosmosStores
const titleOf = (tenantId: TenantId, sizeBytes = 10): Asset =>
  sampleAsset({ tenantId, source: { blob: 'b', sizeBytes } })

/** What the titles that are there add up to, whatever was counted. */
async function recount(tenantId: TenantId) {
  const query = {
    query: 'SELECT * FROM c WHERE c.type = @type',
    parameters: [{ name: '@type', value: 'asset' }],
  }
  const container = client.database(server.database).container('assets')
  const { resources } = await container.items.query<Asset>(query, { partitionKey: tenantId }).fetchAll()
  const sum = { titles: 0, bytes: 0 }
  for (const asset of resources) {
    sum.titles += keptOf(asset).titles
    sum.bytes += keptOf(asset).bytes
  }
  return sum
}
const counted = async (tenantId: TenantId) => {
  const { titles, bytes } = await node(0).usage.read(tenantId)
  return { titles, bytes }
}
const codes = (results: Array<PromiseSettledResult<unknown>>) =>
  results.map((one) =>
    one.status === 'fulfilled' ? 'ok' : one.reason instanceof Problem ? one.reason.code : String(one.reason),
  )
/** Whoever is told that others were faster, or that the store is away, asks again; on a slow machine some are. */
async function persistently<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof Problem) || !['conflict', 'unavailable'].includes(error.code)) throw error
    }
  }
}
const times = (list: string[], word: string) => list.filter((one) => one === word).length

test('of forty titles that four nodes make at once, as many are made as the limit allows', async () => {
  const tenantId = newTenantId()
  const make = (n: number, limits: Limits) => {
    const asset = titleOf(tenantId)
    return persistently(() => node(n).assets.create(asset, (kept) => admitTitle(limits, kept, 10)))
  }
  const first = codes(await Promise.allSettled(Array.from({ length: 40 }, (_, n) => make(n, { titles: 25 }))))
  expect([times(first, 'ok'), times(first, 'limit-reached')]).toEqual([25, 15])
  expect(await recount(tenantId)).toEqual({ titles: 25, bytes: 250 })
  const second = codes(
    await Promise.allSettled(Array.from({ length: 20 }, (_, n) => make(n, { bytes: 300 }))),
  )
  expect([times(second, 'ok'), times(second, 'limit-reached')]).toEqual([5, 15])
  expect(await recount(tenantId)).toEqual(await counted(tenantId))
})

test('a title that is asked for again counts once; when it goes, what it held is free', async () => {
  const tenantId = newTenantId()
  const asset = titleOf(tenantId, 500)
  const made = await Promise.all(Array.from({ length: 6 }, (_, n) => node(n).assets.create(asset)))
  expect(made.filter(Boolean)).toHaveLength(1)
  expect(await counted(tenantId)).toEqual({ titles: 1, bytes: 500 })
  const nowMs = Date.now()
  const { assets } = node(1)
  await assets.update(tenantId, asset.id, (one) =>
    failed(one, { version: 1, code: 'source-not-media' }, nowMs),
  )
  expect(await counted(tenantId)).toEqual({ titles: 1, bytes: 500 })
  await assets.update(tenantId, asset.id, (one) => cleaned(one, nowMs))
  expect(await counted(tenantId)).toEqual({ titles: 1, bytes: 0 })
  await Promise.all(
    [0, 1, 2].map((n) => node(n).assets.update(tenantId, asset.id, (one) => removed(one, nowMs))),
  )
  expect(await counted(tenantId)).toEqual({ titles: 0, bytes: 0 })
  await assets.remove(tenantId, asset.id)
  await assets.remove(tenantId, asset.id)
  expect(await assets.get(tenantId, asset.id)).toBeUndefined()
  expect(await counted(tenantId)).toEqual({ titles: 0, bytes: 0 })
})

test('titles that are older than the count are counted once, whoever comes first', async () => {
  const tenantId = newTenantId()
  const container = client.database(server.database).container('assets')
  for (let n = 0; n < 7; n++) await container.items.create(titleOf(tenantId))
  await container.items.create({ ...titleOf(tenantId), deletedAt: '2026-11-22T10:00:00.000Z' })
  await Promise.all(Array.from({ length: 8 }, (_, n) => node(n).assets.create(titleOf(tenantId))))
  expect(await counted(tenantId)).toEqual({ titles: 15, bytes: 150 })
  expect(await recount(tenantId)).toEqual({ titles: 15, bytes: 150 })
})

test('the count and the sessions are no titles', async () => {
  const tenantId = newTenantId()
  const asset = titleOf(tenantId)
  await node(0).assets.create(asset)
  await usageOf(0, tenantId, {}).countSession(tenantId)
  expect(await node(0).assets.get(tenantId, asset.id)).toEqual(asset)
  for (const id of ['usage', 'sessions'] as unknown as Array<Asset['id']>) {
    expect(await node(0).assets.get(tenantId, id)).toBeUndefined()
    await expect(node(0).assets.update(tenantId, id, (one) => one)).rejects.toMatchObject({
      code: 'not-found',
    })
    await node(0).assets.remove(tenantId, id)
  }
  expect((await node(0).assets.list(tenantId, { limit: 10 })).items).toEqual([asset])
  expect(await counted(tenantId)).toEqual({ titles: 1, bytes: 10 })
})

/** One node's view of a tenant with these limits. */
function usageOf(n: number, tenantId: TenantId, limits: Limits, clock = noon) {
  const tenant = sampleTenant({ id: tenantId, limits })
  return createUsage({ store: node(n).usage, clock, find: async () => tenant })
}

test('encodes are charged once each, and not a second beyond the limit', async () => {
  const tenantId = newTenantId()
  const titles = Array.from({ length: 12 }, () => ({ ...titleOf(tenantId), state: 'encoding' as const }))
  for (const title of titles) await node(0).assets.create(title)
  const charge = (n: number) =>
    persistently(() =>
      usageOf(n, tenantId, { encodedMinutes: 8 }).chargeEncode(
        { tenantId, assetId: titles[n % 12]?.id as Asset['id'], version: 1 },
        60,
      ),
    )
  // Each activity runs twice at once, as after a lost worker.
  const done = codes(await Promise.allSettled(Array.from({ length: 24 }, (_, n) => charge(n))))
  expect(new Set(done)).toEqual(new Set(['ok', 'cap-exceeded']))
  expect(await usageOf(0, tenantId, {}).view(sampleTenant({ id: tenantId }))).toMatchObject({
    encodedMinutes: 8,
  })
  const charged = await Promise.all(
    titles.map(async ({ id }) => (await node(0).assets.get(tenantId, id))?.charged),
  )
  expect(charged.filter(Boolean)).toHaveLength(8)
  expect(await counted(tenantId)).toEqual({ titles: 12, bytes: 120 })
})

test('each version that a title is encoded in is charged, and none is counted again when it takes over', async () => {
  const tenantId = newTenantId()
  const ready = { ...titleOf(tenantId), state: 'ready' as const, timeline: 'ten/ast/v1/timeline-1.json' }
  await node(0).assets.create({ ...ready, charged: { month: '2026-01', seconds: 60 } })
  const usage = usageOf(0, tenantId, { encodedMinutes: 3 })
  const minutes = async () => (await usage.view(sampleTenant({ id: tenantId }))).encodedMinutes
  const update = (change: (asset: Asset) => Asset | 'unchanged') =>
    node(1).assets.update(tenantId, ready.id, change)
  for (const version of [2, 3]) {
    await update((asset) => reencoded(asset, Date.now()))
    const charge = () => usage.chargeEncode({ tenantId, assetId: ready.id, version }, 60)
    await Promise.all([charge(), charge()])
    expect(await minutes()).toBe(version - 1)
    const facts = {
      version,
      timeline: `ten/ast/v${version}/timeline-1.json`,
      durationSeconds: 60,
      renditions: [],
    }
    await update((asset) => finished(asset, facts, Date.now()))
    expect(await minutes()).toBe(version - 1)
  }
  await update((asset) => reencoded(asset, Date.now()))
  const beyond = usage.chargeEncode({ tenantId, assetId: ready.id, version: 4 }, 61)
  await expect(beyond).rejects.toMatchObject({ code: 'cap-exceeded' })
  expect(await minutes()).toBe(2)
  expect((await node(0).assets.get(tenantId, ready.id))?.former).toHaveLength(2)
})

test('a hundred sessions at once on four nodes: as many are opened as a small limit allows', async () => {
  const tenantId = newTenantId()
  const usage = stores.map((_, n) => usageOf(n, tenantId, { sessions: 37 }))
  const opened = codes(
    await Promise.allSettled(Array.from({ length: 100 }, (_, n) => usage[n % nodes]?.countSession(tenantId))),
  )
  expect([times(opened, 'ok'), times(opened, 'limit-reached')]).toEqual([37, 63])
  expect(await usage[0]?.view(sampleTenant({ id: tenantId }))).toMatchObject({ sessions: 37 })
})

test('far from the limit sessions are counted in blocks; the next day begins at nothing', async () => {
  const tenantId = newTenantId()
  let now = Date.parse('2026-11-22T23:59:00Z')
  let writes = 0
  const { usage: store } = node(0)
  const counting = {
    ...store,
    changeSessions: (...ask: Parameters<typeof store.changeSessions>) => {
      writes++
      return store.changeSessions(...ask)
    },
  }
  const clock = { ...systemClock, now: () => now }
  let limit = 100_000
  const find = async () => sampleTenant({ id: tenantId, limits: { sessions: limit } })
  const usage = createUsage({ store: counting, clock, find })
  for (let n = 0; n < 1000; n++) await usage.countSession(tenantId)
  expect(writes).toBeLessThan(30)
  const { sessions } = await usage.view(await find())
  expect(sessions).toBeGreaterThanOrEqual(1000)
  expect(sessions).toBeLessThanOrEqual(1064)
  // A limit that an admin lowers holds at once, whatever was taken ahead.
  limit = 900
  await expect(usage.countSession(tenantId)).rejects.toMatchObject({ code: 'limit-reached' })
  now += 60_000
  expect(await usage.view(await find())).toMatchObject({ sessions: 0 })
  await usage.countSession(tenantId)
  expect(await usage.view(await find())).toMatchObject({ sessions: 1 })
})
