// Tenants do not see each other: every route of the contract is walked with another tenant's ids.
import { afterAll, beforeAll, expect, test } from 'vitest'
import contract from '../../openapi.json' with { type: 'json' }
import { type Platform, startPlatform } from '../support/platform.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

let platform: Platform
let owner: Tenant
let stranger: Tenant
let ids: Record<string, string>

beforeAll(async () => {
  platform = await startPlatform()
  owner = asTenant(platform.apiUrl, platform.tenant.apiKey)
  const reply = await fetch(`${platform.apiUrl}/api/v1/tenants`, {
    method: 'POST',
    headers: { 'x-movidone-admin': platform.adminKey, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Strangers' }),
  })
  stranger = asTenant(platform.apiUrl, ((await reply.json()) as { apiKey: string }).apiKey)
  const upload = await owner.call('POST', '/api/v1/uploads', { fileName: 'a.mp4', sizeBytes: 10 })
  const keys = await owner.call('GET', '/api/v1/keys')
  ids = {
    assetId: upload.json.assetId,
    keyId: keys.json.items[0].id,
    sessionId: '0000000000000000-00000000000000000000',
  }
})
afterAll(() => platform?.stop())

const operations = Object.entries(contract.paths).flatMap(([path, methods]) =>
  Object.entries(methods as Record<string, { security?: Array<Record<string, unknown>> }>).map(
    ([method, { security }]) => ({
      method: method.toUpperCase(),
      path,
      auth: Object.keys(security?.[0] ?? {})[0],
    }),
  ),
)
const bodies: Record<string, unknown> = {
  'PATCH /api/v1/assets/{assetId}': { title: 'Taken' },
  'POST /api/v1/assets/{assetId}/playback': {},
}
const filled = (path: string) => path.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? 'x')

test('the contract has the routes this walks', () => {
  expect(operations.length).toBeGreaterThan(15)
  for (const { path } of operations.filter(({ auth }) => auth === 'tenant'))
    for (const [, name = ''] of path.matchAll(/\{(\w+)\}/g)) expect(Object.keys(ids), path).toContain(name)
})

test('the owner reads what the stranger will not', async () => {
  expect((await owner.call('GET', `/api/v1/assets/${ids['assetId']}`)).status).toBe(200)
  expect((await owner.call('GET', '/api/v1/assets')).json.items).toHaveLength(1)
})

test('with another tenant’s key: 404 where a route takes an id, 401 for admins, nothing in lists', async () => {
  for (const { method, path, auth } of operations) {
    if (auth === undefined) continue
    const answer = await stranger.call(
      method,
      filled(path),
      method === 'GET' ? undefined : (bodies[`${method} ${path}`] ?? {}),
    )
    const where = `${method} ${path}`
    if (auth === 'admin') expect(answer.status, where).toBe(401)
    else if (/\{/.test(path)) expect(answer.status, where).toBe(404)
    else expect(JSON.stringify(answer.json ?? ''), where).not.toContain(ids['assetId'])
  }
  const after = await owner.call('GET', `/api/v1/assets/${ids['assetId']}`)
  expect(after.json.title).toBe('a')
})

test('without a key: 401 wherever one is needed', async () => {
  const nobody = asTenant(platform.apiUrl, '')
  for (const { method, path, auth } of operations)
    if (auth)
      expect((await nobody.call(method, filled(path), method === 'GET' ? undefined : {})).status, path).toBe(
        401,
      )
})

test('below play/ the one refusal answers whatever is asked', async () => {
  for (const path of ['master.m3u8', `keys/${'0'.repeat(32)}`, 'a/b/c', 'poster.jpg'])
    expect((await fetch(`${platform.apiUrl}/api/v1/play/${ids['assetId']}/${path}`)).status).toBe(403)
})
