// An upload that nobody finishes ends by itself; one that goes on does not.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isoTime } from '../../shared/core/clock.ts'
import type { AssetId, TenantId } from '../../shared/core/ids.ts'
import { fleetOf } from '../support/fleet.ts'
import {
  endAllPlatforms,
  type PlatformProcess,
  startPlatform,
  stateFolder,
} from '../support/platform-process.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

const hourMs = 3_600_000

let platform: PlatformProcess
let tenant: Tenant

beforeAll(async () => {
  platform = startPlatform(stateFolder(), { env: { UPLOAD_IDLE_HOURS: '1' } })
  const { apiUrl, tenant: local } = await platform.healthy()
  tenant = asTenant(apiUrl, local.apiKey)
})
afterAll(endAllPlatforms)

const sweep = () =>
  fetch(`${platform.local().apiUrl}/admin/functions/upload-sweep`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })

const resume = (assetId: string) => tenant.call('GET', `/api/v1/uploads/${assetId}`)

/** As if nothing had been heard of it for two hours. */
async function openLongAgo(): Promise<string> {
  const { json } = await tenant.call('POST', '/api/v1/uploads', { fileName: 'a.mp4', sizeBytes: 9 })
  await tenant.put(json.uploadUrl, new Uint8Array(3))
  const { assets } = await fleetOf(platform).stores()
  const updatedAt = isoTime(Date.now() - 2 * hourMs)
  const tenantId = platform.local().tenant.id as TenantId
  await assets.update(tenantId, json.assetId as AssetId, (asset) => ({ ...asset, updatedAt }))
  return json.assetId
}

/** The sweep of the minute may come in between, and then is right to end it. */
async function openAndResumed(): Promise<string> {
  for (;;) {
    const id = await openLongAgo()
    if ((await resume(id)).status === 200) return id
  }
}

test('an hour without a sign ends an upload; asking for a fresh URL is a sign', async () => {
  const kept = await openAndResumed()
  for (const left of [await openLongAgo(), await openLongAgo()]) {
    expect((await sweep()).status).toBe(202)
    const ended = await tenant.until(left, ({ state }) => state === 'failed')
    expect(ended.error?.code).toBe('upload-abandoned')
    expect(await resume(left)).toMatchObject({ status: 409, json: { code: 'upload-closed' } })
  }
  expect((await tenant.asset(kept)).state).toBe('uploading')
})
