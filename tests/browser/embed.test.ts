// The lines that the console gives for a title: put on a page of another origin they play it whole; elsewhere, refused or
// revoked, they say a sentence.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page, Response } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeInBrowser, launchBrowser, openPage } from '../support/browser.ts'
import { type ConsolePage, openConsole } from '../support/console-page.ts'
import { drawFilm, repeatFilm } from '../support/film.ts'
import { expectSecond } from '../support/pixel.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { type SecondOrigin, startSecondOrigin } from '../support/second-origin.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

const seconds = 10
const frameRate = 12
const longSeconds = 72
/** What is counted is frames, not time: Chromium decodes each of them at any speed. */
const speed = 4
const slowly = 1 / 4

describeInBrowser('a title on a page of another site', () => {
  let platform: Platform
  let tenant: Tenant
  let site: SecondOrigin
  let strangers: SecondOrigin
  let browser: Browser
  let console: ConsolePage
  let folder: string
  let snippet = ''

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'movidone-embed-'))
    const parts = [
      startPlatform({ env: { REFUSALS_PER_SECOND: '1' } }),
      startSecondOrigin(),
      startSecondOrigin(),
      launchBrowser({ autoplay: true }),
    ] as const
    const [colours, long] = [join(folder, 'Colours.mp4'), join(folder, 'Long.mp4')]
    // Small, so that there is one rendition, and every frame of it is decoded once.
    await drawFilm({ path: colours, seconds, frameRate, size: '426x240' })
    await repeatFilm({ from: colours, to: long, seconds: longSeconds })
    ;[platform, site, strangers, browser] = await Promise.all(parts)
    tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
    for (const [path, title] of [
      [colours, 'Colours'],
      [long, 'Long'],
    ] as const) {
      const id = await tenant.upload(path, { title })
      const { error } = await tenant.until(id, ({ state }) => state === 'ready' || state === 'failed')
      expect(error).toBeUndefined()
    }
    console = await openConsole(browser, platform)
    await console.signIn(platform.tenant.apiKey)
    await console.card('Colours').waitFor()
  })
  afterAll(async () => {
    await browser?.close()
    await Promise.all([site?.stop(), strangers?.stop(), platform?.stop()])
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  const around = (lines: string) => `<!doctype html><title>A site</title><body><h1>Tonight</h1>${lines}`

  /** What the dialog shows is what a person copies. */
  async function makeSnippet(title: string): Promise<string> {
    const { page, card } = console
    await card(title)
      .getByRole('button', { name: `Embed ${title}` })
      .click()
    await page.getByRole('button', { name: 'Make the snippet' }).click()
    const field = page.getByLabel('Snippet that plays now')
    await field.waitFor()
    const text = await field.inputValue()
    await page.keyboard.press('Escape')
    return text
  }

  async function visit(on: SecondOrigin, lines: string): Promise<Page> {
    const page = await openPage(browser)
    await page.goto(on.publish(around(lines)))
    return page
  }

  /** A person presses play again when what was pressed came while the film was still being opened. */
  const start = (page: Page) =>
    page.locator('.movidone video').evaluate(async (video: HTMLVideoElement) => {
      const isInterrupted = (error: unknown) => (error as DOMException).name === 'AbortError'
      for (let tries = 0; ; tries++)
        try {
          return await video.play()
        } catch (error) {
          if (!isInterrupted(error) || tries === 5) throw error
        }
    })
  /** From now on, whatever is loaded meanwhile (HTML, media element load algorithm). */
  const pace = (page: Page, times: number) =>
    page.locator('video').evaluate((video: HTMLVideoElement, rate) => {
      video.defaultPlaybackRate = rate
      video.playbackRate = rate
    }, times)
  const until = (page: Page, moment: number) =>
    page.waitForFunction((at) => (document.querySelector('video')?.currentTime ?? 0) > at, moment)

  async function expectRefused(page: Page, sentence: string): Promise<void> {
    const alert = page.getByRole('alert')
    await alert.filter({ hasText: sentence }).waitFor()
    const video = page.locator('.movidone video')
    expect(
      await video.evaluate((element: HTMLVideoElement) => [
        element.getVideoPlaybackQuality().totalVideoFrames,
        element.buffered.length,
      ]),
    ).toEqual([0, 0])
  }

  test('the dialog gives two lines, says until when they play, and admits the site they are for', async () => {
    const { page, card } = console
    snippet = await makeSnippet('Colours')
    expect(snippet.split('\n')).toHaveLength(2)
    expect(snippet).toContain(`<script async src="${platform.apiUrl}/console/embed.js"></script>`)
    expect(snippet).toMatch(/<div class="movidone" data-src="http:[^"]+\/master\.m3u8"><\/div>/)

    await card('Colours').getByRole('button', { name: 'Embed Colours' }).click()
    const dialog = page.getByRole('dialog', { name: 'Embed “Colours”' })
    expect(await dialog.getByLabel('Template for your site').inputValue()).toContain(
      'data-src="{{ hlsUrl }}"',
    )
    await dialog.getByText('On no site yet').waitFor()
    // As a person pastes it: the address of a page of the site.
    await dialog.getByLabel('Site', { exact: true }).fill(`${site.origin}/tonight?film=1`)
    await page.keyboard.press('Enter')
    await dialog.getByRole('listitem').filter({ hasText: site.origin }).waitFor()
    const { json } = await tenant.call('GET', '/api/v1/tenant')
    expect(json.allowedOrigins).toEqual([site.origin])
    await page.keyboard.press('Escape')
  })

  test('they play every frame of it, in the right colours', async () => {
    const page = await visit(site, snippet)
    await pace(page, speed)
    await start(page)
    await page.waitForFunction(() => document.querySelector('video')?.ended)
    const video = page.locator('.movidone video')
    const played = await video.evaluate((element: HTMLVideoElement) => ({
      frames: element.getVideoPlaybackQuality().totalVideoFrames,
      ranges: element.buffered.length,
      controls: element.controls,
      inline: element.playsInline,
    }))
    expect(played).toMatchObject({ ranges: 1, controls: true, inline: true })
    // Whoever had to go on after standing still decodes some twice; none may be missing.
    expect(played.frames).toBeGreaterThanOrEqual(seconds * frameRate)
    expect(await page.getByRole('alert').isHidden()).toBe(true)
    for (const second of [3, 9, 0, 6]) {
      await video.evaluate((element: HTMLVideoElement, at) => {
        element.controls = false
        element.currentTime = at
      }, second + 0.5)
      await expectSecond(page, video, second)
    }
    await page.close()
  })

  test('they play on a page that allows this origin alone and embeds nothing unasked, and break no rule of it', async () => {
    const { origin } = new URL(platform.apiUrl)
    const policy = [
      "default-src 'none'",
      `script-src ${origin}`,
      `connect-src ${origin}`,
      'media-src blob:',
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ]
    const page = await openPage(browser)
    const broken: string[] = []
    page.on(
      'console',
      (message) => message.text().includes('Content Security Policy') && broken.push(message.text()),
    )
    const headers = {
      'content-security-policy': policy.join('; '),
      'cross-origin-embedder-policy': 'require-corp',
    }
    await page.goto(site.publish(around(snippet), headers))
    await start(page)
    await until(page, 1)
    // The favicon, which the page did not allow.
    expect(broken.filter((text) => !text.includes('favicon'))).toEqual([])
    const box = await page.locator('.movidone video').boundingBox()
    expect((box?.width ?? 0) / (box?.height ?? 1)).toBeCloseTo(16 / 9, 1)
    await page.close()
  })

  test('a page may bring the lines twice, put another film in, and take one away', async () => {
    const page = await visit(site, `${snippet}\n${snippet}`)
    await page.locator('.movidone video').nth(1).waitFor()
    expect(await page.locator('.movidone video').count()).toBe(2)
    await page.evaluate(() => document.querySelectorAll('.movidone')[1]?.remove())
    const fresh = (await tenant.playback(await idOf('Colours'))).hlsUrl
    await page.evaluate((src) => document.querySelector('.movidone')?.setAttribute('data-src', src), fresh)
    await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) >= 2)
    await start(page)
    await until(page, 0.5)
    await page.close()
  })

  test('they load code from where they came from alone, whatever else got into the page', async () => {
    const planted =
      '<base href="https://elsewhere.test/"><img name="currentScript" src="https://elsewhere.test/x/embed.js">'
    const page = await openPage(browser)
    const elsewhere: string[] = []
    page.on('request', (request) => {
      if (request.resourceType() === 'script' && !request.url().startsWith(platform.apiUrl))
        elsewhere.push(request.url())
    })
    await page.goto(site.publish(around(`${planted}${snippet}`)))
    await page.waitForLoadState('networkidle')
    expect(elsewhere).toEqual([])
    await page.close()
  })

  const idOf = async (title: string): Promise<string> => {
    const { json } = await tenant.call('GET', '/api/v1/assets')
    return json.items.find((asset: { title: string }) => asset.title === title).id
  }

  test('the same page on an origin that is not allowed does not play, and says so', async () => {
    const page = await visit(strangers, snippet)
    await expectRefused(page, 'can not be reached from this page')
    await page.close()
  })

  test('a grant that was changed does not play, and says so', async () => {
    const changed = snippet.replace('/master.m3u8', 'AAAA/master.m3u8')
    const page = await visit(site, changed)
    await expectRefused(page, 'may not be played here')
    await page.close()
  })

  test('who watches is seen in the console, and stops within 5 seconds when that says so', async () => {
    const { page: desk, troubles } = console
    const page = await visit(site, await makeSnippet('Long'))
    await start(page)
    await until(page, 2)
    // So that its end does not come before this test has looked at all.
    await pace(page, slowly)
    // What is fetched ahead is bounded, or a session that is over would be seen for minutes.
    await page.waitForFunction(() => {
      const { buffered, currentTime } = document.querySelector('video')!
      return buffered.length > 0 && buffered.end(buffered.length - 1) - currentTime > 20
    })
    await desk.getByRole('link', { name: 'Access' }).click()
    const row = desk.locator('#sessions .row').filter({ hasText: 'Long' })
    await row.waitFor()
    await row.getByRole('button', { name: /^End the session of Long/ }).click()
    const answers: Response[] = []
    page.on('response', (response) => answers.push(response))
    const revoked = desk.waitForResponse((response) => response.url().endsWith('/revocations'))
    await desk
      .getByRole('dialog', { name: 'End this session?' })
      .getByRole('button', { name: 'End it' })
      .click()
    expect((await revoked).status()).toBe(204)
    const revokedAtMs = Date.now()
    await pace(page, speed)
    await page.getByRole('alert').filter({ hasText: 'may not be played here' }).waitFor()
    const isLate = (answer: Response) => answer.request().timing().startTime > revokedAtMs + 5000
    expect(answers.filter((answer) => isLate(answer) && answer.status() !== 403)).toEqual([])
    expect(answers.at(-1)?.status()).toBe(403)
    // Nothing is left of what was fetched ahead.
    const left = await page
      .locator('.movidone video')
      .evaluate((video: HTMLVideoElement) => [video.paused, video.buffered.length])
    expect(left).toEqual([true, 0])
    await row.waitFor({ state: 'detached' })

    // The grant of a session that was revoked opens no other one.
    await page.reload()
    await expectRefused(page, 'may not be played here')
    await page.close()
    expect(troubles).toEqual([])
  })

  test('the player of the console goes on in a session of its own when the one it had is over', async () => {
    const { page: desk, card } = console
    await desk.getByRole('link', { name: 'Titles' }).click()
    await card('Long').getByRole('button', { name: 'Play Long' }).click()
    await until(desk, 2)
    await pace(desk, slowly)
    const { status } = await tenant.call('POST', '/api/v1/revocations', { assetId: await idOf('Long') })
    expect(status).toBe(204)
    const asked: string[] = []
    desk.on(
      'request',
      (request) => request.method() === 'POST' && asked.push(new URL(request.url()).pathname),
    )
    // Beyond what was fetched ahead of it, and a segment that may have been on its way.
    const ahead = await desk.locator('video').evaluate(({ buffered }: HTMLVideoElement) => buffered.end(0))
    await pace(desk, 2 * speed)
    await until(desk, ahead + 5)
    expect(asked.filter((path) => path.endsWith('/playback'))).toHaveLength(1)
    expect(await desk.locator('#player-error').textContent()).toBe('')
    await desk.keyboard.press('Escape')
  })

  test('all sessions of a title end from its card, for what was embedded before', async () => {
    const { page: desk, card } = console
    const page = await visit(site, snippet)
    await start(page)
    await until(page, 1)
    await page.close()
    await desk.getByRole('link', { name: 'Titles' }).click()
    await card('Colours').getByRole('button', { name: 'End all sessions of Colours' }).click()
    await desk.getByRole('dialog').getByRole('button', { name: 'End them' }).click()
    await desk.locator('#status', { hasText: 'are ended' }).waitFor({ state: 'attached' })
    const again = await visit(site, snippet)
    await expectRefused(again, 'may not be played here')
    await again.close()
  })

  test('who asks for too much that is refused is told to wait', async () => {
    const page = await openPage(browser)
    // However fast it asks: on and on, for each second of silence earns an answer of another kind.
    await page.route('**/api/v1/play/**', async (route) => {
      let response = await route.fetch()
      while (response.status() === 403) response = await route.fetch()
      await route.fulfill({ response })
    })
    await page.goto(site.publish(around(snippet)))
    await expectRefused(page, 'Too many attempts')
    await page.close()
  })
})
