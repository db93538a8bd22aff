// A film gets new content keys while it plays: every frame is there, the same bytes under other keys, also when the app is killed.
import { createDecipheriv } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { processTable } from '../../host/platform/process-table.ts'
import { drawFilm } from '../support/film.ts'
import { mediaPlaylist, mediaPlaylists } from '../support/hls.ts'
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
import { slowFfmpeg } from '../support/slow-ffmpeg.ts'
import { storedBlobs, storedDocuments } from '../support/stored.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'
import { frames, watchPlayer } from '../support/watched-player.ts'

const seconds = 12
const frameRate = 12.5
const kills = Number(process.env['KILLS'] ?? 4)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
/** Longer than what a test does with a former edition. */
const retentionMs = 45_000
const env: Record<string, string> = {
  KEY_RETENTION_HOURS: String(retentionMs / 3_600_000),
  TENANT_REQUESTS_PER_SECOND: '1000',
}

let folder: string
let film: Buffer
let platform: PlatformProcess
let tenant: Tenant
/** What of each title was there before its keys were changed, and how often they were. */
const changed: Array<{ id: string; before: Portrait; names: string[]; generation: number }> = []
/** Of the edition that the first test changed. */
let former: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-rekey-'))
  const path = join(folder, 'film.mp4')
  await drawFilm({ path, seconds, frameRate, size: '320x180' })
  film = await readFile(path)
  // Whatever it encodes lasts longer than the time between two looks at what runs.
  Object.assign(env, slowFfmpeg(folder, 4))
  await begin(stateFolder())
})
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

/** The app alone is started again by its supervisor, all of it by us. */
async function kill(names: 'app' | 'all'): Promise<void> {
  const { pidOf, stateDirectory } = platform
  const pid = pidOf('functions')
  if (names === 'app') {
    killed(pid)
    await expect.poll(() => pidOf('functions')).not.toBe(pid)
    await platform.healthy()
    return
  }
  for (const one of platform.local().processes) killed(one.pid)
  await platform.ended
  await begin(stateDirectory)
}

async function readyTitle(): Promise<string> {
  const id = await tenant.upload(film)
  const asset = await tenant.until(id, ({ state }) => state === 'ready' || state === 'failed')
  expect(asset.error).toBeUndefined()
  return id
}

const rekey = (id: string) => tenant.call('POST', `/api/v1/assets/${id}/rekey`)
const bytesOf = async (url: string) => Buffer.from(await (await fetch(url)).arrayBuffer())

/** The media playlists as a new session sees them. */
async function lists(id: string) {
  const { hlsUrl } = await tenant.playback(id)
  return Promise.all((await mediaPlaylists(hlsUrl)).map(mediaPlaylist))
}

async function untilEdition(id: string, edition: string): Promise<void> {
  const url = await variant(id)
  const text = async () => (await mediaPlaylist(url).catch(() => undefined))?.text
  await expect.poll(text, { interval: 150 }).toContain(`/${edition}/0.m4s`)
}

const segments = async (id: string): Promise<string[]> =>
  (await storedBlobs(platform, id)).filter((name) => name.endsWith('.m4s'))

/** Names of the envelopes of a title. */
const envelopes = async (id: string): Promise<string[]> =>
  (await storedDocuments(platform, 'keys', id)).map((one) => one.id).sort()

/** The best rendition, in a session of its own: a session has one client. */
async function variant(id: string): Promise<string> {
  return (await mediaPlaylists((await tenant.playback(id)).hlsUrl))[0] ?? ''
}

describe('new content keys', () => {
  test('while a film plays: the player goes on, the next one gets other keys, and nothing was encoded', async () => {
    const { apiUrl } = platform.local()
    const id = await readyTitle()
    const before = await portrait(tenant, id)
    const old = await lists(id)
    const oldKey = await bytesOf(old[0]?.keyUrl ?? '')
    const whole = await frames(platform.local().apiUrl, await variant(id))
    expect(whole).toHaveLength(seconds * frameRate)

    changed.push({ id, before, names: await segments(id), generation: 1 })
    former = [old[0]?.segments[0] ?? '', old[0]?.keyUrl ?? '']
    expect(await envelopes(id)).toEqual(['v1'])

    const player = await watchPlayer(apiUrl, await variant(id))
    await expect.poll(player.waits).toBe(true)
    const encoders = new Set<string>()
    const watching = setInterval(() => {
      const group = platform.pidOf('functions')
      for (const { command, group: of } of processTable())
        if (of === group && /^\S*ffmpeg /.test(command)) encoders.add(command)
    }, 100)
    const answers = await Promise.all([rekey(id), rekey(id)])
    for (const { status, json } of answers)
      expect([status, json]).toEqual([202, { assetId: id, generation: 1 }])
    await untilEdition(id, '1.1')
    clearInterval(watching)
    expect([...encoders]).toEqual([])
    expect(await envelopes(id)).toEqual(['v1', 'v1.1'])

    // The same title, to the byte; and whoever plays the former edition gets every frame of it.
    player.goOn()
    expect(await player.frames).toEqual(whole)
    expect(player.seen.filter(({ path, isLate }) => isLate && path.includes('/1.0/'))).not.toEqual([])
    expect(player.seen.filter(({ status }) => status !== 200 && status !== 206)).toEqual([])
    expect(player.seen.some(({ path }) => path.includes('/1.1/'))).toBe(false)
    for (const url of former) expect((await fetch(url)).status).toBe(200)
    expect(await portrait(tenant, id)).toEqual(before)

    const fresh = await lists(id)
    expect(await frames(platform.local().apiUrl, await variant(id))).toEqual(whole)
    for (const [n, { keyUrl, segments, ivs }] of fresh.entries()) {
      const key = await bytesOf(keyUrl)
      expect(key).toHaveLength(16)
      expect(key.equals(await bytesOf(old[n]?.keyUrl ?? ''))).toBe(false)
      if (n > 0) continue
      const [sealed, iv] = [await bytesOf(segments[1] ?? ''), Buffer.from(ivs[1] ?? '', 'hex')]
      const open = (by: Buffer) => {
        const cipher = createDecipheriv('aes-128-cbc', by, iv).setAutoPadding(false)
        return cipher.update(sealed).toString('latin1')
      }
      expect([open(key).includes('moof'), open(oldKey).includes('moof')]).toEqual([true, false])
    }
  })

  test('are for titles that are ready, and for their owner', async () => {
    const open = await tenant.call('POST', '/api/v1/uploads', { fileName: 'a.mp4', sizeBytes: 10 })
    const refused = await rekey(open.json.assetId)
    expect([refused.status, refused.json.code]).toEqual([409, 'conflict'])
    expect(refused.json.detail).toContain('this one is uploading')
    expect((await rekey(`ast_${'0'.repeat(20)}`)).status).toBe(404)
    const { apiUrl } = platform.local()
    const minter = await tenant.call('POST', '/api/v1/keys', { name: 'minter', role: 'minter' })
    const lesser = asTenant(apiUrl, minter.json.apiKey)
    const id = await readyTitle()
    expect((await rekey(id)).status).toBe(202)
    expect((await lesser.call('POST', `/api/v1/assets/${id}/rekey`)).status).toBe(403)
  })

  test(`survive kill -9 of the app, and of everything, at any moment (SEED=${seed})`, {
    timeout: 600_000,
  }, async () => {
    const id = await readyTitle()
    const before = await portrait(tenant, id)
    changed.push({ id, before, names: await segments(id), generation: kills + 1 })
    const random = seeded(seed)
    const startedMs = Date.now()
    await rekey(id)
    await untilEdition(id, '1.1')
    const takesMs = Date.now() - startedMs
    for (let round = 2; round <= kills + 1; round++) {
      expect((await rekey(id)).json).toEqual({ assetId: id, generation: round })
      await sleep(random() * takesMs)
      await kill(round === 2 ? 'app' : 'all')
      await untilEdition(id, `1.${round}`)
      expect(await portrait(tenant, id), `SEED=${seed} round ${round}`).toEqual(before)
    }
  })

  test('once players of the former ones are done, these are gone for good', async () => {
    for (const { id, before, names, generation } of changed) {
      await expect
        .poll(() => envelopes(id), { timeout: retentionMs + 120_000, interval: 500 })
        .toEqual([`v1.${generation}`])
      expect(await segments(id)).toEqual(
        names.map((name) => name.replace('/plan/', `/plan/g${generation}/`)).toSorted(),
      )
      expect(await portrait(tenant, id)).toEqual(before)
    }
    const { apiUrl } = platform.local()
    for (const url of former) expect((await fetch(new URL(new URL(url).pathname, apiUrl))).status).toBe(404)
  })
})
