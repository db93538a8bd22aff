// What can not become a title ends in a code and a sentence, and leaves nothing behind but its document.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { drawFilm, ffmpeg } from '../support/film.ts'
import { type HeldFfmpeg, heldFfmpeg } from '../support/held-ffmpeg.ts'
import { fetch } from '../support/patience.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

let platform: Platform
let tenant: Tenant
let folder: string
let film: Buffer
let held: HeldFfmpeg
let blobs: BlobServiceClient

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-refusals-'))
  await drawFilm({ path: join(folder, 'film.mp4'), seconds: 12, size: '640x360' })
  // The index in front, so that a cut leaves it whole: it promises frames that are not there.
  await ffmpeg([
    '-i',
    join(folder, 'film.mp4'),
    '-c',
    'copy',
    '-movflags',
    '+faststart',
    join(folder, 'fast.mp4'),
  ])
  film = await readFile(join(folder, 'fast.mp4'))
  held = heldFfmpeg(folder)
  platform = await startPlatform({ env: held.env })
  tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
  const storage = platform.processes.find(({ name }) => name === 'storage')
  const key = (await readFile(join(platform.folder, 'storage', 'account-key'), 'utf8')).trim()
  blobs = new BlobServiceClient(
    `http://127.0.0.1:${storage?.port}/movidone`,
    new StorageSharedKeyCredential('movidone', key),
  )
})
afterEach(() => held.release())
afterAll(async () => {
  await platform?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function blobsOf(assetId: string): Promise<string[]> {
  const names: string[] = []
  for (const container of ['sources', 'media'])
    for await (const item of blobs.getContainerClient(container).listBlobsFlat())
      if (item.name.includes(assetId)) names.push(`${container}/${item.name}`)
  return names
}

async function expectFailure(assetId: string, codes: string[]) {
  const asset = await tenant.until(assetId, ({ state }) => state === 'failed' || state === 'ready')
  expect(asset.state).toBe('failed')
  expect(codes).toContain(asset.error?.code)
  expect(asset.error?.detail).toMatch(/^[A-Z].{20,}[.]$/)
  expect(asset.playable).toBe(false)
  await expect.poll(() => blobsOf(assetId)).toEqual([])
  const refusal = await tenant.call('POST', `/api/v1/assets/${assetId}/playback`, {})
  expect(refusal).toMatchObject({ status: 409, json: { code: 'asset-failed' } })
}

const withoutVideo = async (): Promise<Buffer> => {
  const path = join(folder, 'sound.mp4')
  await ffmpeg(['-i', join(folder, 'film.mp4'), '-vn', '-c:a', 'copy', path])
  return readFile(path)
}
const corrupt = (): Buffer => {
  const bytes = Buffer.from(film)
  bytes.fill(0x5a, 0, 4096)
  return bytes
}
const playlist = () =>
  Buffer.from(`#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n${platform.apiUrl}/api/healthz\n`)
const concat = () => Buffer.from(`ffconcat version 1.0\nfile '${join(folder, 'film.mp4')}'\n`)

describe('what can not become a title', () => {
  test('the film itself does', async () => {
    const id = await tenant.upload(film)
    expect((await tenant.until(id, ({ state }) => state !== 'encoding')).state).toBe('ready')
    expect((await blobsOf(id)).length).toBeGreaterThan(5)
  })

  test.each<[string, () => Buffer | Promise<Buffer>, string[]]>([
    ['a corrupt file', corrupt, ['source-unreadable', 'source-not-media']],
    ['a file cut off in the middle', () => film.subarray(0, film.length * 0.6), ['source-truncated']],
    ['a text named .mp4', () => Buffer.from('Once upon a time. '.repeat(500)), ['source-not-media']],
    ['a playlist named .mp4', playlist, ['source-not-allowed']],
    ['a list of files named .mp4', concat, ['source-not-allowed']],
    ['a file without video', withoutVideo, ['source-without-video']],
  ])('%s', async (_, make, codes) => expectFailure(await tenant.upload(await make()), codes))

  test('a wrong checksum; the right one is accepted', async () => {
    const id = await tenant.upload(film, { sha256: '0'.repeat(64) })
    await expectFailure(id, ['checksum-mismatch'])
  })

  test('no bytes at all are refused at once', async () => {
    const announced = await tenant.call('POST', '/api/v1/uploads', { fileName: 'a.mp4', sizeBytes: 0 })
    expect(announced).toMatchObject({ status: 400, json: { code: 'invalid-request' } })
    const { json } = await tenant.call('POST', '/api/v1/uploads', { fileName: 'a.mp4', sizeBytes: 5 })
    const complete = `/api/v1/uploads/${json.assetId}/complete`
    expect(await tenant.call('POST', complete)).toMatchObject({
      status: 409,
      json: { code: 'upload-incomplete' },
    })
    await tenant.put(json.uploadUrl, new Uint8Array(0))
    expect(await tenant.call('POST', complete)).toMatchObject({
      status: 409,
      json: { code: 'upload-size-mismatch' },
    })
    await tenant.put(json.uploadUrl, new Uint8Array(5))
    expect((await tenant.call('POST', complete)).status).toBe(202)
    expect((await tenant.call('POST', complete)).status).toBe(202)
  })

  test('other protections are refused by name', async () => {
    const ask = { fileName: 'a.mp4', sizeBytes: 5, protection: 'cbcs' }
    const refusal = await tenant.call('POST', '/api/v1/uploads', ask)
    expect(refusal).toMatchObject({ status: 422, json: { code: 'protection-not-available' } })
  })
})

test('a source changed after complete', async () => {
  held.hold()
  const { json } = await tenant.call('POST', '/api/v1/uploads', {
    fileName: 'a.mp4',
    sizeBytes: film.length,
  })
  await tenant.put(json.uploadUrl, film)
  await tenant.call('POST', `/api/v1/uploads/${json.assetId}/complete`)
  await tenant.until(json.assetId, ({ progress }) => progress.stage === 'encoding')
  await tenant.put(json.uploadUrl, Buffer.concat([film.subarray(0, 1000), Buffer.alloc(film.length - 1000)]))
  held.release()
  await expectFailure(json.assetId, ['source-changed'])
})

test('a title that is deleted while it is encoded is gone with everything', async () => {
  held.hold()
  const id = await tenant.upload(film)
  await tenant.until(id, ({ playable }) => playable)
  const { hlsUrl } = await tenant.playback(id)
  expect((await fetch(hlsUrl)).status).toBe(200)
  expect((await tenant.call('DELETE', `/api/v1/assets/${id}`)).status).toBe(204)
  expect((await tenant.call('GET', `/api/v1/assets/${id}`)).status).toBe(404)
  held.release()
  await expect.poll(async () => (await fetch(hlsUrl)).status).toBe(403)
  await expect.poll(() => blobsOf(id)).toEqual([])
})
