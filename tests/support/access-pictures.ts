// Sets the scene for `docs/access.png`: somebody watches, keys are in use, and a policy asks for something.
import { generateKeyPairSync } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { ConsolePage } from './console-page.ts'
import type { Tenant } from './tenant.ts'

const picture = fileURLToPath(new URL('../../docs/access.png', import.meta.url))

export async function takeAccessPictures(
  { page }: ConsolePage,
  { tenant, assetId }: { tenant: Tenant; assetId: string },
): Promise<void> {
  const { items } = await tenant.expectStatus<{ items: Array<{ id: string; retiredAt?: string }> }>(
    200,
    tenant.call('GET', '/api/v1/signing-keys'),
  )
  for (const { id } of items) await tenant.call('POST', '/api/v1/revocations', { signingKeyId: id })
  const { publicKey } = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  await tenant.call('POST', '/api/v1/signing-keys', { name: 'web backend', publicKey })
  await tenant.call('POST', '/api/v1/keys', { name: 'web backend', role: 'minter' })
  await tenant.call('PATCH', '/api/v1/tenant', {
    allowedOrigins: ['https://www.example.com'],
    policy: { countries: ['FR', 'BE', 'CH'], maxResolution: 1080, maxStreams: 3 },
  })
  const live = await tenant.call('GET', '/api/v1/sessions')
  for (const { sessionId } of live.json.items) await tenant.call('DELETE', `/api/v1/sessions/${sessionId}`)
  for (const viewer of ['ann', 'bob', 'cleo']) {
    const { hlsUrl } = await tenant.playback(assetId, { viewer, policy: { countries: null } })
    await fetch(hlsUrl, { headers: { 'user-agent': `the player of ${viewer}` } })
  }
  await page.setViewportSize({ width: 1200, height: 860 })
  await page.reload()
  await page.locator('#sessions .row').nth(2).waitFor()
  await page.locator('#api-keys .row').nth(1).waitFor()
  await page.mouse.move(0, 0)
  await page.waitForTimeout(500)
  await page.screenshot({ path: picture, fullPage: true })
}
