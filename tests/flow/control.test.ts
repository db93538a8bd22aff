// A tenant controls an encode over the whole platform: cancel it, encode a title anew while it plays, and no kill changes that.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { drawFilm } from '../support/film.ts'
import { type HeldFfmpeg, heldFfmpeg } from '../support/held-ffmpeg.ts'
import { type MediaPlaylist, mediaPlaylist, mediaPlaylists } from '../support/hls.ts'
import { wellBeforeMidnight } from '../support/in-time.ts'
import { killed } from '../support/killed.ts'
import { fetch } from '../support/patience.ts'
import {
  endAllPlatforms,
  type PlatformProcess,
  startPlatform,
  stateFolder,
} from '../support/platform-process.ts'
import { type Portrait, portrait } from '../support/portrait.ts'
import { seeded } from '../support/seeded.ts'
import { storedBlobs, storedDocuments } from '../support/stored.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'
import { frames, watchPlayer } from '../support/watched-player.ts'

const seconds = 16
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
/** Longer than what a test does with a former version. */
const retentionMs = 45_000
const env: Record<string, string> = {
  KEY_RETENTION_HOURS: String(retentionMs / 3_600_000),
  TENANT_REQUESTS_PER_SECOND: '1000',
}

let folder: string
let film: Buffer
let platform: PlatformProcess
let tenant: Tenant
let held: HeldFfmpeg
/** A title of whose version before a player has a playlist. */
let anew: { id: string; before: Portrait; former: MediaPlaylist } | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-control-'))
  const path = join(folder, 'film.mp4')
  await drawFilm({ path, seconds, frameRate: 12.5, size: '320x180' })
  film = await readFile(path)
  held = heldFfmpeg(folder)
  Object.assign(env, held.env)
  await begin(stateFolder())
})
afterEach(() => held.release())
afterAll(async () => {
  await platform?.end('SIGINT')
  await endAllPlatforms()
  await rm(folder, { recursive: true, force: true })
})

async function begin(stateDirectory: string): Promise<void> {
  platform = startPlatform(stateDirectory, { env })
  const local = await platform.healthy()
  tenant = asTenant(local.apiUrl, local.tenant.apiKey)
}

async function killAll(): Promise<void> {
  const { stateDirectory } = platform
  for (const { pid } of platform.local().processes) killed(pid)
  await platform.ended
  await begin(stateDirectory)
}

const post = (id: string, what: 'encode' | 'cancel') => tenant.call('POST', `/api/v1/assets/${id}/${what}`)

async function readyTitle(): Promise<string> {
  const id = await tenant.upload(film)
  const asset = await tenant.until(id, ({ state }) => state === 'ready' || state === 'failed')
  expect(asset.error).toBeUndefined()
  return id
}

const blobs = (id: string): Promise<string[]> => storedBlobs(platform, id)

/** Ids of the documents of a partition. */
const documents = async (container: string, partitionKey: string): Promise<string[]> =>
  (await storedDocuments(platform, container, partitionKey)).map(({ id }) => id).sort()

/** The best rendition's playlist in a session of its own. */
async function variant(id: string): Promise<string> {
  return (await mediaPlaylists((await tenant.playback(id)).hlsUrl))[0] ?? ''
}
const editionOf = async (id: string): Promise<string> =>
  /\/(\d+\.\d+)\/0\.m4s/.exec((await mediaPlaylist(await variant(id))).text)?.[1] ?? ''

test('the price of a file is told before anything is encoded, and only of that file', async () => {
  await wellBeforeMidnight(120_000)
  const announce = { fileName: 'film.mp4', sizeBytes: film.length }
  const { json: ticket } = await tenant.call('POST', '/api/v1/uploads', announce)
  const path = `/api/v1/uploads/${ticket.assetId}/quote`
  expect((await tenant.call('POST', path)).json).toMatchObject({ status: 409, code: 'upload-incomplete' })
  expect((await tenant.call('GET', path)).status).toBe(404)
  await tenant.put(ticket.uploadUrl, film)
  expect(await tenant.call('POST', path)).toMatchObject({ status: 202, json: { state: 'probing' } })
  const quoted = async () => (await tenant.call('GET', path)).json
  await expect.poll(async () => (await quoted()).state).toBe('ready')
  const quote = await quoted()
  expect(quote).toMatchObject({ encodedMinutes: 0.27, cost: { currency: 'EUR' } })
  expect(await tenant.asset(ticket.assetId)).toMatchObject({ state: 'uploading', renditions: [] })
  const before = (await tenant.call('GET', '/api/v1/usage')).json.encodedMinutes

  await tenant.put(ticket.uploadUrl, film)
  expect((await quoted()).code).toBe('source-changed')
  expect((await tenant.call('POST', path)).status).toBe(202)
  await expect.poll(async () => (await quoted()).state).toBe('ready')
  expect(await quoted()).toEqual(quote)

  expect((await tenant.call('POST', `/api/v1/uploads/${ticket.assetId}/complete`)).status).toBe(202)
  const asset = await tenant.until(ticket.assetId, ({ state }) => state === 'ready' || state === 'failed')
  expect(asset.renditions.map(({ name }) => name)).toEqual(
    quote.renditions.map((one: { name: string }) => one.name),
  )
  const after = (await tenant.call('GET', '/api/v1/usage')).json.encodedMinutes
  expect(after - before).toBeCloseTo(quote.encodedMinutes, 1)
  expect(quote.cost.amount).toBeGreaterThan(0)
  expect((await tenant.call('POST', path)).json.code).toBe('upload-closed')
})

test('a first encode that is cancelled fails and leaves nothing; asked again, it is the same', async () => {
  held.hold()
  const id = await tenant.upload(film)
  await tenant.until(id, ({ state, progress }) => state === 'encoding' && progress.percent > 0)
  expect((await blobs(id)).length).toBeGreaterThan(1)
  expect(await post(id, 'cancel')).toMatchObject({ status: 202, json: { assetId: id, state: 'failed' } })
  expect((await post(id, 'cancel')).status).toBe(202)
  expect((await tenant.asset(id)).error?.code).toBe('encode-cancelled')
  await expect.poll(() => blobs(id), { interval: 500 }).toEqual([])
  // Late units would write within seconds.
  held.release()
  await sleep(5000)
  expect(await blobs(id)).toEqual([])
  expect((await post(id, 'encode')).json).toMatchObject({ code: 'conflict' })
})

test('a title is encoded anew while it plays: its player goes on, the next one gets the new version', async () => {
  await wellBeforeMidnight(120_000)
  const id = await readyTitle()
  expect((await post(id, 'cancel')).json).toMatchObject({ status: 409, code: 'conflict' })
  const before = await portrait(tenant, id)
  const whole = await frames(platform.local().apiUrl, await variant(id))
  const former = await mediaPlaylist(await variant(id))
  const player = await watchPlayer(platform.local().apiUrl, await variant(id))
  await expect.poll(player.waits).toBe(true)
  const minutes = async () => (await tenant.call('GET', '/api/v1/usage')).json.encodedMinutes
  const charged = await minutes()
  held.hold()
  for (const answer of await Promise.all([post(id, 'encode'), post(id, 'encode')]))
    expect([answer.status, answer.json]).toEqual([202, { assetId: id, version: 2 }])
  const meanwhile = await tenant.until(id, ({ nextVersion }) => (nextVersion?.progress.percent ?? 0) > 0)
  expect([meanwhile.state, meanwhile.playable, meanwhile.progress.percent]).toEqual(['ready', true, 100])
  expect(await editionOf(id)).toBe('1.0')
  held.release()
  await tenant.until(id, ({ nextVersion }) => nextVersion === undefined)
  await expect.poll(() => editionOf(id)).toBe('2.0')
  player.goOn()
  expect(await player.frames).toEqual(whole)
  for (const url of [former.segments[0] ?? '', former.init, former.keyUrl])
    expect((await fetch(url)).status).toBe(200)
  expect((await minutes()) - charged).toBeCloseTo(seconds / 60, 1)
  // The same film by the same plan.
  expect(await portrait(tenant, id)).toEqual(before)
  expect(await frames(platform.local().apiUrl, await variant(id))).toEqual(whole)
  anew = { id, before, former }
})

test(`cancelled, the title plays on as it is, over kills too (SEED=${seed})`, {
  timeout: 600_000,
}, async () => {
  const random = seeded(seed)
  const id = await readyTitle()
  const [before, names] = [await portrait(tenant, id), await blobs(id)]
  held.hold()
  await post(id, 'encode')
  await tenant.until(id, ({ nextVersion }) => (nextVersion?.progress.percent ?? 0) > 0)
  await sleep(random() * 500)
  expect(await post(id, 'cancel')).toMatchObject({ status: 202, json: { state: 'ready' } })
  held.release()
  await sleep(random() * 1000)
  await killAll()
  expect((await tenant.asset(id)).nextVersion?.error?.code).toBe('encode-cancelled')
  await expect.poll(() => blobs(id), { timeout: 120_000, interval: 500 }).toEqual(names)
  expect(await portrait(tenant, id)).toEqual(before)

  // One that is killed and not cancelled comes to its end.
  held.hold()
  expect((await post(id, 'encode')).json).toEqual({ assetId: id, version: 3 })
  await sleep(random() * 4000)
  await killAll()
  held.release()
  await tenant.until(id, ({ nextVersion }) => nextVersion === undefined)
  await expect.poll(() => editionOf(id)).toBe('3.0')
  expect(await portrait(tenant, id)).toEqual(before)

  // Deleted while players may be in the middle of the version before, everything goes.
  const jobs = [1, 2, 3].map((version) => `encode-${id}-v${version}`)
  expect(await documents('keys', id)).toEqual(['v1', 'v3'])
  expect((await documents('units', jobs[2] ?? '')).length).toBeGreaterThan(0)
  expect((await tenant.call('DELETE', `/api/v1/assets/${id}`)).status).toBe(204)
  await expect.poll(() => blobs(id), { interval: 500 }).toEqual([])
  const ofTitle = async () =>
    (await documents('assets', platform.local().tenant.id)).filter((one) => one === id)
  await expect.poll(ofTitle, { interval: 500 }).toEqual([])
  expect(await documents('keys', id)).toEqual([])
  for (const job of jobs) expect(await documents('units', job)).toEqual([])
})

test('the version before is gone for good once its players are done', async () => {
  const { id, before, former } = anew ?? expect.unreachable('no title was encoded anew')
  const left = async () => (await blobs(id)).filter((name) => name.includes('/v1/'))
  await expect.poll(left, { timeout: retentionMs + 120_000, interval: 500 }).toEqual([])
  for (const url of [former.segments[0] ?? '', former.keyUrl])
    expect((await fetch(new URL(new URL(url).pathname, platform.local().apiUrl))).status).toBe(404)
  expect(await portrait(tenant, id)).toEqual(before)
})
