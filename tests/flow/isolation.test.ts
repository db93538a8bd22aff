// Tenants do not see each other, and a key does what its role says: every route of the contract is walked, with ids that are there.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import contract from '../../openapi.json' with { type: 'json' }
import { drawFilm } from '../support/film.ts'
import { heldFfmpeg } from '../support/held-ffmpeg.ts'
import { mediaPlaylist, mediaPlaylists } from '../support/hls.ts'
import { fetch } from '../support/patience.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { asTenant, type Playback, type Tenant } from '../support/tenant.ts'
import { type Ids, type Scene, type Walk, walks } from '../support/walks.ts'

const roles = ['owner', 'uploader', 'minter', 'statistics'] as const

interface Operation {
  readonly method: string
  readonly path: string
  readonly where: string
  readonly auth: string
  readonly roles: readonly string[] | undefined
}

const operations: Operation[] = Object.entries(contract.paths).flatMap(([path, methods]) =>
  Object.entries(methods as Record<string, { security?: object[]; 'x-roles'?: string[] }>).map(
    ([method, one]) => ({
      method: method.toUpperCase(),
      path,
      where: `${method.toUpperCase()} ${path}`,
      auth: Object.keys(one.security?.[0] ?? {})[0] ?? 'none',
      roles: one['x-roles'],
    }),
  ),
)
const walkOf = ({ where }: Operation): Walk => {
  const walk = walks[where]
  if (!walk) throw new Error(`${where} is not in tests/support/walks.ts: say there how it is walked`)
  return walk
}
const ofTenants = operations.filter(({ auth }) => auth === 'tenant')
const ofAdmins = operations.filter(({ auth }) => auth === 'admin')

let platform: Platform
let folder: string
let scene: Scene
let playback: Playback
let stranger: Tenant
let strangerPlayback: Playback
const keys: Partial<Record<(typeof roles)[number], Tenant>> = {}
/** Whatever names a thing of the owner's; none of it may stand in a stranger's answer. */
const telling: string[] = []

async function newTenant(name: string): Promise<{ id: string; tenant: Tenant }> {
  const headers = { 'x-movidone-admin': platform.adminKey, 'content-type': 'application/json' }
  const body = JSON.stringify({ name })
  const reply = await fetch(`${platform.apiUrl}/api/v1/tenants`, { method: 'POST', headers, body })
  const { id, apiKey } = (await reply.json()) as { id: string; apiKey: string }
  return { id, tenant: asTenant(platform.apiUrl, apiKey) }
}

async function withTitle(tenant: Tenant, title: string): Promise<string> {
  const id = await tenant.upload(join(folder, 'film.mp4'), { title })
  const asset = await tenant.until(id, ({ state }) => state === 'ready' || state === 'failed')
  expect(asset.error).toBeUndefined()
  return id
}

const idOf = async (tenant: Tenant, path: string, body: object): Promise<string> =>
  (await tenant.expectStatus<{ id: string }>(201, tenant.call('POST', path, body))).id

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-isolation-'))
  await drawFilm({ path: join(folder, 'film.mp4'), seconds: 4, frameRate: 25, size: '320x180' })
  const held = heldFfmpeg(folder)
  platform = await startPlatform({ env: { ...held.env, TENANT_REQUESTS_PER_SECOND: '500', EDGE_NODES: '1' } })
  const { id: tenantId, tenant: owner } = await newTenant('Secret Pictures')
  stranger = (await newTenant('Strangers')).tenant
  const [assetId, strangersAsset] = [
    await withTitle(owner, 'Unreleased'),
    await withTitle(stranger, 'Their own'),
  ]
  // What is encoded anew from here on is still under way when somebody cancels it.
  held.hold()
  playback = await owner.playback(assetId, { viewer: 'Ann, a viewer' })
  strangerPlayback = await stranger.playback(strangersAsset)
  for (const role of roles) {
    const added = owner.call('POST', '/api/v1/keys', { name: `key of ${role}`, role })
    const { apiKey } = await owner.expectStatus<{ apiKey: string }>(201, added)
    keys[role] = asTenant(platform.apiUrl, apiKey)
  }
  const { publicKey } = generateKeyPairSync('ed25519')
  const pem = publicKey.export({ type: 'spki', format: 'pem' })
  const ids = {
    tenantId,
    assetId,
    sessionId: playback.sessionId,
    keyId: await idOf(owner, '/api/v1/keys', { name: 'kept', role: 'statistics' }),
    signingKeyId: await idOf(owner, '/api/v1/signing-keys', { name: 'kept', publicKey: pem }),
  }
  const upload = await owner.call('POST', '/api/v1/uploads', { fileName: 'waits.mp4', sizeBytes: 10 })
  const { json } = await owner.call('POST', `/api/v1/assets/${assetId}/grants`, {})
  // The pool is nobody's.
  scene = { owner, ids: { ...ids, pool: 'edge' }, uploading: upload.json.assetId, grant: json.grant }
  // Somebody plays, for whoever lists that.
  expect((await fetch(playback.hlsUrl)).status).toBe(200)
  telling.push(
    ...Object.values(ids),
    scene.uploading,
    'Secret Pictures',
    'Unreleased',
    'key of ',
    'Ann, a viewer',
  )
})
afterAll(async () => {
  await platform?.stop()
  await rm(folder, { recursive: true, force: true })
})

const filled = (path: string, ids: Ids): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const id = ids[name]
    if (!id) throw new Error(`{${name}} is not among the ids of the scene`)
    return id
  })

interface Request {
  readonly method: string
  readonly path: string
  readonly body: unknown
}

/** The request as it succeeds for the owner. */
async function requestOf(operation: Operation): Promise<Request> {
  const walk = walkOf(operation)
  const made = await walk.make?.(scene)
  const path = filled(operation.path, { ...scene.ids, ...made?.ids })
  telling.push(...Object.values(made?.ids ?? {}))
  const body = ['GET', 'DELETE'].includes(operation.method)
    ? undefined
    : { ...walk.body?.(scene), ...made?.body }
  return { method: operation.method, path, body }
}
const sent = (tenant: Tenant, { method, path, body }: Request, headers: Record<string, string> = {}) =>
  tenant.call(method, path, body, headers)
const successOf = (operation: Operation): number => walkOf(operation).success ?? 200

/** What of the owner's an answer tells; a stranger's own audit repeats the ids that it tried itself. */
function told(json: unknown): string[] {
  const own = new Set(['params', 'changes'])
  const text = JSON.stringify(json ?? '', (name, value: unknown) => (own.has(name) ? undefined : value))
  return telling.filter((secret) => text.includes(secret))
}

test('every route of the contract is walked as it says: a new one must be added here', () => {
  expect(operations.map(({ where }) => where).sort()).toEqual(Object.keys(walks).sort())
  for (const operation of operations) {
    const walk = walkOf(operation)
    expect([operation.where, operation.auth]).toEqual([operation.where, walk.auth])
    const allowed = operation.auth === 'tenant' ? ['owner', ...(walk.roles ?? [])] : undefined
    expect([operation.where, operation.roles]).toEqual([operation.where, allowed])
  }
})

describe('another tenant', () => {
  const strangers = (operation: Operation): number =>
    walkOf(operation).stranger ?? (/\{/.test(operation.path) ? 404 : successOf(operation))

  test.each(ofTenants)('$where', async (operation) => {
    const request = await requestOf(operation)
    const answer = await sent(stranger, request)
    expect(answer.status).toBe(strangers(operation))
    walkOf(operation).strangerSees?.(answer.json)
    expect(told(answer.json)).toEqual([])
    // The very request was good, and what it asks for is still there.
    expect((await sent(scene.owner, request)).status).toBe(successOf(operation))
  })

  test('sees its own in every list', async () => {
    for (const path of ['assets', 'keys', 'audit']) {
      const { json } = await stranger.call('GET', `/api/v1/${path}`)
      expect([json.items.length > 0, told(json)], path).toEqual([true, []])
    }
    expect((await fetch(playback.hlsUrl)).status).toBe(200)
    // The same lists tell their owner what they must not tell anybody else.
    for (const path of ['assets', 'keys', 'signing-keys', 'sessions', 'tenant'])
      expect(told((await scene.owner.call('GET', `/api/v1/${path}`)).json), path).not.toEqual([])
    expect((await stranger.call('GET', '/api/v1/usage')).json.titles).toBeGreaterThan(0)
  })

  test('can not name a tenant, or its things, in a body or a query', async () => {
    const { ids } = scene
    const tried = [
      ['GET', `/api/v1/assets?tenantId=${ids['tenantId']}`],
      ['GET', `/api/v1/sessions?viewer=ann&tenantId=${ids['tenantId']}`],
      ['GET', `/api/v1/audit?tenantId=${ids['tenantId']}`],
      ['GET', `/api/v1/usage?tenantId=${ids['tenantId']}`],
    ] as const
    for (const [method, path] of tried) {
      const answer = await stranger.call(method, path)
      expect([path, told(answer.json)]).toEqual([path, []])
    }
    for (const body of [{ assetId: ids['assetId'] }, { signingKeyId: ids['signingKeyId'] }])
      expect((await stranger.call('POST', '/api/v1/revocations', body)).status).toBe(404)
    // A viewer's name belongs to whoever says it: the owner's viewer of that name goes on.
    expect((await stranger.call('POST', '/api/v1/revocations', { viewer: 'Ann, a viewer' })).status).toBe(204)
    expect((await fetch(playback.hlsUrl)).status).toBe(200)
  })

  test('is let in nowhere by a cursor of the owner’s', async () => {
    await scene.owner.call('POST', '/api/v1/uploads', { fileName: 'b.mp4', sizeBytes: 1 })
    for (const path of ['assets', 'audit']) {
      const { json } = await scene.owner.call('GET', `/api/v1/${path}?limit=1`)
      expect(json.cursor, path).toBeTypeOf('string')
      const cursor = encodeURIComponent(json.cursor)
      const next = await scene.owner.call('GET', `/api/v1/${path}?limit=1&cursor=${cursor}`)
      expect(next.json.items, path).toHaveLength(1)
      const answer = await stranger.call('GET', `/api/v1/${path}?limit=100&cursor=${cursor}`)
      expect([200, 400], path).toContain(answer.status)
      expect([path, told(answer.json)]).toEqual([path, []])
    }
  })
})

describe('a role', () => {
  test.each(ofTenants)('$where', async (operation) => {
    for (const role of roles) {
      const key = keys[role] as Tenant
      const request = await requestOf(operation)
      const answer = await sent(key, request)
      const allowed = operation.roles?.includes(role)
      expect([role, answer.status]).toEqual([role, allowed ? successOf(operation) : 403])
      if (!allowed) expect([role, answer.json.code]).toEqual([role, 'forbidden'])
    }
  })

  test('below an owner’s revokes no signing key, and gives nobody a key', async () => {
    const body = { signingKeyId: scene.ids['signingKeyId'] }
    expect((await keys.minter?.call('POST', '/api/v1/revocations', body))?.status).toBe(403)
    expect((await scene.owner.call('POST', '/api/v1/revocations', body)).status).toBe(204)
  })
})

describe('an admin’s route', () => {
  test.each(ofAdmins)('$where', async (operation) => {
    const request = await requestOf(operation)
    const admin = { 'x-movidone-admin': platform.adminKey }
    const nobody = asTenant(platform.apiUrl, '')
    for (const key of [...Object.values(keys), scene.owner, stranger, nobody])
      expect((await sent(key, request)).status).toBe(401)
    const wrong = { 'x-movidone-admin': `${platform.adminKey}x` }
    expect((await sent(nobody, request, wrong)).status).toBe(401)
    expect((await sent(nobody, request, admin)).status).toBe(successOf(operation))
  })
})

test('without a key, with a wrong one or an admin’s: 401 on every route of tenants', async () => {
  const [id = '', keyId = '', secret = ''] = platform.tenant.apiKey.split('.')
  const admin = { 'x-movidone-admin': platform.adminKey }
  const wrong = [
    '',
    'x',
    `${id}.${keyId}.${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`,
    `${scene.ids['tenantId']}.${keyId}.${secret}`,
  ]
  expect((await asTenant(platform.apiUrl, platform.tenant.apiKey).call('GET', '/api/v1/tenant')).status).toBe(
    200,
  )
  for (const operation of ofTenants) {
    const request = await requestOf(operation)
    for (const key of wrong)
      expect([operation.where, (await sent(asTenant(platform.apiUrl, key), request, admin)).status]).toEqual([
        operation.where,
        401,
      ])
  }
})

test('below play/ the one refusal answers whatever is asked, and a stranger’s token opens nothing of the owner’s', async () => {
  const [list = ''] = await mediaPlaylists(playback.hlsUrl)
  const { segments } = await mediaPlaylist(list)
  const theirs = [playback.hlsUrl, list, segments[0] ?? ''].map(
    (url) => url.split(`${playback.token}/`)[1] ?? '',
  )
  for (const url of [playback.hlsUrl, strangerPlayback.hlsUrl]) expect((await fetch(url)).status).toBe(200)
  const refusal = async (path: string) => {
    const reply = await fetch(`${platform.apiUrl}/api/v1/play/${path}`)
    const { instance: _, ...json } = (await reply.json()) as Record<string, unknown>
    return [reply.status, json]
  }
  const expected = await refusal('x/master.m3u8')
  expect(expected).toMatchObject([403, { code: 'playback-refused' }])
  const { assetId, sessionId } = scene.ids
  for (const token of [assetId, sessionId, scene.grant.slice(0, -1), `${playback.token.slice(0, -1)}`])
    for (const path of [...theirs, 'keys/00000000000000000000000000000000', 'poster.jpg', 'a/b/c'])
      expect([path, await refusal(`${token}/${path}`)]).toEqual([path, expected])
  // A token leads into its own title alone: an edition and a key that belong to another one are not there.
  const text = await (await fetch(list)).text()
  const key = /keys\/([0-9a-f]{32})/.exec(text)?.[0] ?? 'no key'
  expect((await fetch(`${platform.apiUrl}/api/v1/play/${playback.token}/${key}`)).status).toBe(200)
  expect(
    (await fetch(`${platform.apiUrl}/api/v1/play/${strangerPlayback.token}/${key}`)).status,
  ).toBeGreaterThanOrEqual(400)
})

test('a suspended tenant opens nothing and plays nothing, within five seconds, until it is let go on', async () => {
  const admin = { 'x-movidone-admin': platform.adminKey }
  const order = (suspended: boolean) =>
    asTenant(platform.apiUrl, '').call(
      'PATCH',
      `/api/v1/tenants/${scene.ids['tenantId']}`,
      { suspended },
      admin,
    )
  const statuses = async () => [
    (await scene.owner.call('GET', '/api/v1/assets')).status,
    (await fetch(playback.hlsUrl)).status,
    (await stranger.call('GET', '/api/v1/assets')).status,
  ]
  expect(await statuses()).toEqual([200, 200, 200])
  expect((await order(true)).json.suspendedAt).toBeTypeOf('string')
  await expect.poll(statuses).toEqual([403, 403, 200])
  const refused = await scene.owner.call('GET', '/api/v1/assets')
  expect(refused.json).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('suspended') })
  expect((await order(false)).json.suspendedAt).toBeUndefined()
  await expect.poll(statuses).toEqual([200, 200, 200])
})
