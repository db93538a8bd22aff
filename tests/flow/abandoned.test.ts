// An upload that nobody finishes ends by itself; one that goes on does not.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Platform, startPlatform } from '../support/platform.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

let platform: Platform
let tenant: Tenant

beforeAll(async () => {
  platform = await startPlatform({ env: { UPLOAD_IDLE_HOURS: String(2 / 3600) } })
  tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
})
afterAll(() => platform?.stop())

const sweep = () =>
  fetch(`${platform.apiUrl}/admin/functions/upload-sweep`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })

test('two seconds without a sign end an upload; asking for a fresh URL is a sign', async () => {
  const open = async () =>
    (await tenant.call('POST', '/api/v1/uploads', { fileName: 'a.mp4', sizeBytes: 9 })).json
  const [left, kept] = [await open(), await open()]
  await tenant.put(left.uploadUrl, new Uint8Array(3))
  await new Promise((resolve) => setTimeout(resolve, 2500))
  expect((await tenant.call('GET', `/api/v1/uploads/${kept.assetId}`)).status).toBe(200)
  expect((await sweep()).status).toBe(202)
  const ended = await tenant.until(left.assetId, ({ state }) => state === 'failed', 10_000)
  expect(ended.error?.code).toBe('upload-abandoned')
  expect((await tenant.asset(kept.assetId)).state).toBe('uploading')
  const fresh = await tenant.call('GET', `/api/v1/uploads/${left.assetId}`)
  expect(fresh).toMatchObject({ status: 409, json: { code: 'upload-closed' } })
})
