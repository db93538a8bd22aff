// What an admin grants and a tenant uses: limits that refuse with a reason, what is used beside them, and who changed what.
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { drawFilm } from '../support/film.ts'
import { wellBeforeMidnight } from '../support/in-time.ts'
import { fetch } from '../support/patience.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

const filmSeconds = 6
let platform: Platform
let folder: string
let film: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-tenants-'))
  film = join(folder, 'film.mp4')
  await drawFilm({ path: film, seconds: filmSeconds, frameRate: 25, size: '320x180' })
  platform = await startPlatform()
})
afterAll(async () => {
  await platform?.stop()
  await rm(folder, { recursive: true, force: true })
})

const admin = (method: string, path: string, body?: unknown) =>
  asTenant(platform.apiUrl, '').call(method, `/api/v1/${path}`, body, {
    'x-movidone-admin': platform.adminKey,
  })

async function newTenant(name: string): Promise<{ id: string; tenant: Tenant }> {
  const { json } = await admin('POST', 'tenants', { name })
  return { id: json.id, tenant: asTenant(platform.apiUrl, json.apiKey) }
}
/** Tenants are remembered for two seconds. */
async function limited(id: string, tenant: Tenant, limits: Record<string, number>): Promise<void> {
  expect((await admin('PATCH', `tenants/${id}`, { limits })).json.limits).toEqual(limits)
  const now = async () => (await tenant.call('GET', '/api/v1/usage')).json.limits
  await expect.poll(now).toEqual(limits)
}
const announce = (tenant: Tenant, sizeBytes: number) =>
  tenant.call('POST', '/api/v1/uploads', { fileName: 'film.mp4', sizeBytes })

describe('limits', () => {
  test('of titles and bytes refuse, say why, and make room when a title goes', async () => {
    const { id, tenant } = await newTenant('Limited')
    await limited(id, tenant, { titles: 2 })
    const first = await announce(tenant, 100)
    expect([first.status, (await announce(tenant, 100)).status]).toEqual([201, 201])
    const refused = await announce(tenant, 100)
    expect(refused).toMatchObject({ status: 403, json: { code: 'limit-reached' } })
    expect(refused.json.detail).toBe(
      'This tenant has 2 titles, and may have 2. Delete one, or ask the operator of this platform for a higher limit.',
    )
    expect((await tenant.call('DELETE', `/api/v1/assets/${first.json.assetId}`)).status).toBe(204)
    expect((await announce(tenant, 100)).status).toBe(201)

    await limited(id, tenant, { bytes: 250 })
    const large = await announce(tenant, 51)
    expect(large.json.detail).toMatch(/have 200 bytes, and may have 250; this one has 51/)
    expect((await announce(tenant, 50)).status).toBe(201)
    const { json } = await tenant.call('GET', '/api/v1/usage')
    expect(json).toEqual({ titles: 3, bytes: 250, encodedMinutes: 0, sessions: 0, limits: { bytes: 250 } })
    expect((await admin('GET', `tenants/${id}`)).json).toMatchObject({ id, name: 'Limited', usage: json })
  })

  test('of encoded film end a title before a frame is encoded; of sessions refuse a viewer', async () => {
    await wellBeforeMidnight(120_000)
    const { id, tenant } = await newTenant('Watched')
    const minutes = filmSeconds / 60
    await limited(id, tenant, { encodedMinutes: 1, sessions: 2 })
    const title = await tenant.upload(film)
    expect((await tenant.until(title, ({ state }) => state !== 'encoding')).error).toBeUndefined()
    expect((await tenant.call('GET', '/api/v1/usage')).json.encodedMinutes).toBeCloseTo(minutes, 1)

    await limited(id, tenant, { encodedMinutes: 0, sessions: 2 })
    const failed = await tenant.until(await tenant.upload(film), ({ state }) => state !== 'encoding')
    expect(failed).toMatchObject({ state: 'failed', playable: false, error: { code: 'cap-exceeded' } })
    expect(failed.error?.detail).toMatch(
      /0\.1\d* minutes of film were encoded in this month \(UTC\), 0 may be/,
    )

    await tenant.playback(title)
    const repeated = { 'idempotency-key': 'asked-for-twice' }
    const play = () => tenant.call('POST', `/api/v1/assets/${title}/playback`, {}, repeated)
    expect([(await play()).status, (await play()).status]).toEqual([201, 201])
    const refused = await tenant.call('POST', `/api/v1/assets/${title}/playback`, {})
    expect(refused).toMatchObject({ status: 403, json: { code: 'limit-reached' } })
    expect(refused.json.detail).toMatch(/^All 2 sessions of this day \(UTC\) are opened\./)
    // What was opened goes on.
    expect((await fetch((await play()).json.hlsUrl)).status).toBe(200)
    const usage = (await tenant.call('GET', '/api/v1/usage')).json
    expect(usage).toMatchObject({ titles: 2, sessions: 2 })
    expect(usage.encodedMinutes).toBeCloseTo(minutes, 1)
  })

  test('of a tenant are changed by admins alone, and well formed', async () => {
    const { id, tenant } = await newTenant('Bold')
    expect((await tenant.call('PATCH', '/api/v1/tenant', { name: 'Bolder' })).status).toBe(200)
    for (const body of [{ limits: { titles: 9 } }, { suspended: false }])
      expect((await tenant.call('PATCH', '/api/v1/tenant', body)).status).toBe(400)
    for (const limits of [{ titles: -1 }, { titles: 1.5 }, { films: 1 }])
      expect((await admin('PATCH', `tenants/${id}`, { limits })).status).toBe(400)
    expect((await admin('PATCH', 'tenants/ten_00000000000000000000', { limits: {} })).status).toBe(404)
    expect((await admin('GET', 'tenants/..')).status).toBe(404)
    const { items } = (await admin('GET', 'tenants')).json
    const times = items.map(({ createdAt }: { createdAt: string }) => createdAt)
    expect(times).toEqual([...times].sort())
    expect(items.find((one: { id: string }) => one.id === id)).toMatchObject({ name: 'Bolder', limits: {} })
    expect(JSON.stringify(items)).not.toMatch(/sha256|keys/)
  })
})

test('a tenant sets and removes the policy of all its sessions', async () => {
  const { tenant } = await newTenant('Strict')
  const policy = { countries: ['FR'], networks: ['203.0.113.0/24'], maxStreams: 2 }
  const change = (body: unknown) => tenant.call('PATCH', '/api/v1/tenant', body)
  expect((await change({ policy })).json.policy).toEqual(policy)
  expect((await change({ name: 'Stricter' })).json).toMatchObject({ name: 'Stricter', policy })
  for (const wrong of [
    { country: ['FR'] },
    { countries: ['fr'] },
    { networks: ['203.0.113.1/24'] },
    { maxStreams: 0 },
  ])
    expect((await change({ policy: wrong })).status).toBe(400)
  expect((await tenant.call('GET', '/api/v1/tenant')).json.policy).toEqual(policy)
  expect((await change({ policy: null })).json).not.toHaveProperty('policy')
})

test('the last owner’s key stays; other roles come and go', async () => {
  const { tenant } = await newTenant('Keyed')
  const add = async (role: string) => (await tenant.call('POST', '/api/v1/keys', { name: role, role })).json
  const minter = await add('minter')
  const { items } = (await tenant.call('GET', '/api/v1/keys')).json
  expect(items.map(({ role }: { role: string }) => role)).toEqual(['owner', 'minter'])
  const retire = (id: string) => tenant.call('DELETE', `/api/v1/keys/${id}`)
  expect(await retire(items[0].id)).toMatchObject({ status: 409, json: { code: 'conflict' } })
  expect((await retire(minter.id)).status).toBe(204)
  const owner = await add('owner')
  const second = asTenant(platform.apiUrl, owner.apiKey)
  expect((await second.call('DELETE', `/api/v1/keys/${items[0].id}`)).status).toBe(204)
  expect((await second.call('DELETE', `/api/v1/keys/${owner.id}`)).status).toBe(409)
  expect((await second.call('POST', '/api/v1/keys', { name: 'x', role: 'king' })).status).toBe(400)
  // A retired key is obeyed nowhere.
  await expect.poll(async () => (await tenant.call('GET', '/api/v1/tenant')).status).toBe(401)
})

describe('the audit', () => {
  interface Entry {
    action: string
    at: string
    who: { kind: string; keyId?: string; role?: string }
    params: Record<string, string>
    changes: Record<string, unknown>
    outcome?: { status: number; code?: string; made?: string }
  }
  const pages = async (tenant: Tenant, limit: number): Promise<Entry[][]> => {
    const all: Entry[][] = []
    let cursor = ''
    do {
      const { json } = await tenant.call(
        'GET',
        `/api/v1/audit?limit=${limit}${cursor && `&cursor=${cursor}`}`,
      )
      all.push(json.items)
      cursor = encodeURIComponent(json.cursor ?? '')
    } while (cursor)
    return all
  }

  test('tells its tenant who changed what, the newest first, and no secret', async () => {
    const { id, tenant } = await newTenant('Told')
    const added = (await tenant.call('POST', '/api/v1/keys', { name: 'uploads', role: 'uploader' })).json
    const uploader = asTenant(platform.apiUrl, added.apiKey)
    const { assetId } = (await announce(uploader, 7)).json
    await uploader.call('PATCH', `/api/v1/assets/${assetId}`, { title: 'Renamed' })
    // Refused before it could change anything, so there is nothing to tell.
    expect((await uploader.call('DELETE', `/api/v1/assets/${assetId}`)).status).toBe(403)
    await tenant.call('POST', '/api/v1/revocations', { viewer: 'ann@example.com' })
    await tenant.call('DELETE', '/api/v1/keys/key_00000000000000000000')
    await limited(id, tenant, { titles: 1 })

    const [entries, more] = await pages(tenant, 100)
    expect(more).toBeUndefined()
    const first = (entries ?? []).at(-1)?.who.keyId
    const owner = { kind: 'key', keyId: first, role: 'owner' }
    const byUploader = { kind: 'key', keyId: added.id, role: 'uploader' }
    const seen = entries?.map(({ action, who, params, changes, outcome }) => [
      action,
      who,
      params,
      changes,
      outcome,
    ])
    const admins = { kind: 'admin' }
    const announced = { fileName: '•••', sizeBytes: 7, protection: 'aes-128', profile: 'standard' }
    const unknown = { keyId: 'key_00000000000000000000' }
    expect(seen).toEqual([
      [
        'tenants-admin-change',
        admins,
        { tenantId: id },
        { limits: { titles: 1 } },
        { status: 200, made: id },
      ],
      ['tenants-keys-retire', owner, unknown, {}, { status: 404, code: 'not-found' }],
      ['protect-revoke', owner, {}, { viewer: '•••' }, { status: 204 }],
      ['assets-rename', byUploader, { assetId }, { title: 'Renamed' }, { status: 200, made: assetId }],
      ['upload-create', byUploader, {}, announced, { status: 201, made: assetId }],
      ['tenants-keys-add', owner, {}, { name: 'uploads', role: 'uploader' }, { status: 201, made: added.id }],
    ])
    expect(JSON.stringify(entries)).not.toMatch(/ann@example/)
    expect(JSON.stringify(entries)).not.toContain(added.apiKey.split('.')[2])

    const byThree = await pages(tenant, 3)
    expect(byThree.flat()).toEqual(entries)
    expect(byThree.every((page) => page.length <= 3)).toBe(true)
    expect((await admin('GET', `tenants/${id}/audit?limit=100`)).json.items).toEqual(entries)
  })

  test('of the platform tells who made which tenant', async () => {
    const { id } = await newTenant('Made')
    const { items } = (await admin('GET', 'audit/platform?limit=1')).json
    expect(items).toMatchObject([
      {
        action: 'tenants-create',
        who: { kind: 'admin' },
        changes: { name: 'Made' },
        outcome: { status: 201, made: id },
      },
    ])
  })
})

test('the lines of docs/2-tenants.md do what they say', async () => {
  const curl = spawnSync('curl', ['--version']).status === 0
  if (!curl) console.log('curl is not here (apt-get install curl): the lines of the docs are not tried.')
  expect(curl || process.env['CI'] !== 'true').toBe(true)
  if (!curl) return
  const page = await readFile(new URL('../../docs/2-tenants.md', import.meta.url), 'utf8')
  const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1])
  expect(blocks.length).toBeGreaterThan(5)
  await symlink(platform.folder, join(folder, '.movidone'))
  const lines = [...blocks, 'echo "TENANT=$TENANT"'].join('\n')
  const { status, stdout, stderr } = spawnSync('bash', ['-euc', lines], { cwd: folder, encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const { json } = await admin('GET', `tenants/${/TENANT=(\S+)/.exec(stdout)?.[1]}`)
  expect(json).toMatchObject({ name: 'Studio', limits: { titles: 100 } })
  expect(json).not.toHaveProperty('suspendedAt')
})
