// The branch that Azure takes: no keys, tokens of Entra ID over https, and one user delegation key for many URLs.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AssetDocument } from '../../shared/assets/model.ts'
import { createBlobStores } from '../../shared/azure/blob.ts'
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { systemRandom } from '../../shared/core/random.ts'
import { TenantDocument } from '../../shared/tenants/model.ts'
import { type BlobServer, startBlobs } from '../support/azurite.ts'
import { makeCertificate, trust } from '../support/certificate.ts'
import { startCosmosEntra } from '../support/cosmos.ts'
import { sampleAsset } from '../support/documents.ts'
import { createEntra } from '../support/entra.ts'

const certificate = makeCertificate()
trust(certificate)
afterAll(certificate.remove)
const pace = { clock: systemClock, random: systemRandom }

describe('Blob storage', () => {
  const entra = createEntra()
  let server: BlobServer
  beforeAll(async () => {
    server = await startBlobs(certificate)
  })
  afterAll(() => server?.stop())

  test('what is put is there, by tokens for storage alone', async () => {
    const { media, ping } = createBlobStores({ url: server.url }, { ...pace, credential: entra.credential })
    await ping()
    await media.putOnce('ten/ast/v1/a', Buffer.from('segment'), 'video/mp4')
    await media.putOnce('ten/ast/v1/a', Buffer.from('another'), 'video/mp4')
    expect(Buffer.from((await media.read('ten/ast/v1/a', { offset: 0, count: 7 }))!).toString()).toBe(
      'segment',
    )
    await media.removeFolder('ten/ast/v1/')
    expect(await media.get('ten/ast/v1/a')).toBeUndefined()
    expect(new Set(entra.asked)).toEqual(new Set(['https://storage.azure.com/.default']))
  })

  test('one delegation key signs for a day, then a new one does', async () => {
    let now = Date.now()
    // Each look at the clock is a second later: two keys can not have the same start.
    const clock = { ...systemClock, now: () => (now += 1000) }
    const deps = { clock, random: systemRandom, credential: entra.credential }
    const { sources } = createBlobStores({ url: server.url }, deps)
    const keyStart = (url: string) => new URL(url).searchParams.get('skt')
    const sign = () => sources.uploadUrl('ten/ast/source', now + 3_600_000)
    const urls = await Promise.all(Array.from({ length: 20 }, sign))
    expect(new Set(urls.map(keyStart)).size).toBe(1)
    now += 23 * 3_600_000
    expect(keyStart(await sign())).toBe(keyStart(urls[0]!))
    now += 3_600_000
    expect(keyStart(await sign())).not.toBe(keyStart(urls[0]!))
    await expect(sources.readUrl('ten/ast/source', now + 25 * 3_600_000)).rejects.toThrow('24 hours at most')
  })

  test('a SAS starts after its key and ends before it', async () => {
    const { sources } = createBlobStores({ url: server.url }, { ...pace, credential: entra.credential })
    const { searchParams } = new URL(await sources.uploadUrl('ten/ast/source', Date.now() + 86_000_000))
    const [keyStarts, starts, ends, keyEnds] = ['skt', 'st', 'se', 'ske'].map((name) =>
      Date.parse(searchParams.get(name) ?? ''),
    ) as [number, number, number, number]
    expect(keyStarts).toBeLessThanOrEqual(starts)
    expect(starts).toBeLessThan(Date.now())
    expect(ends).toBeLessThanOrEqual(keyEnds)
  })

  test('over plain http no token is sent', async () => {
    const url = server.url.replace('https:', 'http:')
    const stores = createBlobStores({ url }, { ...pace, credential: entra.credential })
    const before = entra.asked.length
    await expect(stores.media.get('ten/ast/v1/a')).rejects.toThrow('TLS protected')
    expect(entra.asked.length).toBe(before)
  })
})

describe('Cosmos DB', () => {
  const entra = createEntra()
  const schemas = { asset: AssetDocument, tenant: TenantDocument }
  let server: Awaited<ReturnType<typeof startCosmosEntra>>
  beforeAll(async () => {
    server = await startCosmosEntra(certificate, entra)
  })
  afterAll(() => server?.stop())

  test('documents are kept by token', async () => {
    const { assets, ping } = createCosmosStores(server, { ...pace, schemas, credential: entra.credential })
    await ping()
    const asset = sampleAsset()
    expect(await assets.create(asset)).toBe(true)
    await assets.update(asset.tenantId, asset.id, (current) => ({ ...current, title: 'Renamed' }))
    expect((await assets.list(asset.tenantId, { limit: 10 })).items).toEqual([{ ...asset, title: 'Renamed' }])
    expect(await assets.findStale({ state: 'uploading', updatedBefore: '2030-01-01' })).toHaveLength(1)
    expect(new Set(entra.asked)).toEqual(new Set([`${new URL(server.endpoint).origin}/.default`]))
  })

  test("another Entra ID's token is refused", async () => {
    const credential = createEntra().credential
    const { ping } = createCosmosStores(server, { ...pace, schemas, credential })
    await expect(ping()).rejects.toMatchObject({ code: 401 })
  })
})
