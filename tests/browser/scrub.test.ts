// The console's bar below the film in real Chromium: the picture above the pointer is the film at that moment.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeInBrowser, launchBrowser } from '../support/browser.ts'
import { type ConsolePage, openConsole } from '../support/console-page.ts'
import { drawFilm } from '../support/film.ts'
import { expectSecond } from '../support/pixel.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { asTenant } from '../support/tenant.ts'

const seconds = 36

describeInBrowser('the bar below the film', () => {
  let platform: Platform
  let browser: Browser
  let console: ConsolePage
  let folder: string
  const asked = Promise.withResolvers<void>()

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'movidone-scrub-'))
    const path = join(folder, 'Colours.mp4')
    await drawFilm({ path, seconds, frameRate: 12, size: '640x360' })
    ;[platform, browser] = await Promise.all([startPlatform(), launchBrowser()])
    const tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
    const id = await tenant.upload(path, { title: 'Colours' })
    const { error } = await tenant.until(id, ({ state }) => state === 'ready' || state === 'failed')
    expect(error).toBeUndefined()
    console = await openConsole(browser, platform)
    await console.signIn(platform.tenant.apiKey)
    const { page } = console
    await page.route('**/storyboard.vtt', async (route) => {
      await asked.promise
      await route.continue()
    })
    await console.card('Colours').getByRole('button', { name: 'Play Colours' }).click()
    await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.3)
    await page.locator('#video').evaluate((video: HTMLVideoElement) => video.pause())
  })
  afterAll(async () => {
    await browser?.close()
    await platform?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  const hover = async (share: number) => {
    const box = (await console.page.locator('#seek').boundingBox())!
    // The middle of the thumb, 14 pixels wide, stands for the moment.
    await console.page.mouse.move(box.x + 7 + share * (box.width - 14), box.y + box.height / 2)
  }
  /** The first second of the segment that a moment lies in: 0, 2, 6, 10, … */
  const tileSecond = (at: number) => (at < 2 ? 0 : 2 + 4 * Math.floor((at - 2) / 4))

  test('shows the film at the moment under the pointer, and its time', async () => {
    const { page } = console
    const tile = page.locator('#peek-tile')
    await hover(0.5)
    await page.locator('#peek').waitFor()
    // It may come after the pointer.
    expect(await tile.isHidden()).toBe(true)
    asked.resolve()
    await tile.waitFor()
    // Each of another colour than the one before.
    for (const at of [1, 5, 13, 21, 27, 35]) {
      await hover(at / seconds)
      await expectSecond(page, tile, tileSecond(at) % 12)
      expect(await page.locator('#peek-time').textContent()).toMatch(/^0:\d\d$/)
    }
    if (process.env['SCREENSHOT_FOLDER'])
      await page.screenshot({ path: join(process.env['SCREENSHOT_FOLDER'], 'scrub.png') })
    await page.mouse.move(5, 5)
    await page.locator('#peek').waitFor({ state: 'hidden' })
  })

  test('goes where it is clicked, and by keys alone', async () => {
    const { page } = console
    const now = () => page.locator('#video').evaluate((video: HTMLVideoElement) => video.currentTime)
    const tile = page.locator('#peek-tile')
    await hover(13 / seconds)
    await expectSecond(page, tile, 10)
    const ofSecondTen = await tile.getAttribute('style')
    await hover(0.75)
    await page.mouse.down()
    await page.mouse.up()
    await expect.poll(now).toBeCloseTo(0.75 * seconds, 0)

    await page.mouse.move(5, 5)
    await page.locator('#seek').focus()
    // After a key the picture goes again in a moment, however long it takes to look.
    const peeks = await page.locator('#peek').evaluateHandle((peek: HTMLElement) => {
      const seen: Array<[time: string | undefined, style: string | null | undefined]> = []
      const part = (name: string) => peek.querySelector(`#peek-${name}`)
      new MutationObserver(() => {
        if (!peek.hidden) seen.push([part('time')?.textContent, part('tile')?.getAttribute('style')])
      }).observe(peek, { subtree: true, childList: true, attributes: true, characterData: true })
      return seen
    })
    await page.keyboard.press('Home')
    expect(await now()).toBe(0)
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    expect(await now()).toBeCloseTo(10, 1)
    expect(await page.locator('#seek').getAttribute('aria-valuetext')).toBe('0:10 of 0:36')
    expect((await peeks.jsonValue()).at(-1)).toEqual(['0:10', ofSecondTen])
    await page.keyboard.press('PageUp')
    expect(await now()).toBeCloseTo(13.6, 1)
    await page.keyboard.press('ArrowLeft')
    expect(await now()).toBeCloseTo(8.6, 1)
  })

  test('its WebVTT is read by the browser itself, and its policy was broken by nothing', async () => {
    const { page, troubles } = console
    const tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
    const [asset] = (
      await tenant.expectStatus<{ items: Array<{ id: string }> }>(200, tenant.call('GET', '/api/v1/assets'))
    ).items
    const { storyboardUrl } = await tenant.playback(asset?.id ?? '')
    const cues = await page.evaluate(async (url) => {
      const track = document.createElement('track')
      Object.assign(track, { kind: 'metadata', src: url, default: true })
      const video = document.createElement('video')
      video.append(track)
      document.body.append(video)
      track.track.mode = 'hidden'
      await new Promise((resolve, reject) => {
        track.onload = resolve
        track.onerror = () => reject(new Error('not WebVTT'))
      })
      const list = [...(track.track.cues ?? [])] as VTTCue[]
      video.remove()
      return list.map(({ startTime, endTime, text }) => ({ startTime, endTime, text }))
    }, storyboardUrl)
    expect(cues.map(({ startTime }) => startTime)).toEqual([
      0,
      ...Array.from({ length: 9 }, (_, n) => 2 + 4 * n),
    ])
    expect(cues.at(-1)?.endTime).toBe(seconds)
    expect(cues[3]?.text).toBe('storyboard/1.0/0.jpg#xywh=480,0,160,90')
    expect(troubles).toEqual([])
  })

  test('a film without a storyboard has the bar and the time', async () => {
    const { page } = console
    await page.keyboard.press('Escape')
    await page.locator('#player').waitFor({ state: 'hidden' })
    await page.route('**/storyboard.vtt', (route) => route.fulfill({ status: 404 }))
    await console.card('Colours').getByRole('button', { name: 'Play Colours' }).click()
    await page.waitForFunction(() => Number(document.querySelector<HTMLInputElement>('#seek')?.max) > 1)
    await hover(0.5)
    await page.locator('#peek').waitFor()
    expect(await page.locator('#peek-tile').isHidden()).toBe(true)
    expect(await page.locator('#peek-time').textContent()).toMatch(/^0:1[78]$/)
  })
})
