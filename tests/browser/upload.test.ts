// The console's uploads when things go wrong: lost connections, busy storage, expired URLs, a reload, a change of mind.
import { createHash, randomBytes } from 'node:crypto'
import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Route } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { describeInBrowser, launchBrowser } from '../support/browser.ts'
import { type ConsolePage, expectClimbs, openConsole } from '../support/console-page.ts'
import { drawFilm } from '../support/film.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

const blockBytes = 65_536

/** A film of some megabytes: a `free` box (ISO/IEC 14496-12 8.1.2) of noise after a short one. */
async function drawHeavyFilm(path: string): Promise<void> {
  await drawFilm({ path, seconds: 4, frameRate: 12, size: '320x180' })
  const noise = randomBytes(3 << 20)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(noise.length + 8)
  head.write('free', 4)
  await appendFile(path, Buffer.concat([head, noise]))
}

describeInBrowser('uploads of the console', () => {
  let platform: Platform
  let tenant: Tenant
  let browser: Browser
  let folder: string
  let film: string
  let blocksOfFilm: number
  let console: ConsolePage

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'movidone-upload-'))
    film = join(folder, 'heavy.mp4')
    const parts = [
      startPlatform({ env: { UPLOAD_BLOCK_BYTES: String(blockBytes) } }),
      launchBrowser(),
    ] as const
    await drawHeavyFilm(film)
    blocksOfFilm = Math.ceil((await stat(film)).size / blockBytes)
    ;[platform, browser] = await Promise.all(parts)
    tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
  })
  afterAll(async () => {
    await browser?.close()
    await platform?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })
  beforeEach(async () => {
    await console?.page.close()
    const { json } = await tenant.call('GET', '/api/v1/assets')
    for (const { id } of json.items) await tenant.call('DELETE', `/api/v1/assets/${id}`)
    console = await openConsole(browser, platform)
    // Leaving a page that sends a file asks first.
    console.page.on('dialog', (dialog) => void dialog.accept())
    await console.signIn(platform.tenant.apiKey)
    await console.page.locator('#drop').waitFor()
  })

  const isPut = (url: URL) => url.searchParams.has('comp')
  const choose = () => console.page.locator('#file').setInputFiles(film)
  const sent = () =>
    console.puts
      .filter(({ operation, status }) => operation === 'block' && status === 201)
      .map(({ blockId }) => blockId)

  async function assetIdOf(state: RegExp): Promise<string> {
    const card = console.card('heavy').filter({ hasText: state }).first()
    await card.waitFor()
    return (await card.getAttribute('data-asset-id')) ?? ''
  }

  async function expectWholeSource(assetId: string): Promise<void> {
    const { json } = await tenant.call('POST', `/api/v1/assets/${assetId}/source-url`)
    const there = Buffer.from(await (await fetch(json.url)).arrayBuffer())
    const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
    expect(hash(there)).toBe(hash(await readFile(film)))
    await tenant.call('DELETE', `/api/v1/assets/${assetId}`)
  }

  test('survives lost connections, busy storage and an expired URL, four blocks at a time', async () => {
    let attempts = 0
    const stale = new Set<string>()
    let freshFrom = 0
    let fresh = 0
    let inFlight = 0
    let most = 0
    const four = Promise.withResolvers<void>()
    await console.page.route(isPut, async (route: Route) => {
      const url = new URL(route.request().url())
      const signature = url.searchParams.get('sig') ?? ''
      attempts += 1
      const mine = attempts
      if (mine <= 12) {
        stale.add(signature)
        // A fresh URL of the same second would be the same one.
        freshFrom = Date.now() + 1200
      }
      inFlight += 1
      most = Math.max(most, inFlight)
      if (inFlight === 4) four.resolve()
      await four.promise
      const waitMs = mine > 12 ? Math.max(20, freshFrom - Date.now()) : 20
      await new Promise((resolve) => setTimeout(resolve, waitMs))
      inFlight -= 1
      if (mine === 2) return route.abort('connectionreset')
      if (mine === 4) return route.fulfill({ status: 503, headers: { 'access-control-allow-origin': '*' } })
      // The storage itself refuses it, as it refuses a URL whose time is over.
      if (mine > 12 && stale.has(signature)) url.searchParams.set('sig', `${'A'.repeat(43)}=`)
      else if (mine > 12) fresh += 1
      return route.continue({ url: url.href })
    })
    const shown = await console.bar('heavy')
    await choose()
    const assetId = await assetIdOf(/Encoding|Waiting|Reading|Finishing|Ready/)
    // What was sent twice is not counted twice: the bar only climbs, until it shows the encode.
    expectClimbs(await shown())
    expect(attempts).toBeGreaterThan(12)
    expect(fresh).toBeGreaterThan(0)
    expect(most).toBe(4)
    expect(new Set(sent()).size).toBe(blocksOfFilm)
    await expectWholeSource(assetId)
  })

  test('goes on after a reload with the blocks that are missing', async () => {
    const { page } = console
    let remaining = 20
    await page.route(isPut, async (route: Route) => {
      remaining -= 1
      if (remaining >= 0) await route.continue()
    })
    await choose()
    await expect.poll(() => sent().length).toBe(20)
    const before = new Set(sent())
    const assetId = await assetIdOf(/Uploading/)
    await page.reload()
    await page.unroute(isPut)
    await console.card('heavy').filter({ hasText: 'Upload unfinished' }).waitFor()
    console.puts.length = 0
    await choose()
    expect(await assetIdOf(/Encoding|Waiting|Reading|Finishing|Ready/)).toBe(assetId)
    expect(sent().filter((id) => before.has(id))).toEqual([])
    expect(sent()).toHaveLength(blocksOfFilm - before.size)
    await expectWholeSource(assetId)
  })

  test('takes a film that is dropped on the page, and forgets one whose upload is cancelled', async () => {
    const { page } = console
    await page.route(isPut, () => {})
    const transfer = await page.evaluateHandle(() => {
      const dropped = new DataTransfer()
      dropped.items.add(new File(['x'.repeat(200_000)], 'heavy.mp4', { type: 'video/mp4' }))
      return dropped
    })
    await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer })
    expect(await page.locator('#drop.over').count()).toBe(1)
    await page.dispatchEvent('body', 'drop', { dataTransfer: transfer })
    const assetId = await assetIdOf(/Uploading/)
    expect((await tenant.asset(assetId)).state).toBe('uploading')
    await page.getByRole('button', { name: 'Cancel the upload of heavy' }).click()
    await console.card('heavy').waitFor({ state: 'detached' })
    await expect.poll(async () => (await tenant.call('GET', `/api/v1/assets/${assetId}`)).status).toBe(404)
  })
})
