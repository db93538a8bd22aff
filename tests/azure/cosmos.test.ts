// The Cosmos stores against every server of the protocol there is: ours, an independent one, and the one that COSMOS_ENDPOINT names.
import { CosmosClient } from '@azure/cosmos'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Asset } from '../../shared/assets/model.ts'
import { AssetDocument } from '../../shared/assets/model.ts'
import { type CosmosStores, createCosmosStores } from '../../shared/azure/cosmos.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { systemRandom } from '../../shared/core/random.ts'
import type { Unit } from '../../shared/encode/ports.ts'
import type { Session, WrappedKeys } from '../../shared/protect/ports.ts'
import { TenantDocument } from '../../shared/tenants/model.ts'
import { type CosmosServer, startCosmos, startCosmosOracle, useCosmos } from '../support/cosmos.ts'
import { newAssetId, newTenantId, sampleAsset, sampleTenant } from '../support/documents.ts'

const schemas = { asset: AssetDocument, tenant: TenantDocument }
const deps = { clock: systemClock, random: systemRandom, schemas }
const { COSMOS_ENDPOINT, COSMOS_KEY } = process.env
const servers: Array<[string, () => Promise<CosmosServer>]> = [
  ['the local server', startCosmos],
  ['the independent server', startCosmosOracle],
]
if (COSMOS_ENDPOINT && COSMOS_KEY)
  servers.push([COSMOS_ENDPOINT, () => useCosmos(COSMOS_ENDPOINT, COSMOS_KEY)])

describe.each(servers)('on %s', (_name, start) => {
  let server: CosmosServer
  let stores: CosmosStores
  let client: CosmosClient

  beforeAll(async () => {
    server = await start()
    stores = createCosmosStores(server, deps)
    client = new CosmosClient({ ...server, connectionPolicy: { enableEndpointDiscovery: false } })
  })
  afterAll(async () => {
    client?.dispose()
    await server?.stop()
  })
  const raw = (container: string) => client.database(server.database).container(container)

  test('what is kept comes back as it was', async () => {
    const asset = sampleAsset({ error: { code: 'encode-failed', detail: 'Ünïcode & "quotes"' } })
    expect(await stores.assets.create(asset)).toBe(true)
    expect(await stores.assets.get(asset.tenantId, asset.id)).toEqual(asset)
    await stores.assets.remove(asset.tenantId, asset.id)
    expect(await stores.assets.get(asset.tenantId, asset.id)).toBeUndefined()
    await stores.assets.remove(asset.tenantId, asset.id)
    await stores.ping()
  })

  test('of two that create the same id, one does', async () => {
    const asset = sampleAsset()
    const made = await Promise.all([stores.assets.create(asset), stores.assets.create(asset)])
    expect(made.sort()).toEqual([false, true])
    const tenant = sampleTenant()
    expect(await stores.tenants.create(tenant)).toBe(true)
    expect(await stores.tenants.create({ ...tenant, name: 'Another' })).toBe(false)
    expect((await stores.tenants.get(tenant.id))?.name).toBe('A studio')
  })

  test('no update of a hundred at once is lost', async () => {
    const asset = sampleAsset({ progress: { percent: 0, stage: 'encoding' } })
    await stores.assets.create(asset)
    const count = (current: Asset): Asset => ({
      ...current,
      progress: { ...current.progress, percent: current.progress.percent + 1 },
    })
    const results = await Promise.allSettled(
      Array.from({ length: 100 }, () => stores.assets.update(asset.tenantId, asset.id, count)),
    )
    const codes = results.map((one) => (one.status === 'fulfilled' ? 'done' : one.reason.code))
    const times = (code: string) => codes.filter((one) => one === code).length
    const [done, unknown] = [times('done'), times('unavailable')]
    expect(done).toBeGreaterThan(0)
    // On a machine that is too slow some are told that the store is away: of those it is not known whether they were written.
    expect(new Set(['done', 'unavailable', 'conflict', ...codes]).size).toBe(3)
    const { percent = 0 } = (await stores.assets.get(asset.tenantId, asset.id))?.progress ?? {}
    expect(percent).toBeGreaterThanOrEqual(done)
    expect(percent).toBeLessThanOrEqual(done + unknown)
  })

  test('a change that changes nothing writes nothing; one that throws neither; of an absent one: not-found', async () => {
    const asset = sampleAsset()
    await stores.assets.create(asset)
    const etag = async () => (await raw('assets').item(asset.id, asset.tenantId).read()).resource?._etag
    const before = await etag()
    expect(await stores.assets.update(asset.tenantId, asset.id, () => 'unchanged')).toEqual(asset)
    const failing = stores.assets.update(asset.tenantId, asset.id, () => {
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await etag()).toBe(before)
    await stores.assets.update(asset.tenantId, asset.id, (current) => ({ ...current, title: 'Other' }))
    expect(await etag()).not.toBe(before)
    const absent = stores.assets.update(asset.tenantId, newAssetId(), (current) => current)
    await expect(absent).rejects.toMatchObject({ code: 'not-found' })
  })

  test("another tenant's documents are not there", async () => {
    const mine = sampleAsset()
    const other = newTenantId()
    await stores.assets.create(mine)
    expect(await stores.assets.get(mine.tenantId, mine.id)).toEqual(mine)
    expect(await stores.assets.get(other, mine.id)).toBeUndefined()
    await expect(stores.assets.update(other, mine.id, (c) => c)).rejects.toMatchObject({ code: 'not-found' })
    await stores.assets.remove(other, mine.id)
    expect(await stores.assets.get(mine.tenantId, mine.id)).toEqual(mine)
    expect(await stores.assets.list(other, { limit: 10 })).toEqual({ items: [] })
  })

  test('an id from a request leads nowhere else', async () => {
    const asset = sampleAsset()
    await stores.assets.create(asset)
    expect(await stores.assets.get(asset.tenantId, asset.id)).toEqual(asset)
    for (const id of ['..', '.', `${asset.id}?x`, `${asset.id}#x`, `x/../${asset.id}`, 'a\\b', ' ', '']) {
      const strange = id as Asset['id']
      expect([id, await stores.assets.get(asset.tenantId, strange)]).toEqual([id, undefined])
      await expect(
        stores.assets.update(asset.tenantId, strange, () => 'unchanged'),
        id,
      ).rejects.toMatchObject({ code: 'not-found' })
    }
  })

  test('pages hold everything once, the newest first', async () => {
    const tenantId = newTenantId()
    const assets = Array.from({ length: 23 }, (_, n) =>
      sampleAsset({ tenantId, createdAt: new Date(1.7e12 + ((n * 7) % 23) * 1000).toISOString() }),
    )
    await Promise.all(assets.map((asset) => stores.assets.create(asset)))
    const listed: Asset[] = []
    let cursor: string | undefined
    do {
      const page = await stores.assets.list(tenantId, { cursor, limit: 10 })
      expect(page.items.length).toBeLessThanOrEqual(10)
      listed.push(...page.items)
      cursor = page.cursor
      if (cursor) expect(cursor).toMatch(/^[\w-]{1,4096}$/)
    } while (cursor)
    expect(listed).toEqual(assets.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)))
  })

  test('a cursor opens nothing but the list it came from, and a made-up one is refused', async () => {
    const [mine, other] = [newTenantId(), newTenantId()]
    for (let n = 0; n < 4; n++) {
      await stores.assets.create(sampleAsset({ tenantId: mine }))
      await stores.assets.create(sampleAsset({ tenantId: other }))
    }
    const { cursor } = await stores.assets.list(mine, { limit: 2 })
    expect((await stores.assets.list(mine, { cursor, limit: 2 })).items).toHaveLength(2)
    const crossed = await stores.assets.list(other, { cursor, limit: 10 }).catch((error) => error)
    if (crossed instanceof Error) expect(crossed).toMatchObject({ code: 'invalid-request' })
    else expect(crossed.items.every((asset: Asset) => asset.tenantId === other)).toBe(true)
    for (const wrong of ['abc', '', '!', 'YWJj=', 'A'.repeat(5000)])
      await expect(stores.assets.list(mine, { cursor: wrong, limit: 2 })).rejects.toMatchObject({
        code: 'invalid-request',
      })
  })

  test('stale titles are found across tenants, whatever else there is', async () => {
    const old = '2020-01-01T00:00:00.000Z'
    const [a, b, cleaned, young, ready] = [
      sampleAsset({ state: 'failed', updatedAt: old }),
      sampleAsset({ state: 'failed', updatedAt: old }),
      sampleAsset({ state: 'failed', updatedAt: old, cleanedAt: old }),
      sampleAsset({ state: 'failed', updatedAt: '2020-01-03T00:00:00.000Z' }),
      sampleAsset({ state: 'ready', updatedAt: old }),
    ] as const
    for (const asset of [a, b, cleaned, young, ready]) await stores.assets.create(asset)
    const ids = async (uncleaned: boolean) => {
      const query = { state: 'failed', updatedBefore: '2020-01-02T00:00:00.000Z', uncleaned } as const
      return (await stores.assets.findStale(query)).map(({ id }) => id).sort()
    }
    expect(await ids(false)).toEqual([a.id, b.id, cleaned.id].sort())
    expect(await ids(true)).toEqual([a.id, b.id].sort())
  })

  test('titles whose next version is under way, or not cleaned, are found among those that are ready', async () => {
    const updatedAt = '2010-01-01T00:00:00.000Z'
    const progress = { percent: 0, stage: 'queued' } as const
    const error = { code: 'encode-cancelled', detail: '' } as const
    const title = (next?: Asset['next']) =>
      sampleAsset({ state: 'ready', updatedAt, ...(next ? { next } : {}) })
    const [running, over, cleaned, alone] = [
      title({ version: 2, progress }),
      title({ version: 2, progress, error }),
      title({ version: 2, progress, error, cleanedAt: updatedAt }),
      title(),
    ]
    for (const asset of [running, over, cleaned, alone]) await stores.assets.create(asset)
    const found = async (query: { next?: boolean }) =>
      (await stores.assets.findStale({ state: 'ready', updatedBefore: '2010-01-02', ...query })).map(
        ({ id }) => id,
      )
    expect((await found({})).sort()).toEqual([running, over, cleaned, alone].map(({ id }) => id).sort())
    expect((await found({ next: true })).sort()).toEqual([running.id, over.id].sort())
  })

  test('a sweep sees past hundreds that are well, and past one that it can not read', async () => {
    const stale = { state: 'failed', updatedAt: '2001-01-01T00:00:00.000Z' } as const
    const titles = Array.from({ length: 260 }, () => sampleAsset(stale))
    await raw('assets').items.create({ ...sampleAsset(stale), schema: 99 })
    for (let n = 0; n < titles.length; n += 20)
      await Promise.all(titles.slice(n, n + 20).map((title) => stores.assets.create(title)))
    const found = await stores.assets.findStale({
      state: 'failed',
      updatedBefore: '2001-01-02',
      uncleaned: true,
    })
    expect(found.map(({ id }) => id).sort()).toEqual(titles.map(({ id }) => id).sort())
  })

  test('a document of an unknown version stops its reader, and newer fields outlive an older writer', async () => {
    const asset = sampleAsset()
    await raw('assets').items.create({ ...asset, addedLater: { deep: [1, 2] } })
    expect(await stores.assets.get(asset.tenantId, asset.id)).toEqual(asset)
    await stores.assets.update(asset.tenantId, asset.id, ({ ...c }) => ({ ...c, title: 'Renamed' }))
    const kept = (await raw('assets').item(asset.id, asset.tenantId).read()).resource
    expect(kept).toMatchObject({ title: 'Renamed', addedLater: { deep: [1, 2] } })
    await raw('assets').items.upsert({ ...kept, schema: 2 })
    await expect(stores.assets.get(asset.tenantId, asset.id)).rejects.toThrow('(schema 2) is not a document')
    await expect(stores.assets.update(asset.tenantId, asset.id, (c) => c)).rejects.toThrow('schema 2')
    await expect(stores.assets.list(asset.tenantId, { limit: 5 })).rejects.toThrow('schema 2')
  })

  test('an optional field that a change leaves out is gone', async () => {
    const asset = sampleAsset({ durationSeconds: 5 })
    await stores.assets.create(asset)
    const { durationSeconds: _, ...rest } = asset
    await stores.assets.update(asset.tenantId, asset.id, () => rest)
    expect(await stores.assets.get(asset.tenantId, asset.id)).toEqual(rest)
  })

  test('envelopes that another KEK has wrapped are found across titles, changed by ETag, and removed one by one', async () => {
    const assetId = newAssetId()
    const envelope = (id: string, kekId: string): WrappedKeys => ({
      ...{ id, assetId, type: 'keys', schema: 1, tenantId: newTenantId(), kekId, wrapped: 'AAAA', keys: [] },
    })
    const platform = { ...envelope('p1', 'vault/1'), assetId: 'platform' as const }
    const made = [envelope('v1', 'vault/1'), envelope('v1.1', 'vault/2'), envelope('v2', 'file:x'), platform]
    for (const each of made) expect(await stores.keys.create(each)).toBe(true)
    const others = async (kekId: string, limit = 1000) =>
      (await stores.keys.findWrappedByOther(kekId, limit))
        .filter((each) => each.assetId === assetId || each.assetId === 'platform')
        .map(({ id }) => id)
        .sort()
    expect(await others('vault/2')).toEqual(['p1', 'v1', 'v2'])
    expect(await others('vault/1')).toEqual(['v1.1', 'v2'])
    expect(await stores.keys.findWrappedByOther('vault/2', 2)).toHaveLength(2)
    const newer = { kekId: 'vault/2', wrapped: 'BBBB' }
    await stores.keys.update('platform', 'p1', (current) => ({ ...current, ...newer }))
    await stores.keys.update(assetId, 'v1', (current) => ({ ...current, ...newer }))
    expect(await stores.keys.get(assetId, 'v1')).toEqual({ ...made[0], ...newer })
    expect(await others('vault/2')).toEqual(['v2'])
    await stores.keys.remove(assetId, 'v2')
    await stores.keys.remove(assetId, 'v2')
    expect(await others('vault/2')).toEqual([])
    const absent = stores.keys.update(assetId, 'v2', (current) => current)
    await expect(absent).rejects.toMatchObject({ code: 'not-found' })
    expect(await stores.keys.get(assetId, 'v1.1')).toEqual(made[1])
    await stores.keys.remove('platform', 'p1')
  })

  test('keys, sessions and units are kept alike', async () => {
    const assetId = newAssetId()
    const keys: WrappedKeys = {
      ...{ id: 'v1', assetId, type: 'keys', schema: 1, tenantId: newTenantId() },
      ...{ kekId: 'file:x', wrapped: 'AAAA', keys: [{ keyId: 'a'.repeat(32), rendition: 'v720' }] },
    }
    const platform: WrappedKeys = {
      ...{ id: 'tokens', assetId: 'platform', type: 'keys', schema: 1 },
      ...{ kekId: 'file:x', wrapped: 'AAAA', keys: [] },
    }
    for (const document of [keys, platform]) {
      expect(await stores.keys.create(document)).toBe(true)
      expect(await stores.keys.create(document)).toBe(false)
      expect(await stores.keys.get(document.assetId, document.id)).toEqual(document)
    }
    await stores.keys.removeAll(assetId)
    expect(await stores.keys.get(assetId, 'v1')).toBeUndefined()
    expect(await stores.keys.get('platform', 'tokens')).toEqual(platform)

    const session: Session = {
      ...{ id: `viewer-${assetId}`, viewerKey: 'viewer', type: 'session', schema: 2, ttl: 3600 },
      ...{ tenantId: newTenantId(), assetId, ttlSeconds: 3600, policy: { maxStreams: 2 } },
      ...{ createdAt: '2026-11-22T10:00:00Z', endsAt: '2026-11-29T10:00:00Z' },
    }
    expect(await stores.sessions.create(session)).toBe(true)
    expect(await stores.sessions.get('viewer', session.id)).toEqual(session)
    await stores.sessions.update('viewer', session.id, (c) => ({ ...c, revokedAt: c.createdAt }))
    expect((await stores.sessions.get('viewer', session.id))?.revokedAt).toBe(session.createdAt)

    const units = Array.from(
      { length: 30 },
      (_, n): Unit => ({
        ...{ id: `job-${assetId}.${n}`, jobId: `job-${assetId}`, type: 'unit', schema: 1, kind: 'chunk' },
        ...{ frames: n, done: false, sizes: { v720: [n] }, firstSegment: n * 4 },
      }),
    )
    await Promise.all(units.map(stores.units.put))
    await stores.units.put({ ...units[3]!, done: true })
    const listed = await stores.units.list(`job-${assetId}`)
    expect(listed).toHaveLength(30)
    expect(listed.filter((unit) => unit.done)).toEqual([{ ...units[3], done: true }])
    await stores.units.removeJob(`job-${assetId}`)
    expect(await stores.units.list(`job-${assetId}`)).toEqual([])
  })
})
