// An encode as a tenant controls it in the console, in real Chromium: the price first, encoding anew, and cancelling.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeInBrowser, launchBrowser } from '../support/browser.ts'
import { type ConsolePage, openConsole } from '../support/console-page.ts'
import { drawFilm, repeatFilm } from '../support/film.ts'
import { type HeldFfmpeg, heldFfmpeg } from '../support/held-ffmpeg.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

describeInBrowser('encodes in the console', () => {
  let platform: Platform
  let browser: Browser
  let console: ConsolePage
  let tenant: Tenant
  let folder: string
  let ffmpeg: HeldFfmpeg

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'movidone-encodes-'))
    ffmpeg = heldFfmpeg(folder)
    const parts = [startPlatform({ env: ffmpeg.env }), launchBrowser()] as const
    await drawFilm({ path: join(folder, 'Short.mp4'), seconds: 4, frameRate: 12, size: '320x180' })
    await repeatFilm({ from: join(folder, 'Short.mp4'), to: join(folder, 'Long.mp4'), seconds: 12 })
    ;[platform, browser] = await Promise.all(parts)
    tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
    console = await openConsole(browser, platform)
    await console.signIn(platform.tenant.apiKey)
  })
  afterEach(() => ffmpeg.release())
  afterAll(async () => {
    await browser?.close()
    await platform?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  const send = (name: string) => console.page.locator('#file').setInputFiles(join(folder, `${name}.mp4`))
  const press = (name: string, button: string) =>
    console.card(name).getByRole('button', { name: button }).click()
  const answer = (button: string) =>
    console.page.getByRole('dialog').getByRole('button', { name: button }).click()
  const idOf = async (name: string) => (await console.card(name).getAttribute('data-asset-id')) ?? ''
  const state = (name: string, words: string) =>
    console.card(name).locator('.state', { hasText: words }).waitFor()

  test('tells the price before the work, and begins when it is wanted', async () => {
    await console.page.getByLabel('Tell me the price first').check()
    await send('Short')
    await state('Short', 'Encode it for €')
    expect(await console.card('Short').textContent()).toMatch(/0:04 · .*p.* · encoded in about \d/)
    const assetId = await idOf('Short')
    expect((await tenant.asset(assetId)).state).toBe('uploading')
    const { json: quote } = await tenant.call('GET', `/api/v1/uploads/${assetId}/quote`)
    expect(quote.cost.amount).toBeGreaterThan(0)

    await press('Short', 'Encode Short')
    await state('Short', 'Ready')
  })

  test('takes a film away again whose price was too high', async () => {
    await console.page.reload()
    await console.card('Short').waitFor()
    expect(await console.page.getByLabel('Tell me the price first').isChecked()).toBe(true)
    await send('Long')
    await state('Long', 'Encode it for €')
    const assetId = await idOf('Long')
    await console.page.getByLabel('Tell me the price first').uncheck()
    await press('Long', 'Cancel the upload of Long')
    await console.card('Long').waitFor({ state: 'detached' })
    await expect.poll(async () => (await tenant.call('GET', `/api/v1/assets/${assetId}`)).status).toBe(404)
  })

  test('cancels the first encode only when told twice', async () => {
    ffmpeg.hold()
    await send('Long')
    await state('Long', 'Encoding')
    await press('Long', 'Cancel the encode of Long')
    await answer('Let it go on')
    expect((await tenant.asset(await idOf('Long'))).state).toBe('encoding')
    await press('Long', 'Cancel the encode of Long')
    await answer('Cancel the encode')
    await state('Long', 'Failed')
    ffmpeg.release()
    expect((await tenant.asset(await idOf('Long'))).error?.code).toBe('encode-cancelled')
    expect(
      await console
        .card('Long')
        .getByRole('button', { name: /^Cancel/ })
        .isHidden(),
    ).toBe(true)
    await press('Long', 'Delete Long')
    await answer('Delete')
    await console.card('Long').waitFor({ state: 'detached' })
  })

  test('encodes a title anew while it plays, and shows both', async () => {
    await send('Long')
    await state('Long', 'Ready')
    const before = (await tenant.playback(await idOf('Long'))).hlsUrl
    expect((await fetch(before)).status).toBe(200)

    ffmpeg.hold()
    await press('Long', 'Re-encode Long')
    await answer('Re-encode')
    await console.card('Long').getByText('Next version: ').waitFor()
    expect(await console.card('Long').locator('.state').textContent()).toContain('Ready')
    expect(await console.card('Long').getByRole('button', { name: 'Play Long' }).isVisible()).toBe(true)
    expect((await tenant.asset(await idOf('Long'))).nextVersion).toBeDefined()

    await press('Long', 'Cancel the encode of Long')
    await answer('Cancel the encode')
    await console.card('Long').getByText('cancelled; this one plays on').waitFor()
    expect((await tenant.asset(await idOf('Long'))).state).toBe('ready')

    await press('Short', 'Re-encode Short')
    await answer('Re-encode')
    await console.card('Short').getByText('Next version: ').waitFor()
    ffmpeg.release()
    await console.card('Short').getByText('Next version: ').waitFor({ state: 'hidden' })
    const after = await tenant.asset(await idOf('Short'))
    expect([after.state, after.nextVersion]).toEqual(['ready', undefined])
    await console.page
      .locator('#status', { hasText: 'Short plays in its next version.' })
      .waitFor({ state: 'attached' })
  })

  test('broke no rule of its policy on the whole way, and fits a phone', async () => {
    await console.page.setViewportSize({ width: 320, height: 740 })
    const wider = await console.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(wider).toBeLessThanOrEqual(0)
    expect(console.troubles).toEqual([])
  })
})
