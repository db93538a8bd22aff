// The API as a tenant's backend meets it: keys come and go, repeated requests answer the same, uploads go on where they were.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Platform, startPlatform } from '../support/platform.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

let platform: Platform
let tenant: Tenant

beforeAll(async () => {
  platform = await startPlatform({
    env: { UPLOAD_URL_SECONDS: '60', MOVIDONE_UPLOAD_ORIGINS: 'https://portal.example' },
  })
  tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
})
afterAll(() => platform?.stop())

const admin = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${platform.apiUrl}/api/v1/tenants`, {
    method: 'POST',
    headers: { 'x-movidone-admin': platform.adminKey, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

describe('keys', () => {
  test('an admin makes a tenant, its key works, and the first key can not be the last to go', async () => {
    const made = await admin({ name: 'Studio' })
    expect(made.status).toBe(201)
    const { id, apiKey } = (await made.json()) as { id: string; apiKey: string }
    expect(apiKey.startsWith(`${id}.key_`)).toBe(true)
    const studio = asTenant(platform.apiUrl, apiKey)
    expect((await studio.call('GET', '/api/v1/tenant')).json).toMatchObject({ id, name: 'Studio' })

    const second = await studio.call('POST', '/api/v1/keys', { name: 'rotation' })
    expect(second.status).toBe(201)
    const rotated = asTenant(platform.apiUrl, second.json.apiKey)
    expect((await rotated.call('GET', '/api/v1/tenant')).status).toBe(200)
    const { json } = await rotated.call('GET', '/api/v1/keys')
    expect(JSON.stringify(json)).not.toContain('sha256')
    const first = json.items.find((key: { name: string }) => key.name === 'first').id
    expect((await rotated.call('DELETE', `/api/v1/keys/${first}`)).status).toBe(204)
    await expect.poll(async () => (await studio.call('GET', '/api/v1/tenant')).status).toBe(401)
    expect((await rotated.call('DELETE', `/api/v1/keys/${second.json.id}`)).status).toBe(409)
  })

  test('without the admin key nobody makes a tenant', async () => {
    expect((await admin({ name: 'x' }, { 'x-movidone-admin': 'guess' })).status).toBe(401)
    expect((await admin({})).status).toBe(400)
  })
})

describe('a repeated request', () => {
  const headers = { 'idempotency-key': 'retry-of-a-lost-answer' }

  test('makes a tenant once, with the same key', async () => {
    const [one, two] = await Promise.all([admin({ name: 'Once' }, headers), admin({ name: 'Once' }, headers)])
    const answers = [await one.json(), await two.json()] as Array<{ id: string; apiKey: string }>
    expect(answers[0]).toEqual(answers[1])
    const once = asTenant(platform.apiUrl, answers[0]?.apiKey ?? '')
    expect((await once.call('GET', '/api/v1/tenant')).status).toBe(200)
    const other = await admin({ name: 'Another' }, headers)
    expect(other.status).toBe(422)
    expect(await other.json()).toMatchObject({ code: 'idempotency-mismatch' })
  })

  test('announces a film once', async () => {
    const ask = { fileName: 'film.mp4', sizeBytes: 100 }
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => tenant.call('POST', '/api/v1/uploads', ask, headers)),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    expect(new Set(answers.map(({ json }) => json.assetId)).size).toBe(1)
    const changed = await tenant.call('POST', '/api/v1/uploads', { ...ask, sizeBytes: 101 }, headers)
    expect(changed.status).toBe(422)
    const { json } = await tenant.call('GET', '/api/v1/assets')
    expect(json.items.filter((asset: { id: string }) => asset.id === answers[0]?.json.assetId)).toHaveLength(
      1,
    )
  })

  test('gives no URL to write over what was completed', async () => {
    const late = { 'idempotency-key': 'retry-after-complete' }
    const ask = { fileName: '.mp4', sizeBytes: 3 }
    const { json } = await tenant.call('POST', '/api/v1/uploads', ask, late)
    expect((await tenant.call('POST', '/api/v1/uploads', ask, late)).json.assetId).toBe(json.assetId)
    expect((await tenant.call('GET', `/api/v1/assets/${json.assetId}`)).json.title).toBe('.mp4')
    const headers = { 'x-ms-blob-type': 'BlockBlob' }
    expect((await fetch(json.uploadUrl, { method: 'PUT', headers, body: 'abc' })).status).toBe(201)
    expect((await tenant.call('POST', `/api/v1/uploads/${json.assetId}/complete`)).status).toBe(202)
    const repeated = await tenant.call('POST', '/api/v1/uploads', ask, late)
    expect(repeated).toMatchObject({ status: 409, json: { code: 'upload-closed' } })
  })

  test('adds a key once', async () => {
    const [one, two] = await Promise.all(
      [1, 2].map(() => tenant.call('POST', '/api/v1/keys', { name: 'k' }, headers)),
    )
    expect(one?.json).toEqual(two?.json)
  })
})

describe('an upload', () => {
  const open = async (sizeBytes: number) =>
    (await tenant.call('POST', '/api/v1/uploads', { fileName: 'film.mp4', sizeBytes })).json
  const block = (url: string, n: number, bytes: Uint8Array) =>
    fetch(`${url}&comp=block&blockid=${encodeURIComponent(btoa(String(n).padStart(6, '0')))}`, {
      method: 'PUT',
      body: Buffer.from(bytes),
    })

  test('tells which blocks are there, with a fresh URL', async () => {
    const ticket = await open(30)
    for (const n of [0, 2]) expect((await block(ticket.uploadUrl, n, new Uint8Array(10))).status).toBe(201)
    const { json } = await tenant.call('GET', `/api/v1/uploads/${ticket.assetId}`)
    expect(json.blocks).toEqual([
      { id: btoa('000000'), sizeBytes: 10 },
      { id: btoa('000002'), sizeBytes: 10 },
    ])
    expect((await block(json.uploadUrl, 1, new Uint8Array(10))).status).toBe(201)
  })

  test('has a URL that writes its blob and does nothing else', async () => {
    const [mine, other] = [await open(3), await open(3)]
    const put = (url: string) =>
      fetch(url, { method: 'PUT', headers: { 'x-ms-blob-type': 'BlockBlob' }, body: 'abc' })
    expect((await put(mine.uploadUrl)).status).toBe(201)
    expect((await fetch(mine.uploadUrl)).status).toBe(403)
    expect((await fetch(mine.uploadUrl, { method: 'HEAD' })).status).toBe(403)
    expect((await fetch(mine.uploadUrl, { method: 'DELETE' })).status).toBe(403)
    expect((await put(mine.uploadUrl.replace(mine.assetId, other.assetId))).status).toBe(403)
    const list = new URL(mine.uploadUrl)
    list.pathname = list.pathname.split('/').slice(0, 3).join('/')
    expect((await fetch(`${list.href}&restype=container&comp=list`)).status).toBe(403)
    const late = new URL(mine.uploadUrl)
    late.searchParams.set('se', '2020-01-01T00:00:00Z')
    expect((await put(late.href)).status).toBe(403)
  })

  test('is put from the pages of the sites that are named, and from no other', async () => {
    const { uploadUrl } = await open(3)
    const preflight = (origin: string) =>
      fetch(`${uploadUrl}&comp=block&blockid=MA%3D%3D`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'PUT' },
      })
    const allowed = async (origin: string) =>
      (await preflight(origin)).headers.get('access-control-allow-origin')
    expect(await allowed('https://portal.example')).toBe('https://portal.example')
    expect(await allowed(platform.apiUrl)).toBe(platform.apiUrl)
    expect(await allowed('https://elsewhere.example')).toBe(null)
  })

  test('keeps the name of the file, not where it lay', async () => {
    for (const fileName of ['/home/me/films/Tidal.final.mp4', 'C:\\films\\Tidal.final.mp4']) {
      const { json } = await tenant.call('POST', '/api/v1/uploads', { fileName, sizeBytes: 1 })
      const asset = await tenant.call('GET', `/api/v1/assets/${json.assetId}`)
      expect(asset.json).toMatchObject({ fileName: 'Tidal.final.mp4', title: 'Tidal.final' })
    }
  })

  test('takes no bytes through the API itself', async () => {
    const reply = await tenant.call('POST', '/api/v1/uploads', {
      fileName: 'x'.repeat(100_000),
      sizeBytes: 1,
    })
    expect(reply).toMatchObject({ status: 413, json: { code: 'too-large' } })
  })
})

test('lists page by page, and a title can be renamed', async () => {
  for (let n = 0; n < 3; n++)
    await tenant.call('POST', '/api/v1/uploads', { fileName: `${n}.mp4`, sizeBytes: 1 })
  const seen: string[] = []
  let cursor = ''
  do {
    const { json } = await tenant.call(
      'GET',
      `/api/v1/assets?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    )
    expect(json.items.length).toBeLessThanOrEqual(2)
    seen.push(...json.items.map((asset: { id: string }) => asset.id))
    cursor = json.cursor ?? ''
  } while (cursor)
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen.length).toBeGreaterThanOrEqual(3)
  const renamed = await tenant.call('PATCH', `/api/v1/assets/${seen[0]}`, { title: 'Another title' })
  expect(renamed.json.title).toBe('Another title')
  expect((await tenant.call('PATCH', `/api/v1/assets/${seen[0]}`, { state: 'ready' })).status).toBe(400)
})

test('the contract is served as it is committed, and health is open', async () => {
  const served = await (await fetch(`${platform.apiUrl}/api/openapi.json`)).json()
  expect(served).toEqual((await import('../../openapi.json', { with: { type: 'json' } })).default)
  expect(await (await fetch(`${platform.apiUrl}/api/healthz`)).json()).toMatchObject({ status: 'ok' })
})

test('the console is served with a strict policy', async () => {
  const page = await fetch(platform.consoleUrl)
  expect(page.status).toBe(200)
  expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
  expect((await fetch(new URL('../console', platform.consoleUrl), { redirect: 'manual' })).status).toBe(308)
  expect((await fetch(new URL('missing.js', platform.consoleUrl))).status).toBe(404)
})
