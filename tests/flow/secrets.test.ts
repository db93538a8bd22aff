// Nothing that is secret lies anywhere: after a full run every store, log, file and command line is searched for it.
import {
  constants,
  createDecipheriv,
  createHmac,
  generateKeyPairSync,
  hkdfSync,
  privateDecrypt,
  randomBytes,
} from 'node:crypto'
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { processTable } from '../../host/platform/process-table.ts'
import { drawFilm } from '../support/film.ts'
import { type HeldFfmpeg, heldFfmpeg } from '../support/held-ffmpeg.ts'
import { type MediaPlaylist, mediaPlaylist, mediaPlaylists } from '../support/hls.ts'
import { fetch } from '../support/patience.ts'
import { endAllPlatforms, type PlatformProcess, startPlatform } from '../support/platform-process.ts'
import {
  filesBelow,
  found,
  type Needle,
  type Place,
  rowsBelow,
  spellings,
  textSpellings,
} from '../support/search.ts'
import { storedDocuments } from '../support/stored.ts'
import { asTenant, type Playback, type Tenant } from '../support/tenant.ts'

/** All that the platform writes, and what it believes to be the place for temporary files. */
let folder: string
let state: string
let platform: PlatformProcess
let tenant: Tenant
let held: HeldFfmpeg
let assetId: string
const commands = new Set<string>()
const texts: Array<[name: string, secret: string]> = []
const raws: Array<[name: string, secret: Buffer]> = []
const windows: Needle[] = []
const sealedWindows: Needle[] = []
const marker = `Märker ${randomBytes(12).toString('hex')}`

/** They hold what they are there to hold, for their owner's eyes alone. */
const excepted = ['state/local.json', 'state/kek.pem']

const bytesOf = async (url: string, headers: Record<string, string> = {}) => {
  const reply = await fetch(url, { headers })
  if (!reply.ok) throw new Error(`${reply.status}: ${await reply.text()}`)
  return Buffer.from(await reply.arrayBuffer())
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-secrets-'))
  state = join(folder, 'state')
  for (const name of ['state', 'tmp']) await mkdir(join(folder, name))
  held = heldFfmpeg(folder)
  platform = startPlatform(state, {
    env: { ...held.env, TMPDIR: join(folder, 'tmp'), KEY_RETENTION_HOURS: '0.0005' },
  })
  const { apiUrl, adminKey, tenant: own } = await platform.healthy()
  tenant = asTenant(apiUrl, own.apiKey)
  texts.push(['the admin key', adminKey], ["the tenant's API key", own.apiKey.split('.')[2] ?? ''])
  const watching = setInterval(watchCommands, 60)
  await live(apiUrl, adminKey).finally(() => clearInterval(watching))
})
afterAll(async () => {
  await platform?.end('SIGINT')
  await endAllPlatforms()
  await rm(folder, { recursive: true, force: true })
})

/** What any user of this machine can read of the platform and of whatever it started. */
function watchCommands(): void {
  const listed = new Set(platform.local().processes.map(({ pid }) => pid))
  for (const { pid, group, command } of processTable())
    if (listed.has(pid) || listed.has(group)) commands.add(command)
}

async function live(apiUrl: string, adminKey: string): Promise<void> {
  const admin = { 'x-movidone-admin': adminKey }
  const made = await tenant.expectStatus<{ apiKey: string }>(
    201,
    tenant.call('POST', '/api/v1/tenants', { name: 'Second' }, admin),
  )
  const added = await tenant.expectStatus<{ id: string; apiKey: string }>(
    201,
    tenant.call('POST', '/api/v1/keys', { name: 'added' }, { 'idempotency-key': 'once-and-again' }),
  )
  texts.push(["another tenant's API key", made.apiKey.split('.')[2] ?? ''])
  texts.push(['an API key that was added', added.apiKey.split('.')[2] ?? ''])
  expect((await asTenant(apiUrl, added.apiKey).call('GET', '/api/v1/tenant')).status).toBe(200)
  await tenant.expectStatus(204, tenant.call('DELETE', `/api/v1/keys/${added.id}`))
  // Registered and gone again before there is anything to tell it.
  const hook = await tenant.expectStatus<{ id: string; secret: string }>(
    201,
    tenant.call('POST', '/api/v1/webhooks', { url: 'https://hooks.example.com/a' }),
  )
  texts.push(['the secret of a webhook', hook.secret.replace(/^whsec_/, '')])
  await tenant.expectStatus(204, tenant.call('DELETE', `/api/v1/webhooks/${hook.id}`))

  const film = join(folder, 'film.mp4')
  await drawFilm({ path: film, seconds: 8, frameRate: 12.5, size: '320x180' })
  const source = await readFile(film)
  await rm(film)
  sealedWindows.push({ name: 'the source', bytes: middle(source) })
  // An encoder waits until its command line was seen.
  held.hold()
  assetId = await tenant.upload(source, { title: 'Secret' })
  await until(async () => [...commands].some((command) => command.includes('libx264')))
  held.release()
  await tenant.until(assetId, ({ state: now }) => now === 'ready' || now === 'failed')

  await watch(await tenant.playback(assetId, { viewer: 'viewer@example.com' }), 0)
  await follow(apiUrl)
  await beRefused(apiUrl, added.apiKey)
  await tenant.expectStatus(202, tenant.call('POST', `/api/v1/assets/${assetId}/rekey`))
  await untilEdition('1.1')
  await watch(await tenant.playback(assetId), 1)
  await rotateKek(admin)
  const ended = await tenant.playback(assetId, { viewer: 'viewer@example.com' })
  expect((await fetch(ended.hlsUrl)).status).toBe(200)
  await tenant.expectStatus(204, tenant.call('DELETE', `/api/v1/sessions/${ended.sessionId}`))
  await tenant.expectStatus(204, tenant.call('POST', '/api/v1/revocations', { viewer: 'viewer@example.com' }))
  texts.push(['the token of a session that was ended', ended.token.split('.')[3] ?? ''])
  texts.push(['the name of a viewer', 'viewer@example.com'])
  await ownSecrets(ended.token)
  await tenant.expectStatus(200, tenant.call('PATCH', `/api/v1/assets/${assetId}`, { title: marker }))
}

const middle = (bytes: Buffer): Buffer => bytes.subarray(bytes.length >> 1, (bytes.length >> 1) + 64)

/** As a player: every playlist, key and segment. */
async function watch(playback: Playback, generation: number): Promise<void> {
  texts.push([`a session token of generation ${generation}`, playback.token.split('.')[3] ?? ''])
  const lists = await Promise.all((await mediaPlaylists(playback.hlsUrl)).map(mediaPlaylist))
  for (const { keyUrl, segments, ivs } of lists) {
    const key = await bytesOf(keyUrl)
    raws.push([`a content key of generation ${generation}`, key])
    for (const [n, url] of segments.entries()) {
      const sealed = await bytesOf(url)
      const decipher = createDecipheriv('aes-128-cbc', key, Buffer.from(ivs[n] ?? '', 'hex'))
      const clear = Buffer.concat([decipher.update(sealed), decipher.final()])
      windows.push({ name: `segment ${new URL(url).pathname.slice(-14)} in clear`, bytes: middle(clear) })
      if (generation === 1) sealedWindows.push({ name: 'a sealed segment', bytes: middle(sealed) })
    }
  }
}

/** A grant of the platform's, and the session that it opens. */
async function follow(apiUrl: string): Promise<void> {
  const minted = tenant.call('POST', `/api/v1/assets/${assetId}/grants`, { viewer: 'viewer@example.com' })
  const { grant, hlsUrl } = await tenant.expectStatus<{ grant: string; hlsUrl: string }>(201, minted)
  const reply = await fetch(hlsUrl, { redirect: 'manual' })
  expect(reply.status).toBe(302)
  const location = new URL(reply.headers.get('location') ?? '', apiUrl)
  expect((await fetch(location)).status).toBe(200)
  texts.push(
    ['a grant', grant.split('.')[2] ?? ''],
    ['the token of a grant', location.pathname.split('.')[3]?.split('/')[0] ?? ''],
  )
  expect((await fetch(`${apiUrl}/api/v1/play/${grant}/poster.jpg`)).status).toBe(403)
}

/** What is refused is not written down either, wherever in a request it stands. */
async function beRefused(apiUrl: string, retiredKey: string): Promise<void> {
  const { token } = await tenant.playback(assetId)
  const forged = `${token.slice(0, -8)}AAAAAAAA`
  texts.push(
    ['a token in odd places', token.split('.')[3] ?? ''],
    ['a forged token', forged.split('.')[3] ?? ''],
  )
  const statuses: number[] = []
  for (const path of [
    `play/${forged}/master.m3u8`,
    `play/${token}/keys/${'0'.repeat(32)}`,
    `play/${token}/../../nowhere?token=${token}`,
    `play/nobody/master.m3u8?token=${token}&key=${retiredKey}`,
    `assets/${token}?key=${retiredKey}`,
    `nowhere/${token}/${retiredKey}`,
  ])
    statuses.push((await fetch(`${apiUrl}/api/v1/${path}`, { headers: { 'x-api-key': retiredKey } })).status)
  statuses.push((await asTenant(apiUrl, retiredKey).call('GET', '/api/v1/assets')).status)
  statuses.push((await asTenant(apiUrl, token).call('POST', '/api/v1/uploads', { fileName: token })).status)
  expect(statuses.filter((status) => status < 400)).toEqual([])
  expect(new Set(statuses).size).toBeGreaterThan(2)
}

async function until(so: () => Promise<boolean>): Promise<void> {
  for (const endMs = Date.now() + 100_000; !(await so()); await sleep(100))
    if (Date.now() > endMs) throw new Error('not so after 100 s')
}

async function untilEdition(edition: string): Promise<void> {
  const { hlsUrl } = await tenant.playback(assetId)
  const list = async (): Promise<MediaPlaylist> => mediaPlaylist((await mediaPlaylists(hlsUrl))[0] ?? '')
  await until(async () => (await list()).text.includes(`/${edition}/0.m4s`))
}

async function rotateKek(admin: Record<string, string>): Promise<void> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072 })
  await appendFile(join(state, 'kek.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const ask = () =>
    tenant.expectStatus<{ remaining: number }>(202, tenant.call('POST', '/api/v1/rewrap', {}, admin))
  expect((await ask()).remaining).toBeGreaterThan(0)
  await until(async () => (await ask()).remaining === 0)
}

/** The platform's root secret and what is derived of it, by other means than the application's own. */
async function ownSecrets(token: string): Promise<void> {
  const pem = await readFile(join(state, 'kek.pem'), 'utf8')
  const keys = pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []
  expect(keys).toHaveLength(2)
  const { wrapped } = await platformEnvelope()
  const key = { key: keys[1] ?? '', padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
  const root = privateDecrypt(key, Buffer.from(wrapped, 'base64'))
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', root, '', `movidone\0${purpose}`, 32))
  const signed = token.slice(0, token.lastIndexOf('.'))
  const mac = createHmac('sha256', derive('session-token')).update(signed).digest('base64url')
  // So these are the secrets that count.
  expect(`${signed}.${mac}`).toBe(token)
  raws.push(["the platform's secret", root])
  for (const purpose of [
    'session-token',
    'viewer',
    'client',
    'grant',
    'grant-session',
    'idempotency',
    'webhook',
  ])
    raws.push([`the secret of ${purpose}`, derive(purpose)])
  for (const [n, each] of keys.entries()) texts.push([`KEK ${n}`, each.split('\n')[5] ?? ''])
}

async function platformEnvelope(): Promise<{ wrapped: string }> {
  const all = await storedDocuments<{ id: string; wrapped: string }>(platform, 'keys', 'platform')
  const envelope = all.find(({ id }) => id === 'p1')
  if (!envelope) throw new Error('the platform has no envelope of its own')
  return envelope
}

const needles = (): Needle[] => [
  ...raws.flatMap(([name, secret]) => spellings(name, secret)),
  ...texts.flatMap(([name, secret]) => textSpellings(name, secret)),
]
const places = (): Place[] => [
  ...filesBelow(folder).filter(({ name }) => !excepted.includes(name)),
  { name: 'what it printed', bytes: Buffer.from(platform.printed()) },
  { name: 'its command lines', bytes: Buffer.from([...commands].join('\n')) },
]
const whereIs = (needle: string | Buffer) =>
  found(places(), [{ name: 'it', bytes: Buffer.from(needle) }]).map((hit) => hit.slice('it in '.length))

describe('the search', () => {
  test('finds what was written in a file of each kind', () => {
    const kinds: Array<[string, RegExp]> = [
      [marker, /^state\/cosmos\/.*-wal$/],
      [assetId, /^state\/cosmos\/cosmos\.db(-wal)?$/],
      [`rekey-${assetId}-v1.1`, /^state\/functions\/durable\/durable\.sqlite(-wal)?$/],
      [`${assetId}/v1/timeline-g1.json`, /^state\/storage\/.*/],
      [assetId, /^state\/logs\/functions\.log$/],
      ['host/main.ts', /^its command lines$/],
      ['-nostdin', /^its command lines$/],
      ['functions', /^what it printed$/],
    ]
    for (const [text, kind] of kinds) expect(whereIs(text), text).toContainEqual(expect.stringMatching(kind))
    expect(sealedWindows.length).toBeGreaterThan(3)
    for (const { bytes } of sealedWindows)
      expect(whereIs(bytes)).toContainEqual(expect.stringMatching(/^state\/storage\//))
  })

  test('finds a secret however it is spelled, and wherever it stands in what is', async () => {
    const secret = randomBytes(16)
    const around = (n: number) => Buffer.concat([randomBytes(n), secret, randomBytes(7 - n)])
    const written = [
      secret,
      ...[secret.toString('hex'), secret.toString('hex').toUpperCase()],
      ...[0, 1, 2, 5].flatMap((n) => [around(n).toString('base64'), around(n).toString('base64url')]),
    ]
    for (const [n, each] of written.entries()) {
      const file = join(folder, 'tmp', `planted-${n}`)
      await writeFile(file, Buffer.concat([randomBytes(4099), Buffer.from(each), randomBytes(100)]))
      const hits = found(places(), spellings('planted', secret))
      expect(hits, String(each)).toContainEqual(expect.stringContaining(`in tmp/planted-${n}`))
      await rm(file)
    }
    expect(found(places(), spellings('planted', secret))).toEqual([])
  })
})

describe('nothing secret lies', () => {
  test('in any file, log, store or command line, while it runs', () => {
    expect(raws.length).toBeGreaterThan(10)
    for (const [name, secret] of texts) expect(secret.length, name).toBeGreaterThan(16)
    for (const [name, secret] of raws) expect(secret.length, name).toBeGreaterThanOrEqual(16)
    expect(new Set(raws.map(([, secret]) => secret.toString('hex'))).size).toBe(raws.length)
    expect(found(places(), needles())).toEqual([])
  })

  test('and no segment lies anywhere in clear', () => {
    expect(windows.length).toBeGreaterThan(8)
    for (const { bytes } of windows) expect(bytes).toHaveLength(64)
    expect(found(places(), windows)).toEqual([])
  })

  test('but in the two files that are for it, which nobody else can read', async () => {
    for (const name of excepted) expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600)
    const [local = '', kek = ''] = await Promise.all(
      excepted.map((name) => readFile(join(folder, name), 'utf8')),
    )
    const byName = new Map(texts)
    expect(local).toContain(byName.get('the admin key'))
    expect(kek).toContain(byName.get('KEK 1'))
  })

  test('nor in any row, log or file once it has ended', async () => {
    await platform.end('SIGINT')
    const rows = rowsBelow(state)
    const tables = new Set(rows.map(({ name }) => name))
    expect(rows.length).toBeGreaterThan(50)
    expect([...tables].join()).toMatch(/durable.*table history/)
    const inRows = (text: string) => found(rows, [{ name: '', bytes: Buffer.from(text) }])
    expect(inRows(marker).length).toBeGreaterThan(0)
    expect(inRows(`rekey-${assetId}-v1.1`).length).toBeGreaterThan(0)
    expect(found([...rows, ...places()], [...needles(), ...windows])).toEqual([])
  })
})
