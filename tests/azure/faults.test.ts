// What the stores do when what they stand on fails: try again within bounds, then say so; never half an answer.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AssetDocument } from '../../shared/assets/model.ts'
import { createBlobStores } from '../../shared/azure/blob.ts'
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { systemRandom } from '../../shared/core/random.ts'
import { TenantDocument } from '../../shared/tenants/model.ts'
import { type BlobServer, startBlobs } from '../support/azurite.ts'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { sampleAsset } from '../support/documents.ts'
import { type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'

const waits: number[] = []
const clock = { ...systemClock, wait: async (ms: number) => void waits.push(ms) }
const pace = { clock, random: systemRandom }
const busy: Fault = { status: 503, headers: { 'x-ms-error-code': 'ServerBusy' } }

describe('Blob storage', () => {
  let server: BlobServer
  let proxy: FaultProxy
  let faults: Array<Fault | undefined> = []
  /** Instead of those, all that is asked for. */
  let always: Fault | undefined
  const bytes = Uint8Array.from({ length: 300_000 }, (_, n) => n % 253)

  beforeAll(async () => {
    server = await startBlobs()
    proxy = await startFaultProxy(server.url, () => always ?? faults.shift())
  })
  afterAll(async () => {
    await proxy?.stop()
    await server?.stop()
  })
  function open() {
    proxy.seen.length = 0
    waits.length = 0
    return createBlobStores({ url: `${proxy.origin}/${server.account}`, emulator: server }, pace).media
  }

  test('a read outlives a busy service, a lost connection and half a body, and asks for its range alone', async () => {
    const media = open()
    faults = [busy, 'reset', undefined]
    await media.putOnce('a/b/c', bytes, 'video/mp4')
    expect(proxy.seen).toHaveLength(3)
    proxy.seen.length = 0
    faults = [busy, 'cut', 'reset', undefined]
    const read = await media.read('a/b/c', { offset: 1000, count: 200_000 })
    expect(Buffer.compare(read!, bytes.subarray(1000, 201_000))).toBe(0)
    expect(proxy.seen.map(({ headers }) => headers['x-ms-range'] ?? headers.range)).toEqual(
      Array(4).fill('bytes=1000-200999'),
    )
    expect(waits).toHaveLength(5)
  })

  test('after four tries it is unavailable, and when to come back is told', async () => {
    const media = open()
    await media.putOnce('a/b/d', bytes, 'video/mp4')
    proxy.seen.length = 0
    for (const fault of [busy, 'cut', 'reset'] as const) {
      faults = Array(4).fill(fault)
      const failed = await media.read('a/b/d', { offset: 0, count: 100_000 }).catch((error) => error)
      expect(failed).toMatchObject({ code: 'unavailable', status: 503, options: { retryAfterSeconds: 1 } })
    }
    expect(proxy.seen).toHaveLength(12)
    expect(waits.every((ms) => ms >= 100 && ms <= 3200)).toBe(true)
    faults = [busy, busy, busy, { status: 503, headers: { 'retry-after': '7' } }]
    const failed = await media.facts('a/b/d').catch((error) => error)
    expect(failed.options.retryAfterSeconds).toBe(7)
    expect((await media.read('a/b/d', { offset: 0, count: 10 }))?.length).toBe(10)
  })

  test('a service that falls silent holds nobody up', async () => {
    const url = `${proxy.origin}/${server.account}`
    const within = (tryTimeoutMs: number) =>
      createBlobStores({ url, emulator: server }, { ...pace, tryTimeoutMs }).media
    await open().putOnce('a/b/e', bytes, 'video/mp4')
    faults = ['hang', undefined]
    expect((await within(3000).get('a/b/e'))?.length).toBe(300_000)
    try {
      for (const silence of ['hang', 'stall'] as const) {
        always = silence
        waits.length = 0
        await expect(within(200).get('a/b/e')).rejects.toMatchObject({ code: 'unavailable' })
        expect(waits).toHaveLength(3)
      }
    } finally {
      always = undefined
    }
  })

  test('a refusal is not asked for again', async () => {
    const media = open()
    faults = [{ status: 403, headers: { 'x-ms-error-code': 'AuthorizationFailure' } }]
    await expect(media.get('a/b/d')).rejects.toMatchObject({ statusCode: 403 })
    expect(proxy.seen).toHaveLength(1)
  })
})

describe('Cosmos DB', () => {
  const schemas = { asset: AssetDocument, tenant: TenantDocument }
  let server: CosmosServer
  let proxy: FaultProxy
  let failing = 'PUT'
  let faults: Fault[] = []

  beforeAll(async () => {
    server = await startCosmos()
    proxy = await startFaultProxy(server.endpoint, ({ method, url }) =>
      method === failing && url?.includes('/docs/') ? faults.shift() : undefined,
    )
  })
  afterAll(async () => {
    await proxy?.stop()
    await server?.stop()
  })
  const open = () => createCosmosStores({ ...server, endpoint: proxy.origin }, { ...pace, schemas }).assets

  test('an update that always meets another one ends in a conflict', async () => {
    const assets = open()
    const asset = sampleAsset()
    await assets.create(asset)
    const rename = () => assets.update(asset.tenantId, asset.id, (current) => ({ ...current, title: 'New' }))
    faults = Array(14).fill({ status: 412, body: '{"code":"PreconditionFailed"}' })
    waits.length = 0
    await expect(rename()).rejects.toMatchObject({ code: 'conflict', status: 409 })
    expect(faults).toHaveLength(0)
    expect(Math.max(...waits)).toBeLessThan(1000)
    expect((await rename()).title).toBe('New')
  })

  test('a throttled request is repeated while that is short, and then unavailable', async () => {
    const assets = open()
    const asset = sampleAsset()
    await assets.create(asset)
    failing = 'GET'
    const get = () => assets.get(asset.tenantId, asset.id)
    const headers = { 'x-ms-retry-after-ms': '3' }
    const throttled: Fault = { status: 429, headers, body: '{"code":"TooManyRequests"}' }
    faults = Array(9).fill(throttled)
    expect(await get()).toEqual(asset)
    faults = Array(10).fill(throttled)
    await expect(get()).rejects.toMatchObject({ code: 'unavailable', options: { retryAfterSeconds: 1 } })
    expect(faults).toHaveLength(0)
  })

  test('a server that is away is unavailable', async () => {
    const gone = await startFaultProxy(server.endpoint, () => undefined)
    const { assets } = createCosmosStores({ ...server, endpoint: gone.origin }, { ...pace, schemas })
    const asset = sampleAsset()
    expect(await assets.create(asset)).toBe(true)
    await gone.stop()
    await expect(assets.get(asset.tenantId, asset.id)).rejects.toMatchObject({ code: 'unavailable' })
  })
})
