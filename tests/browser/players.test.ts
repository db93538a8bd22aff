// A title plays in hls.js and shaka-player on a site of another origin, whole and without a gap; not without its token.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeInBrowser, launchBrowser, openPage } from '../support/browser.ts'
import { drawFilm } from '../support/film.ts'
import { expectSecond } from '../support/pixel.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import type { Played } from '../support/player-page.ts'
import { type SecondOrigin, startSecondOrigin } from '../support/second-origin.ts'
import { type AssetView, asTenant, type Tenant } from '../support/tenant.ts'

const seconds = 10
const frameRate = 12
/** What is counted is frames, not time: Chromium decodes each of them at any speed. */
const speed = 4

describeInBrowser('players on a second origin', () => {
  let platform: Platform
  let tenant: Tenant
  let site: SecondOrigin
  let strangers: SecondOrigin
  let browser: Browser
  let page: Page
  let folder: string
  let title: AssetView

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'movidone-players-'))
    const film = join(folder, 'colours.mp4')
    const parts = [
      startPlatform(),
      startSecondOrigin(),
      startSecondOrigin(),
      launchBrowser({ autoplay: true }),
    ] as const
    await drawFilm({ path: film, seconds, frameRate })
    ;[platform, site, strangers, browser] = await Promise.all(parts)
    tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
    const change = await tenant.call('PATCH', '/api/v1/tenant', { allowedOrigins: [site.origin] })
    expect(change.status).toBe(200)
    title = await tenant.until(
      await tenant.upload(film),
      ({ state }) => state === 'ready' || state === 'failed',
    )
    expect(title.error).toBeUndefined()
    page = await openPage(browser)
    await page.goto(site.origin)
  })
  afterAll(async () => {
    await browser?.close()
    await Promise.all([site?.stop(), strangers?.stop(), platform?.stop()])
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  const heights = () =>
    title.renditions.filter(({ kind }) => kind === 'video').map(({ height }) => height ?? 0)

  function expectWhole(played: Played, height: number): void {
    expect(played.errors).toEqual([])
    expect(played).toMatchObject({ ended: true, frames: seconds * frameRate })
    expect(played.size.endsWith(`x${height}`)).toBe(true)
    expect(played.ranges).toHaveLength(1)
    const [start, end] = played.ranges[0]!
    expect(start).toBeLessThan(0.1)
    expect(end).toBeGreaterThan(seconds - 0.1)
    expect(Math.abs(played.durationSeconds - seconds)).toBeLessThan(0.1)
  }

  async function expectColours(): Promise<void> {
    // Forwards and backwards, over the edges of segments.
    const moments = Array.from({ length: seconds }, (_, n) => (n * 7) % seconds)
    for (const second of moments) {
      await page.evaluate((at) => window.players.seek(at), second + 0.5)
      await expectSecond(page, page.locator('video'), second)
    }
  }

  test('the plan is the film: its length, its rate, and no picture larger than it', () => {
    expect(title.durationSeconds).toBeCloseTo(seconds, 1)
    expect(heights().length).toBeGreaterThanOrEqual(2)
    expect(Math.max(...heights())).toBe(720)
  })

  test('hls.js plays every rendition to its last frame, and shows the right picture at every second', async () => {
    for (const height of heights()) {
      const { hlsUrl } = await tenant.playback(title.id)
      const played = await page.evaluate((play) => window.players.hls(play), {
        url: hlsUrl,
        height,
        speed,
      })
      expectWhole(played, height)
      await expectColours()
    }
  })

  test('shaka-player plays it to its last frame, and shows the right picture at every second', async () => {
    const { hlsUrl } = await tenant.playback(title.id)
    const height = Math.max(...heights())
    const played = await page.evaluate((play) => window.players.shaka(play), {
      url: hlsUrl,
      height,
      speed,
    })
    expectWhole(played, height)
    await expectColours()
  })

  test('a film that is one or two pictures longer than its segments comes to its end, too', async () => {
    const films = [1, 2].map(async (extra) => {
      const path = join(folder, `extra-${extra}.mp4`)
      const frames = 4 * frameRate + extra
      await drawFilm({ path, seconds: 5, frameRate, frames, size: '640x360' })
      const id = await tenant.upload(path)
      const { error } = await tenant.until(id, ({ state }) => state === 'ready' || state === 'failed')
      expect(error).toBeUndefined()
      return { id, frames }
    })
    for (const { id, frames } of await Promise.all(films))
      for (const player of ['hls', 'shaka'] as const) {
        const { hlsUrl } = await tenant.playback(id)
        const played = await page.evaluate(([name, play]) => window.players[name](play), [
          player,
          { url: hlsUrl, height: 360, speed },
        ] as const)
        expect(played).toMatchObject({ ended: true, errors: [], frames })
      }
  })

  test('a site that is not in the list of the tenant gets nothing, though its token is good', async () => {
    const { hlsUrl } = await tenant.playback(title.id)
    const foreign = await openPage(browser)
    try {
      await foreign.goto(strangers.origin)
      for (const player of ['hls', 'shaka'] as const) {
        const played = await foreign.evaluate(([name, url]) => window.players[name]({ url }), [
          player,
          hlsUrl,
        ] as const)
        expect(played).toMatchObject({ ended: false, frames: 0, ranges: [] })
        expect(played.errors.length).toBeGreaterThan(0)
      }
    } finally {
      await foreign.close()
    }
  })

  test('with a changed, cut or expired token no player gets a frame', async () => {
    // Two clients: the page, and this test.
    const { hlsUrl, token } = await tenant.playback(title.id, { policy: { maxClients: 2 } })
    const short = await tenant.playback(title.id, { ttlSeconds: 1 })
    const good = await page.evaluate((url) => window.players.hls({ url, frames: 1 }), hlsUrl)
    expect(good.frames).toBeGreaterThan(0)

    const last = token.at(-1) === 'A' ? 'E' : 'A'
    const refused = {
      changed: hlsUrl.replace(token, `${token.slice(0, -1)}${last}`),
      cut: hlsUrl.replace(token, token.slice(0, -1)),
      expired: short.hlsUrl,
    }
    expect((await fetch(hlsUrl)).status).toBe(200)
    for (const [what, url] of Object.entries(refused)) {
      if (what === 'expired') await delay(Math.max(0, Date.parse(short.expiresAt) + 500 - Date.now()))
      expect([what, (await fetch(url)).status]).toEqual([what, 403])
      for (const player of ['hls', 'shaka'] as const) {
        const played = await page.evaluate(([name, at]) => window.players[name]({ url: at }), [
          player,
          url,
        ] as const)
        expect({ what, frames: played.frames, ranges: played.ranges }).toEqual({
          what,
          frames: 0,
          ranges: [],
        })
        expect(played.errors.length).toBeGreaterThan(0)
      }
    }
  })

  test("Chromium's own HLS can not read AES-128 with fMP4, but would play the same segments in the clear", async () => {
    // Two clients: the page, and the site that makes the clear copy.
    const { hlsUrl } = await tenant.playback(title.id, { policy: { maxClients: 2 } })
    const clear = await page.evaluate((play) => window.players.native(play), {
      url: site.clearCopy(hlsUrl),
      speed,
    })
    expect(clear).toMatchObject({ ended: true, errors: [] })
    expect(clear.frames).toBeGreaterThan(0)

    const sealed = await page.evaluate((url) => window.players.native({ url }), hlsUrl)
    expect(sealed).toMatchObject({ ended: false, frames: 0 })
    expect(sealed.errors.join()).toContain('media')
  })
})
