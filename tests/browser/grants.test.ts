// A link with a grant in unchanged players: each follows the redirect to its session, and plays to the end.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeInBrowser, launchBrowser, openPage } from '../support/browser.ts'
import { drawFilm } from '../support/film.ts'
import { mediaPlaylists } from '../support/hls.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { type SecondOrigin, startSecondOrigin } from '../support/second-origin.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

const seconds = 6
const frameRate = 12
const run = promisify(execFile)

let platform: Platform
let tenant: Tenant
let site: SecondOrigin
let folder: string
let assetId: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-grants-'))
  const film = join(folder, 'film.mp4')
  await drawFilm({ path: film, seconds, frameRate, size: '640x360' })
  ;[platform, site] = await Promise.all([startPlatform(), startSecondOrigin()])
  tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
  await tenant.expectStatus(200, tenant.call('PATCH', '/api/v1/tenant', { allowedOrigins: [site.origin] }))
  assetId = await tenant.upload(film)
  await tenant.until(assetId, ({ state }) => state === 'ready')
})
afterAll(async () => {
  await Promise.all([site?.stop(), platform?.stop()])
  await rm(folder, { recursive: true, force: true })
})

/** Of a grant of its own, as a tenant would put it on a page or into a mail. */
async function link(ask: Record<string, unknown> = {}): Promise<string> {
  const minted = tenant.call('POST', `/api/v1/assets/${assetId}/grants`, ask)
  return (await tenant.expectStatus<{ hlsUrl: string }>(201, minted)).hlsUrl
}

describe('the redirect', () => {
  test('is the same session each time, for GET, HEAD and both manifests', async () => {
    const url = await link()
    const locations = new Set<string | null>()
    for (const [at, method] of [
      [url, 'GET'],
      [url, 'HEAD'],
      [url.replace('master.m3u8', 'manifest.mpd'), 'GET'],
    ] as const) {
      const reply = await fetch(at, { method, redirect: 'manual', headers: { origin: site.origin } })
      expect([reply.status, reply.headers.get('cache-control')]).toEqual([302, 'no-store'])
      expect(reply.headers.get('access-control-allow-origin')).toBe(site.origin)
      expect(reply.headers.get('content-length')).toBe('0')
      locations.add(reply.headers.get('location')?.replace(/\.[^.]+\.[^.]+\.[\w-]+\//, '.…/') ?? null)
    }
    expect(locations.size).toBe(1)
    expect([...locations][0]).toMatch(
      new RegExp(`^${platform.apiUrl}/api/v1/play/[\\w-]+\\.…/master\\.m3u8$`),
    )
  })

  test('of a preflight opens nothing', async () => {
    const url = await link({ viewer: 'of a preflight' })
    const reply = await fetch(url, {
      method: 'OPTIONS',
      redirect: 'manual',
      headers: { origin: site.origin },
    })
    expect([reply.status, reply.headers.get('location')]).toEqual([204, null])
    expect(reply.headers.get('access-control-allow-origin')).toBe(site.origin)
  })

  test('opens with a grant nothing but manifests', async () => {
    const url = await link()
    const { url: followed } = await fetch(url)
    const [playlist = ''] = await mediaPlaylists(followed)
    expect((await fetch(playlist)).status).toBe(200)
    const grant = url.split('/').at(-2) ?? ''
    const token = followed.split('/').at(-2) ?? ''
    for (const path of [
      playlist,
      playlist.replace('.m3u8', '/1.0/0.m4s'),
      followed.replace('master.m3u8', 'poster.jpg'),
    ])
      expect((await fetch(path.replace(token, grant))).status).toBe(403)
  })
})

describe('players that are programs', () => {
  const programs: Array<[string, string]> = [
    ['ffmpeg of the system', '/usr/bin/ffmpeg'],
    ['the static ffmpeg', 'node_modules/@ffmpeg-installer/linux-x64/ffmpeg'],
  ]
  test.for(programs)('%s plays it all', async ([, program], { skip }) => {
    skip(!existsSync(program), `there is no ${program}`)
    const output = ['-map', '0:v:0', '-c', 'copy', '-f', 'framecrc', '-']
    const args = ['-v', 'error', '-i', await link(), ...output]
    const { stdout } = await run(program, args, { timeout: 200_000, maxBuffer: 16 << 20 })
    expect(stdout.split('\n').filter((line) => /^\d/.test(line))).toHaveLength(seconds * frameRate)
  })

  test('curl -L gets the playlist, with the URL of the session to go on from', async ({ skip }) => {
    skip(!existsSync('/usr/bin/curl'), 'there is no curl')
    const args = ['-sSL', '-w', '\n%{http_code} %{url_effective}', await link()]
    const { stdout } = await run('curl', args, { timeout: 200_000 })
    expect(stdout).toMatch(/^#EXTM3U\n[\s\S]*\n200 http\S+\/master\.m3u8$/)
  })
})

describeInBrowser('players on a page of another origin', () => {
  let browser: Browser
  let page: Page
  beforeAll(async () => {
    browser = await launchBrowser({ autoplay: true })
    page = await openPage(browser)
    await page.goto(site.origin)
  })
  afterAll(() => browser?.close())

  test.each(['hls', 'shaka'] as const)('%s follows it, and plays to the last frame', async (player) => {
    const url = await link()
    const played = await page.evaluate(([name, at]) => window.players[name]({ url: at }), [
      player,
      url,
    ] as const)
    expect(played).toMatchObject({ ended: true, errors: [], frames: seconds * frameRate })
  })

  // The redirect must not say `no-referrer`: it would hold for the request that follows it.
  test.each(['hls', 'shaka'] as const)(
    '%s plays on the page that the policy names, and on no other',
    async (player) => {
      const play = async (referrers: string[]) => {
        const url = await link({ policy: { referrers } })
        // The test above plays in real time.
        return page.evaluate(([name, at]) => window.players[name]({ url: at, speed: 4 }), [
          player,
          url,
        ] as const)
      }
      expect(await play([site.origin])).toMatchObject({
        ended: true,
        errors: [],
        frames: seconds * frameRate,
      })
      const elsewhere = await play(['https://www.example.com'])
      expect(elsewhere).toMatchObject({ ended: false, frames: 0 })
      expect(elsewhere.errors.join()).toMatch(/403|1001/)
    },
  )

  test('a request without CORS shows its page after the redirect, too', async () => {
    const url = await link({ policy: { referrers: [site.origin] } })
    const [arrived] = await Promise.all([
      page.waitForResponse((response) => response.url().includes('/play/') && response.status() !== 302),
      page.evaluate((src) => {
        const image = new Image()
        image.src = src
        document.body.append(image)
      }, url),
    ])
    expect(await arrived.request().headerValue('origin')).toBeNull()
    expect(await arrived.request().headerValue('referer')).toBe(`${site.origin}/`)
    expect(arrived.status()).toBe(200)
  })
})
