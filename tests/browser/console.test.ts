// The console's whole way in real Chromium on the real platform: sign in, upload, watch, play, delete, sign out.
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeInBrowser, launchBrowser } from '../support/browser.ts'
import { type ConsolePage, expectClimbs, openConsole } from '../support/console-page.ts'
import { drawFilm } from '../support/film.ts'
import { type HeldFfmpeg, heldFfmpeg } from '../support/held-ffmpeg.ts'
import { expectSecond } from '../support/pixel.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { takeScreenshot } from '../support/screenshot.ts'
import { asTenant } from '../support/tenant.ts'

const seconds = 12
const frameRate = 12
/** What is counted is frames, not time: Chromium decodes each of them at any speed. */
const speed = 4
const blockBytes = 65_536

describeInBrowser('the console', () => {
  let platform: Platform
  let browser: Browser
  let console: ConsolePage
  let folder: string
  let ffmpeg: HeldFfmpeg

  // A dialog that a failed test left open would fail the next ones too.
  afterEach(async () => {
    ffmpeg.release()
    await console.page.evaluate(() => {
      for (const dialog of document.querySelectorAll('dialog')) dialog.close()
    })
  })
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'movidone-console-'))
    ffmpeg = heldFfmpeg(folder)
    const parts = [
      startPlatform({ env: { UPLOAD_BLOCK_BYTES: String(blockBytes), ...ffmpeg.env } }),
      launchBrowser(),
    ] as const
    await drawFilm({ path: join(folder, 'Twelve_colours.mp4'), seconds, frameRate })
    ;[platform, browser] = await Promise.all(parts)
    console = await openConsole(browser, platform)
  })
  afterAll(async () => {
    await browser?.close()
    await platform?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  test('is served with a policy that allows no script or style but its own', async () => {
    const reply = await fetch(`${platform.apiUrl}/console/`)
    expect(reply.status).toBe(200)
    const policy = reply.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("style-src 'self';")
    expect(policy).toContain("require-trusted-types-for 'script'")
    expect(policy).not.toMatch(/unsafe|\*|data:/)
  })

  test('asks for a key, tells when it is wrong, and keeps the right one for this tab alone', async () => {
    const { page, signIn } = console
    await signIn(`${platform.tenant.apiKey.slice(0, -4)}AAAA`)
    await page.getByText('does not know this key').waitFor()
    expect(await page.locator('#console').isHidden()).toBe(true)
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0)

    await signIn(platform.tenant.apiKey)
    await page.getByText('No titles yet').waitFor()
    expect(await page.locator('#tenant').textContent()).toBe(platform.tenant.id)
    expect(await page.evaluate(() => [localStorage.length, document.cookie])).toEqual([0, ''])
    await page.reload()
    await page.getByText('No titles yet').waitFor()

    const other = await openConsole(browser, platform)
    await other.page.getByLabel('Tenant key').waitFor()
    await other.page.close()
  })

  test('sends a film straight to storage in blocks, and shows how far it is', async () => {
    const { page, card, bar, puts } = console
    const shown = await bar('Twelve colours')
    await page.locator('#file').setInputFiles(join(folder, 'Twelve_colours.mp4'))
    const title = card('Twelve colours')
    await title.locator('.state', { hasText: 'Ready' }).waitFor()

    // What a busy storage refused is sent again; what it took is not.
    const taken = puts.filter(({ status }) => status === 201)
    const blocks = taken.filter(({ operation }) => operation === 'block')
    expect(blocks.length).toBeGreaterThan(4)
    expect(new Set(blocks.map(({ blockId }) => blockId)).size).toBe(blocks.length)
    expect(taken.filter(({ operation }) => operation === 'blocklist')).toHaveLength(1)
    expectClimbs(await shown())
  })

  test('shows the poster and what there is to play', async () => {
    const title = console.card('Twelve colours')
    const poster = title.locator('img')
    await poster.waitFor()
    const width = await poster.evaluate((image: HTMLImageElement) => image.naturalWidth)
    expect(width).toBeGreaterThan(100)
    expect(await title.locator('.length').textContent()).toBe('0:12')
    expect(await title.textContent()).toContain('720p')
  })

  test('plays every frame of it, in the right colours, and closes on Escape', async () => {
    const { page, card } = console
    const video = page.locator('#video')
    await video.evaluate((element: HTMLVideoElement, rate) => {
      element.defaultPlaybackRate = rate
    }, speed)
    await card('Twelve colours').getByRole('button', { name: 'Play Twelve colours' }).focus()
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 1)
    await dialog.locator('#read-quality', { hasText: /\d+p · / }).waitFor()
    await page.waitForFunction(() => document.querySelector('video')?.ended)
    const counted = await video.evaluate((element: HTMLVideoElement) => ({
      frames: element.getVideoPlaybackQuality().totalVideoFrames,
      ranges: element.buffered.length,
    }))
    // A change of quality on the way may decode some twice; none may be missing.
    expect(counted.frames).toBeGreaterThanOrEqual(seconds * frameRate)
    expect(counted.ranges).toBe(1)

    await video.evaluate((element: HTMLVideoElement) => {
      element.controls = false
      element.defaultPlaybackRate = 1
    })
    for (const second of [3, 11, 0, 7]) {
      await video.evaluate((element: HTMLVideoElement, at) => {
        element.currentTime = at
      }, second + 0.5)
      await expectSecond(page, video, second)
    }
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
      'Play Twelve colours',
    )
  })

  test('says in a sentence why a file is no film', async () => {
    const { page, card } = console
    await writeFile(join(folder, 'letter.mp4'), 'Dear editor, this is not a film. '.repeat(100))
    await page.locator('#file').setInputFiles(join(folder, 'letter.mp4'))
    const title = card('letter')
    await title.locator('.state', { hasText: 'Failed' }).waitFor()
    expect(((await title.locator('.error').textContent()) ?? '').length).toBeGreaterThan(20)
    expect(await title.getByRole('button', { name: /^Play/ }).isHidden()).toBe(true)
  })

  test('deletes a title only when told twice, and by keyboard alone', async () => {
    const { page, card } = console
    const tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
    const assetId = (await card('Twelve colours').getAttribute('data-asset-id')) ?? ''
    const press = async () => {
      await card('Twelve colours').getByRole('button', { name: 'Delete Twelve colours' }).focus()
      await page.keyboard.press('Enter')
      await page.getByRole('dialog', { name: 'Delete this title?' }).waitFor()
    }
    await press()
    await page.keyboard.press('Enter')
    expect((await tenant.asset(assetId)).state).toBe('ready')
    await press()
    await page.keyboard.press('Escape')
    expect((await tenant.asset(assetId)).state).toBe('ready')

    await press()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await card('Twelve colours').waitFor({ state: 'detached' })
    expect((await tenant.call('GET', `/api/v1/assets/${assetId}`)).status).toBe(404)
  })

  test('plays a film that is still being encoded from its start, and to its end once that is there', async () => {
    const { page, card } = console
    await copyFile(join(folder, 'Twelve_colours.mp4'), join(folder, 'Growing.mp4'))
    ffmpeg.hold()
    await page.locator('#file').setInputFiles(join(folder, 'Growing.mp4'))
    await card('Growing').getByRole('button', { name: 'Play Growing' }).click()
    const video = page.locator('#video')
    await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 1)
    expect(await card('Growing').getAttribute('data-state')).toBe('encoding')
    const there = await video.evaluate((element: HTMLVideoElement) => element.buffered.end(0))
    expect(there).toBeLessThan(seconds / 2)

    ffmpeg.release()
    await card('Growing').locator('.state', { hasText: 'Ready' }).waitFor({ state: 'attached' })
    await page.waitForFunction(
      (whole) => Math.abs((document.querySelector('video')?.duration ?? 0) - whole) < 0.2,
      seconds,
    )
    await video.evaluate((element: HTMLVideoElement, whole) => {
      element.currentTime = whole - 1.5
      // It may have come to its end meanwhile.
      element.play().catch(() => {})
    }, seconds)
    await page.waitForFunction(() => document.querySelector('video')?.ended)
    expect(await page.locator('#player-error').textContent()).toBe('')
    await page.keyboard.press('Escape')
  })

  if (process.env['SCREENSHOT'] === '1')
    test('poses for the picture in the README', () => takeScreenshot(console, folder), 300_000)

  test('forgets everything on signing out, and broke no rule of its policy on the whole way', async () => {
    const { page, troubles } = console
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Tenant key').waitFor()
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0)
    expect(await page.locator('.card').count()).toBe(0)
    await page.reload()
    await page.getByLabel('Tenant key').waitFor()
    expect(troubles).toEqual([])
  })
})
