// The KEK of one machine is rotated while the platform runs: a key is appended, all is wrapped anew, the old one goes.
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { drawFilm } from '../support/film.ts'
import { mediaPlaylist, mediaPlaylists } from '../support/hls.ts'
import { fetch } from '../support/patience.ts'
import {
  endAllPlatforms,
  type PlatformProcess,
  startPlatform,
  stateFolder,
} from '../support/platform-process.ts'
import { portrait } from '../support/portrait.ts'
import { seeded } from '../support/seeded.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const state = stateFolder()
const keyFile = join(state, 'kek.pem')

let folder: string
let platform: PlatformProcess
let tenant: Tenant
let adminKey: string
let assetId: string

async function begin(): Promise<void> {
  platform = startPlatform(state)
  const local = await platform.healthy()
  tenant = asTenant(local.apiUrl, local.tenant.apiKey)
  adminKey = local.adminKey
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-kek-'))
  const film = join(folder, 'film.mp4')
  await drawFilm({ path: film, seconds: 4, size: '320x180' })
  await begin()
  assetId = await tenant.upload(film)
  await tenant.until(assetId, ({ state: now }) => now === 'ready' || now === 'failed')
})
afterAll(async () => {
  await platform?.end('SIGINT')
  await endAllPlatforms()
  await rm(folder, { recursive: true, force: true })
})

interface Rewrap {
  readonly instanceId: string
  readonly kekId: string
  readonly remaining: number
}
const rewrap = () =>
  tenant.expectStatus<Rewrap>(
    202,
    tenant.call('POST', '/api/v1/rewrap', {}, { 'x-movidone-admin': adminKey }),
  )
const left = async () => (await rewrap()).remaining
/** One that is still under way would wrap by the key that is appended next. */
const untilRewrapped = () =>
  expect
    .poll(async () => {
      const path = '/runtime/webhooks/durabletask/instances/rewrap'
      return ((await (await fetch(`${platform.local().apiUrl}${path}`)).json()) as { runtimeStatus: string })
        .runtimeStatus
    })
    .toBe('Completed')

/** As docs/2-keys.md has it. */
const appendKey = () =>
  promisify(execFile)('sh', ['-c', 'openssl genrsa 3072 >> "$1"', 'sh', keyFile], { timeout: 200_000 })
const keysOfFile = async () =>
  (await readFile(keyFile, 'utf8')).match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? []

/** Names, ETags and times of all that lies in `media`. */
async function media(): Promise<string[]> {
  const port = platform.local().processes.find(({ name }) => name === 'storage')?.port
  const key = (await readFile(join(state, 'storage', 'account-key'), 'utf8')).trim()
  const credential = new StorageSharedKeyCredential('movidone', key)
  const service = new BlobServiceClient(`http://127.0.0.1:${port}/movidone`, credential)
  const seen: string[] = []
  for await (const { name, properties } of service.getContainerClient('media').listBlobsFlat())
    seen.push(`${name} ${properties.etag} ${properties.lastModified.toISOString()}`)
  return seen
}

test(`a key is appended, the app is killed while all is wrapped anew, and the old key may go (SEED=${seed})`, async () => {
  const before = await portrait(tenant, assetId)
  const blobs = await media()
  const session = await tenant.playback(assetId)
  const path = new URL(session.hlsUrl).pathname
  expect((await fetch(session.hlsUrl)).status).toBe(200)
  const first = await rewrap()
  expect(first).toEqual({ instanceId: 'rewrap', kekId: expect.stringMatching(/^file:/), remaining: 0 })
  await untilRewrapped()

  await appendKey()
  const second = await rewrap()
  expect(second.kekId).not.toBe(first.kekId)
  // The title's envelope and the platform's secret.
  expect(second.remaining).toBe(2)
  await sleep(seeded(seed)() * 150)
  const pid = platform.pidOf('functions')
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => platform.pidOf('functions')).not.toBe(pid)
  await platform.healthy()
  await expect.poll(left, { interval: 100 }).toBe(0)
  expect(await portrait(tenant, assetId)).toEqual(before)

  const [old = '', current = '', ...more] = await keysOfFile()
  expect([old.length > 0, current.length > 0, more]).toEqual([true, true, []])
  await writeFile(keyFile, current)
  await platform.end('SIGINT')
  await begin()
  expect(await portrait(tenant, assetId)).toEqual(before)
  // Whoever was watching goes on with the token that the same secret has signed.
  const [list = ''] = await mediaPlaylists(`${platform.local().apiUrl}${path}`)
  expect((await fetch((await mediaPlaylist(list)).segments[0] ?? '')).status).toBe(200)
  expect(await media()).toEqual(blobs)
  expect(await rewrap()).toEqual({ ...second, remaining: 0 })
})

test('a key that is taken away too early is named in the log, and all is well once it is back', async () => {
  const before = await portrait(tenant, assetId)
  const { kekId } = await rewrap()
  await untilRewrapped()
  await appendKey()
  const [old = '', current = ''] = await keysOfFile()
  await writeFile(keyFile, current)
  await platform.end('SIGINT')
  // It is healthy, but it can not open what the key that is gone has wrapped.
  await begin()
  expect((await tenant.call('POST', `/api/v1/assets/${assetId}/playback`, {})).status).toBe(500)
  expect((await rewrap()).remaining).toBe(2)
  const logged = () => readFile(join(state, 'logs', 'functions.log'), 'utf8')
  await expect.poll(logged).toContain('protect.rewrap-failed')
  expect(await logged()).toContain(`this was wrapped by ${kekId}: put that key back`)

  await writeFile(keyFile, old + current)
  expect(await portrait(tenant, assetId)).toEqual(before)
  await expect.poll(left, { interval: 100 }).toBe(0)
  await writeFile(keyFile, current)
  expect(await portrait(tenant, assetId)).toEqual(before)
})

test('the lines of docs/2-keys.md do what they say', async () => {
  const missing = ['curl', 'openssl'].filter((name) => spawnSync(name, ['--version']).error !== undefined)
  if (missing.length > 0) console.log(`${missing} is not here: the lines of the docs are not tried.`)
  expect(missing.length === 0 || process.env['CI'] !== 'true').toBe(true)
  if (missing.length > 0) return
  const before = await portrait(tenant, assetId)
  const { kekId } = await rewrap()
  const page = await readFile(new URL('../../docs/2-keys.md', import.meta.url), 'utf8')
  const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1])
  expect(blocks).toHaveLength(4)
  await symlink(state, join(folder, '.movidone'))
  const ran = await promisify(execFile)('bash', ['-euc', blocks.join('\n')], {
    cwd: folder,
    timeout: 200_000,
  })
  expect(ran.stdout).toContain(`{"assetId":"${assetId}","generation":1}`)
  expect((await rewrap()).kekId).not.toBe(kekId)
  expect(await keysOfFile()).toHaveLength(1)
  const [list = ''] = await mediaPlaylists((await tenant.playback(assetId)).hlsUrl)
  const edition = async () => (await mediaPlaylist(list)).text
  await expect.poll(edition).toContain('/1.1/0.m4s')
  expect(await portrait(tenant, assetId)).toEqual(before)
})
