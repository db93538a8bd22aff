// The main job: a film is uploaded in blocks, plays while it is encoded, plays whole; and nothing of it without its token.
import { createDecipheriv } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { countFrames } from '../support/ffprobe.ts'
import { drawFilm } from '../support/film.ts'
import { heldFfmpeg } from '../support/held-ffmpeg.ts'
import { mediaPlaylist, mediaPlaylists } from '../support/hls.ts'
import { fetch } from '../support/patience.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { type AssetView, asTenant, type Playback, type Tenant } from '../support/tenant.ts'

const seconds = 30
const frameRate = 12.5

let platform: Platform
let tenant: Tenant
let folder: string
let film: string
let asset: AssetView
let playback: Playback
/** What a viewer saw as soon as there was anything to see. */
let early: { state: string; ended: boolean; counts: number[]; firstSegmentStatus: number }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-play-'))
  film = join(folder, 'film.mp4')
  await drawFilm({ path: film, seconds, frameRate, size: '1280x720' })
  const held = heldFfmpeg(folder)
  platform = await startPlatform({ env: held.env })
  tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
  held.hold()
  const id = await tenant.upload(film, { title: 'Colours' })
  const first = await tenant.until(id, ({ playable, state }) => playable || state === 'failed')
  expect(first.error).toBeUndefined()
  const session = await tenant.playback(id)
  const lists = await Promise.all((await mediaPlaylists(session.hlsUrl)).map(mediaPlaylist))
  early = {
    state: (await tenant.asset(id)).state,
    ended: lists.some((list) => list.ended),
    counts: lists.map((list) => list.segments.length),
    firstSegmentStatus: (await fetch(lists[0]?.segments[0] ?? '')).status,
  }
  held.release()
  asset = await tenant.until(id, ({ state }) => state === 'ready' || state === 'failed')
  // Two clients: ffmpeg, and this test.
  playback = await tenant.playback(id, { policy: { maxClients: 2 } })
})

afterAll(async () => {
  await platform?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('a viewer', () => {
  test('plays from the moment the first segments are there', () => {
    expect(early).toMatchObject({ state: 'encoding', ended: false, firstSegmentStatus: 200 })
    // All playlists end at the same segment, so that a player that starts early has the whole ladder.
    expect(new Set(early.counts).size).toBe(1)
    expect(early.counts[0]).toBeGreaterThan(0)
  })

  test('gets a ladder that does not exceed the source, and the whole duration', () => {
    expect(asset).toMatchObject({ state: 'ready', progress: { percent: 100 } })
    expect(asset.durationSeconds).toBeCloseTo(seconds, 1)
    const video = asset.renditions.filter(({ kind }) => kind === 'video')
    expect(video.length).toBeGreaterThanOrEqual(2)
    expect(video.length).toBeLessThanOrEqual(5)
    expect(Math.max(...video.map(({ height }) => height ?? 0))).toBe(720)
  })

  test('gets every planned frame of every rendition in ffmpeg, without a gap', async () => {
    const [, ...playlists] = [playback.hlsUrl, ...(await mediaPlaylists(playback.hlsUrl))]
    for (const url of playlists.slice(0, -1)) {
      const list = await mediaPlaylist(url)
      expect(list.ended).toBe(true)
      expect(list.durations.reduce((sum, one) => sum + one, 0)).toBeCloseTo(seconds, 3)
      const frames = await countFrames(url)
      expect(frames.count).toBe(seconds * frameRate)
      expect(frames.steps).toEqual([1 / frameRate])
    }
  })

  test('gets a poster', async () => {
    const poster = Buffer.from(await (await fetch(playback.posterUrl)).arrayBuffer())
    expect(poster.subarray(0, 3).toString('hex')).toBe('ffd8ff')
  })

  test('gets ranges, conditions and HEAD exactly', async () => {
    const list = await mediaPlaylist((await mediaPlaylists(playback.hlsUrl))[0] ?? '')
    const url = list.segments[1] ?? ''
    const whole = await fetch(url)
    const bytes = Buffer.from(await whole.arrayBuffer())
    const etag = whole.headers.get('etag') ?? ''
    expect(whole.headers.get('content-length')).toBe(String(bytes.length))
    const part = await fetch(url, { headers: { range: 'bytes=100-199' } })
    expect(part.status).toBe(206)
    expect(part.headers.get('content-range')).toBe(`bytes 100-199/${bytes.length}`)
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(100, 200))).toBe(true)
    expect((await fetch(url, { headers: { range: `bytes=${bytes.length}-` } })).status).toBe(416)
    expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304)
    expect((await fetch(url, { headers: { range: 'bytes=0-9', 'if-range': etag } })).status).toBe(206)
    expect((await fetch(url, { headers: { range: 'bytes=0-9', 'if-range': '"other"' } })).status).toBe(200)
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)])
  })
})

describe('without the token', () => {
  const refused = async (url: string) => {
    const reply = await fetch(url, { headers: { origin: 'https://player.example' } })
    // Any player may read a refusal, and none of what is refused.
    expect(reply.headers.get('access-control-allow-origin')).toBe('*')
    const { instance: _, ...body } = (await reply.json()) as Record<string, unknown>
    return { status: reply.status, body }
  }

  test('nothing comes: not a manifest, not a byte, not a key; and every refusal is the same', async () => {
    const list = await mediaPlaylist((await mediaPlaylists(playback.hlsUrl))[0] ?? '')
    const urls = [
      playback.hlsUrl,
      playback.posterUrl,
      list.url,
      list.init,
      list.segments[0] ?? '',
      list.keyUrl,
    ]
    const { token } = playback
    const changed = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`
    const brief = await tenant.playback(asset.id, { ttlSeconds: 1 })
    // A token's end is a whole second, rounded up.
    await new Promise((resolve) => setTimeout(resolve, 2500))
    const seen = new Set<string>()
    for (const url of urls) {
      expect((await fetch(url)).status).toBe(200)
      for (const wrong of [changed, 'none', `${token}x`, `${token}.${token}`, brief.token])
        seen.add(JSON.stringify(await refused(url.replace(token, wrong))))
    }
    expect(seen.size).toBe(1)
    expect(JSON.parse([...seen][0] ?? '')).toMatchObject({ status: 403, body: { code: 'playback-refused' } })
  })

  test('a session that is ended is refused within seconds', async () => {
    const session = await tenant.playback(asset.id)
    expect((await fetch(session.hlsUrl)).status).toBe(200)
    expect((await tenant.call('DELETE', `/api/v1/sessions/${session.sessionId}`)).status).toBe(204)
    await expect.poll(async () => (await fetch(session.hlsUrl)).status).toBe(403)
  })

  test('the segments in storage are useless; with the key and the IV of the playlist they are the film', async () => {
    const { blob } = await surroundings()
    const list = await mediaPlaylist((await mediaPlaylists(playback.hlsUrl))[0] ?? '')
    const names: string[] = []
    for await (const item of blob.getContainerClient('media').listBlobsFlat()) names.push(item.name)
    const name = names.find((one) => one.endsWith('/v720/0.m4s')) ?? ''
    const stored = await blob.getContainerClient('media').getBlobClient(name).downloadToBuffer()
    expect(stored.includes('moof') || stored.includes('mdat')).toBe(false)
    const sealed = join(folder, 'sealed.mp4')
    const init = Buffer.from(await (await fetch(list.init)).arrayBuffer())
    await writeFile(sealed, Buffer.concat([init, stored]))
    expect((await countFrames(sealed)).count).toBe(0)
    const key = Buffer.from(await (await fetch(list.keyUrl)).arrayBuffer())
    const decipher = createDecipheriv('aes-128-cbc', key, Buffer.from(list.ivs[0] ?? '', 'hex'))
    await writeFile(sealed, Buffer.concat([init, decipher.update(stored), decipher.final()]))
    expect((await countFrames(sealed)).count).toBe(2 * frameRate)
  })
})

/** The stores themselves, by the account key that lies in the platform's folder. */
async function surroundings() {
  const storage = platform.processes.find(({ name }) => name === 'storage')
  const key = (await readFile(join(platform.folder, 'storage', 'account-key'), 'utf8')).trim()
  const url = `http://127.0.0.1:${storage?.port}/movidone`
  return { blob: new BlobServiceClient(url, new StorageSharedKeyCredential('movidone', key)) }
}
