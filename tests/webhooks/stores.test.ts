// What webhooks keep, on both servers of the protocol: an event stands or falls with its change, a delivery is found when it is due.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AssetEvent } from '../../shared/assets/ports.ts'
import type { Delivery } from '../../shared/webhooks/ports.ts'
import { type CosmosServer, startCosmos, startCosmosOracle } from '../support/cosmos.ts'
import { newTenantId } from '../support/documents.ts'
import { openStage, type Stage } from './stage.ts'

const servers: Array<[string, () => Promise<CosmosServer>]> = [
  ['the local server', startCosmos],
  ['the independent server', startCosmosOracle],
]

describe.each(servers)('on %s', (_name, start) => {
  let server: CosmosServer
  let stage: Stage
  beforeAll(async () => {
    server = await start()
    stage = openStage(server, { prompt: false })
  })
  afterAll(() => server?.stop())

  const pending = async (tenantId: string): Promise<AssetEvent[]> => {
    const events = await stage.stores.outbox.pending(1000)
    return events.filter((event) => event.tenantId === tenantId).toSorted((a, b) => a.sequence - b.sequence)
  }

  test('an event is written with its change, or neither is', async () => {
    const asset = await stage.encoding()
    expect(await pending(asset.tenantId)).toEqual([])
    const refused = stage.stores.assets.update(asset.tenantId, asset.id, () => {
      throw new Error('no')
    })
    await expect(refused).rejects.toThrow('no')
    await stage.progress(asset, 42)
    await stage.progress(asset, 43)
    await stage.ready(asset)
    const events = await pending(asset.tenantId)
    expect(events.map(({ name, sequence }) => [name, sequence])).toEqual([
      ['asset.progress', 1],
      ['asset.ready', 2],
    ])
    // The list of titles does not show what lies beside them.
    expect((await stage.stores.assets.list(asset.tenantId, { limit: 10 })).items).toHaveLength(1)
    for (const event of events) await stage.stores.outbox.settle(event)
    for (const event of events) await stage.stores.outbox.settle(event)
    expect(await pending(asset.tenantId)).toEqual([])
  })

  test('of changes that collide each is one event, and the count has no gap', async () => {
    const asset = await stage.encoding()
    await Promise.all([25, 35, 45, 55, 65].map((percent) => stage.progress(asset, percent)))
    await Promise.all([stage.ready(asset), stage.fail(asset)])
    const events = await pending(asset.tenantId)
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, n) => n + 1))
    expect(events.filter(({ name }) => name !== 'asset.progress')).toHaveLength(1)
    const { events: counted } = (await stage.stores.assets.get(asset.tenantId, asset.id)) ?? {}
    expect(counted).toBe(events.length)
  })

  test('a delivery is due when its time has come, and no longer once it is over', async () => {
    const { deliveries } = stage.stores
    const tenantId = newTenantId()
    const ours = async (nowMs: number) =>
      (await deliveries.due(nowMs, 1000)).filter((one) => one.tenantId === tenantId).map(({ id }) => id)
    const delivery = (n: number): Delivery => ({
      ...{ id: `evt_${n}.whk_x`, tenantId, type: 'delivery', schema: 1 },
      ...{ webhookId: 'whk_00000000000000000000', eventId: `evt_0000000000000000000${n}` },
      ...{ event: 'asset.ready', body: '{}', createdAt: `2026-11-22T10:00:0${n}.000Z`, state: 'pending' },
      ...{ tries: 0, attempts: [], nextTryAtMs: 1000 * n, ttl: 3600 },
    })
    for (const n of [1, 2, 3]) expect(await deliveries.create(delivery(n))).toBe(true)
    expect(await deliveries.create(delivery(2))).toBe(false)
    expect((await ours(2000)).toSorted()).toEqual(['evt_1.whk_x', 'evt_2.whk_x'])
    await deliveries.update(tenantId, 'evt_1.whk_x', ({ nextTryAtMs: _, ...rest }) => ({
      ...rest,
      state: 'delivered',
    }))
    expect(await ours(2000)).toEqual(['evt_2.whk_x'])
    const listed = await deliveries.list({ tenantId, webhookId: 'whk_00000000000000000000' }, { limit: 10 })
    expect(listed.items.map(({ id }) => id)).toEqual(['evt_3.whk_x', 'evt_2.whk_x', 'evt_1.whk_x'])
    const other = await deliveries.list({ tenantId, webhookId: 'whk_11111111111111111111' }, { limit: 10 })
    expect(other.items).toEqual([])
  })
})
