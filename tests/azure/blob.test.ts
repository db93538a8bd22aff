// The Blob stores against a real Blob server: ranges, pinned ETags, write-once, blocks, and folders that go.
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BlobStores, createBlobStores } from '../../shared/azure/blob.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { systemRandom } from '../../shared/core/random.ts'
import { type BlobServer, startBlobs } from '../support/azurite.ts'

const deps = { clock: systemClock, random: systemRandom }
let server: BlobServer
let stores: BlobStores
let service: BlobServiceClient

beforeAll(async () => {
  server = await startBlobs()
  stores = createBlobStores({ url: server.url, emulator: server }, deps)
  service = new BlobServiceClient(server.url, new StorageSharedKeyCredential(server.account, server.key))
})
afterAll(() => server?.stop())

const bytes = (count: number) => Uint8Array.from({ length: count }, (_, n) => (n * 31) % 251)

test('the first of two writes stays', async () => {
  const { media } = stores
  await media.putOnce('ten/ast/v1/a.m4s', bytes(1000), 'video/iso.segment')
  const before = await media.facts('ten/ast/v1/a.m4s')
  await media.putOnce('ten/ast/v1/a.m4s', new Uint8Array(7), 'text/plain')
  expect(await media.facts('ten/ast/v1/a.m4s')).toEqual(before)
  expect(before?.sizeBytes).toBe(1000)
  expect(await media.get('ten/ast/v1/a.m4s')).toEqual(Buffer.from(bytes(1000)))
  const properties = await service
    .getContainerClient('media')
    .getBlobClient('ten/ast/v1/a.m4s')
    .getProperties()
  expect(properties.contentType).toBe('video/iso.segment')
})

test('a range is exactly what was asked for', async () => {
  const { media } = stores
  await media.putOnce('ten/ast/v1/r', bytes(100_000), 'video/mp4')
  for (const [offset, count] of [
    [0, 1],
    [0, 100_000],
    [99_999, 1],
    [4096, 65_536],
    [5, 0],
  ] as const) {
    const read = await media.read('ten/ast/v1/r', { offset, count })
    expect(read).toHaveLength(count)
    expect(Buffer.compare(read!, bytes(100_000).subarray(offset, offset + count))).toBe(0)
  }
})

test('a range beyond the end is an error, never a short answer', async () => {
  const { media } = stores
  await media.putOnce('ten/ast/v1/short', bytes(100), 'video/mp4')
  expect(await media.read('ten/ast/v1/short', { offset: 90, count: 10 })).toHaveLength(10)
  await expect(media.read('ten/ast/v1/short', { offset: 90, count: 11 })).rejects.toThrow('has 10 there')
  await expect(media.read('ten/ast/v1/short', { offset: 100, count: 1 })).rejects.toThrow()
})

test('what is absent is undefined, and a missing container is an error', async () => {
  const { media, sources } = stores
  expect(await media.facts('nothing')).toBeUndefined()
  expect(await media.get('nothing')).toBeUndefined()
  expect(await media.read('nothing', { offset: 0, count: 1 })).toBeUndefined()
  expect(await sources.facts('nothing')).toBeUndefined()
  expect(await sources.blocks('nothing')).toEqual([])
  await sources.remove('nothing')
  const empty = new BlobServiceClient(server.url, new StorageSharedKeyCredential(server.account, server.key))
  await empty.getContainerClient('media').delete()
  try {
    for (const ask of [stores.ping, () => media.facts('a'), () => media.get('a')])
      await expect(ask()).rejects.toMatchObject({ statusCode: 404 })
  } finally {
    await empty.getContainerClient('media').create()
  }
  await stores.ping()
})

test('a source that changed or went is never read', async () => {
  const { sources } = stores
  const blob = service.getContainerClient('sources').getBlockBlobClient('ten/ast/source')
  await blob.upload('first version', 13)
  const etag = (await sources.facts('ten/ast/source'))!.etag
  const range = { offset: 6, count: 7, etag }
  expect(Buffer.from(await sources.read('ten/ast/source', range)).toString()).toBe('version')
  await blob.upload('first version', 13)
  await expect(sources.read('ten/ast/source', range)).rejects.toMatchObject({ code: 'source-changed' })
  await sources.remove('ten/ast/source')
  await expect(sources.read('ten/ast/source', range)).rejects.toMatchObject({ code: 'source-changed' })
})

test('blocks that are staged are listed until they are committed', async () => {
  const { sources } = stores
  const blob = service.getContainerClient('sources').getBlockBlobClient('ten/ast/blocks')
  const ids = ['0001', '0002'].map((id) => Buffer.from(id).toString('base64'))
  await blob.stageBlock(ids[0]!, bytes(10), 10)
  await blob.stageBlock(ids[1]!, bytes(20), 20)
  expect(await sources.facts('ten/ast/blocks')).toBeUndefined()
  const blocks = await sources.blocks('ten/ast/blocks')
  expect(blocks.sort((a, b) => a.sizeBytes - b.sizeBytes)).toEqual([
    { id: ids[0], sizeBytes: 10 },
    { id: ids[1], sizeBytes: 20 },
  ])
  await blob.commitBlockList(ids)
  expect(await sources.blocks('ten/ast/blocks')).toEqual([])
  expect((await sources.facts('ten/ast/blocks'))?.sizeBytes).toBe(30)
})

test('a folder goes whole, its neighbours stay', async () => {
  const { media } = stores
  const names = Array.from({ length: 1100 }, (_, n) => `ten/gone/v1/h/video/${n}.m4s`)
  for (let n = 0; n < names.length; n += 50)
    await Promise.all(names.slice(n, n + 50).map((name) => media.putOnce(name, bytes(1), 'video/mp4')))
  await media.putOnce('ten/gone/v11/stays', bytes(1), 'video/mp4')
  expect(await media.get(names[1099]!)).toBeDefined()
  await Promise.all([media.removeFolder('ten/gone/v1/'), media.removeFolder('ten/gone/v1/')])
  const left: string[] = []
  for await (const item of service.getContainerClient('media').listBlobsFlat({ prefix: 'ten/gone/' }))
    left.push(item.name)
  expect(left).toEqual(['ten/gone/v11/stays'])
  for (const wrong of ['', '/', 'ten/', 'ten/gone/v1', 'ten//'])
    await expect(media.removeFolder(wrong)).rejects.toThrow('not a folder')
})

test('blobs are removed by name, more than a batch holds, and none beside them; absent ones are as good', async () => {
  const { media } = stores
  const names = Array.from({ length: 300 }, (_, n) => `ten/named/v1/${n}.m4s`)
  await Promise.all(names.map((name) => media.putOnce(name, bytes(1), 'video/mp4')))
  const [kept, ...gone] = names
  await media.remove([...gone, 'ten/named/v1/never.m4s'])
  await media.remove(gone)
  await media.remove([])
  const left: string[] = []
  for await (const item of service.getContainerClient('media').listBlobsFlat({ prefix: 'ten/named/' }))
    left.push(item.name)
  expect(left).toEqual([kept])
})
