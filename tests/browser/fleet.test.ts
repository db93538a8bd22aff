// The console's fleet page in real Chromium on the real platform: machines that are processes wake by a button, work for
// an encode, are drained, and sleep; and nobody but an admin sees any of it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readLocalJson } from '../../host/platform/local-json.ts'
import { describeInBrowser, launchBrowser } from '../support/browser.ts'
import { openConsole } from '../support/console-page.ts'
import { drawFilm, repeatFilm } from '../support/film.ts'
import { type Fleet, fleetOf } from '../support/fleet.ts'
import { type FleetPage, openFleetPage } from '../support/fleet-page.ts'
import { takeFleetPicture } from '../support/fleet-picture.ts'
import { type HeldFfmpeg, heldFfmpeg } from '../support/held-ffmpeg.ts'
import { type Platform, startPlatform } from '../support/platform.ts'

/** Of less patience than those that `npm start` has. */
const pool = (name: string, groups: Array<{ name: string; zone: string; count: number }>) => ({
  name,
  groups: groups.map((group) => ({ ...group, size: 'Standard_F8s_v2', pricePerHour: 0.42 })),
  ...{ maximum: 2, bootSeconds: 3, goalSeconds: 10, coolSeconds: 4, staySeconds: 4 },
  ...{ lateSeconds: 60, drainSeconds: 60, budgetPerHour: 5, budgetPerMonth: 900 },
})
const zone = (n: number, count: number) => ({ name: `z${n}`, zone: String(n), count })
const pools = {
  currency: 'EUR',
  pools: [pool('encoder', [zone(1, 2), zone(2, 2)]), pool('edge', [zone(1, 1)])],
}
const [first, second] = ['encoder-z1-1', 'encoder-z1-2'] as const

describeInBrowser('the fleet page of the console', () => {
  let platform: Platform
  let browser: Browser
  let fleet: FleetPage
  let folder: string
  let ffmpeg: HeldFfmpeg
  let machines: Fleet

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'movidone-fleet-'))
    ffmpeg = heldFfmpeg(folder)
    const env = {
      ...{ FLEET_POOLS: JSON.stringify(pools), ENCODE_FLEET_SECONDS: '1', MOVIDONE_BOOT_SECONDS: '3' },
      // The app leaves it to machines, however long they take.
      ...{ ENCODE_BEGINNING_SECONDS: '0', ENCODE_FLEET_PATIENCE_SECONDS: '600', ...ffmpeg.env },
    }
    const parts = [startPlatform({ env }), launchBrowser()] as const
    await drawFilm({ path: join(folder, 'short.mp4'), seconds: 8, size: '640x360' })
    await repeatFilm({ from: join(folder, 'short.mp4'), to: join(folder, 'Regatta.mp4'), seconds: 24 })
    ;[platform, browser] = await Promise.all(parts)
    fleet = await openFleetPage(browser, platform)
    const { folder: stateDirectory, ...local } = platform
    machines = fleetOf({ local: () => readLocalJson(stateDirectory) ?? local, stateDirectory })
  })
  afterAll(async () => {
    await browser?.close()
    await platform?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  /** As the platform lists them. */
  const processes = (): string[] => (readLocalJson(platform.folder)?.processes ?? []).map(({ name }) => name)
  const ask = async (headers: Record<string, string>, name = ''): Promise<Response> =>
    fetch(`${platform.apiUrl}/api/v1/fleet/pools${name}`, { headers })
  const admin = () => ({ 'x-movidone-admin': platform.adminKey })

  test('opens to the admin key alone: a tenant’s key gets nothing, by the page or by the API', async () => {
    expect((await ask(admin())).status).toBe(200)
    const { apiKey } = platform.tenant
    expect((await ask({ authorization: `Bearer ${apiKey}` })).status).toBe(401)
    expect((await ask({ 'x-movidone-admin': apiKey })).status).toBe(401)

    const { page, signIn } = fleet
    await signIn(apiKey)
    await page.getByText('not the admin key').waitFor()
    expect(await page.locator('#console').isHidden()).toBe(true)
    expect(await page.locator('.node').count()).toBe(0)
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0)
  })

  test('keeps the key for this tab, and out of every URL', async () => {
    const { page, signIn, asked, tile } = fleet
    await signIn(platform.adminKey)
    await tile(first).waitFor()
    await page.reload()
    await tile(first).waitFor()
    expect(await page.evaluate(() => [localStorage.length, document.cookie])).toEqual([0, ''])
    expect(asked.filter((url) => url.includes(platform.adminKey))).toEqual([])
    expect(page.url()).not.toContain('#')
  })

  test('shows each pool: its machines asleep, what is wanted and what it costs', async () => {
    const encoders = fleet.page.getByRole('region', { name: 'Encoders' })
    expect(await encoders.getByText('Nothing to encode').count()).toBe(1)
    for (const id of [first, second]) expect(await fleet.tile(id).textContent()).toContain('Asleep')
    expect(await encoders.locator('[data-cost="hour"]').textContent()).toMatch(/€0\.00\s+of €5\.00/)
    const edges = fleet.page.getByRole('region', { name: 'Edges' })
    expect(await edges.locator('.node').count()).toBe(1)
  })

  test('a film that is big enough wakes machines, says so on its card, and they go back to sleep', async () => {
    const { page, tile, looks } = fleet
    // Longer than the pages take to look.
    await machines.fault({ kind: 'slow-boot', seconds: 10, times: 2 })
    const console = await openConsole(browser, platform)
    await console.signIn(platform.tenant.apiKey)
    await console.page.getByText('No titles yet').waitFor()
    const seen = await looks(first)
    ffmpeg.hold()
    await console.page.locator('#file').setInputFiles(join(folder, 'Regatta.mp4'))
    const card = console.card('Regatta')
    await card.getByText('Waking encoders…').waitFor()
    await tile(first).locator('.holds li').first().waitFor()
    expect(await tile(first).locator('.holds').textContent()).toMatch(/chunk \d+ of ast_\w+-v1/)
    ffmpeg.release()
    await card.locator('.state', { hasText: 'Ready' }).waitFor()
    await page.waitForFunction(() => !document.querySelector('[data-part="awake"] .node'))
    const words = await seen()
    expect(words[0]).toBe('Asleep')
    for (const word of ['Waking', 'Working', 'Asleep']) expect(words).toContain(word)
    expect(await machines.stateOf(first)).toBe('stopped')
    expect(console.troubles).toEqual([])
    await console.page.close()
  })

  if (process.env['SCREENSHOT'] === '1')
    test('poses for the picture in the docs', () => takeFleetPicture(fleet, platform), 240_000)

  test('wakes a machine by a button, and says aloud when it is ready', async () => {
    const { page, tile, looks, hears } = fleet
    const [seen, heard] = [await looks(first), await hears()]
    const encoders = page.getByRole('region', { name: 'Encoders' })
    await encoders.getByRole('button', { name: 'Wake' }).click()
    await encoders.getByText(/At least 1 awake until/).waitFor()
    await tile(first).getByText('Awake', { exact: true }).waitFor()
    expect(new Set(await seen())).toEqual(new Set(['Asleep', 'Waking', 'Awake']))
    expect(await machines.stateOf(first)).toBe('ready')
    expect(await machines.stateOf(second)).toBe('stopped')
    expect(await heard()).toContainEqual(expect.stringContaining(`${first}: awake.`))
    await expect.poll(processes).toContain(first)
    expect(await encoders.locator('[data-cost="hour"] [data-part="amount"]').textContent()).not.toBe('€0.00')
  })

  test('tells at its field what can not be asked for', async () => {
    const form = fleet.page.locator('.pool[data-pool="encoder"] [data-form="wake"]')
    const field = form.locator('input')
    await form.evaluate((element: HTMLFormElement) => {
      element.noValidate = true
    })
    await field.fill('0')
    await form.getByRole('button').click()
    await form.locator('[data-error="nodes"]:not(:empty)').waitFor()
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    expect(await field.evaluate((element) => document.activeElement === element)).toBe(true)
    await field.fill('1')
  })

  test('drains only when told twice, by keyboard alone; then the machine goes to sleep', async () => {
    const { page, tile, looks } = fleet
    const form = page.locator('.pool[data-pool="encoder"] [data-form="drain"]')
    const press = async () => {
      await form.locator('input').focus()
      await page.keyboard.press('Enter')
      await page.getByRole('dialog', { name: 'Drain 1 machine?' }).waitFor()
    }
    await press()
    await page.keyboard.press('Escape')
    expect(await machines.stateOf(first)).toBe('ready')
    const seen = await looks(first)
    await press()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await tile(first).getByText('Asleep', { exact: true }).waitFor()
    const words = await seen()
    expect([words[0], words.at(-1)]).toEqual(['Awake', 'Asleep'])
    expect(words.slice(1, -1).every((word) => ['Draining', 'Going to sleep'].includes(word))).toBe(true)
    expect(await machines.stateOf(first)).toBe('stopped')
    await expect.poll(processes).not.toContain(first)
    await page.getByText(/At most 0 awake until/).waitFor()
  })

  test('takes back what was asked, by a button that goes with it', async () => {
    const { page } = fleet
    const takeBack = page.getByRole('button', { name: 'Take back what was asked of encoders' })
    await takeBack.click()
    await page.getByText(/At most 0 awake until/).waitFor({ state: 'hidden' })
    expect(await takeBack.isVisible()).toBe(false)
    const pool = await (await ask(admin(), '/encoder')).json()
    expect(['floor' in pool, 'ceiling' in pool]).toEqual([false, false])
  })

  test('drains a single machine, which is one of two', async () => {
    const { page, tile, looks, drain } = fleet
    const wake = page.locator('.pool[data-pool="encoder"] [data-form="wake"]')
    await wake.locator('input').fill('2')
    await wake.getByRole('button').click()
    for (const id of [first, second]) await tile(id).getByText('Awake', { exact: true }).waitFor()
    const seen = await looks(second)
    await drain(second)
    await tile(second).getByText('Asleep', { exact: true }).waitFor()
    const between = (await seen()).slice(1, -1)
    expect(between.length).toBeGreaterThan(0)
    expect(between.filter((word) => !['Draining', 'Going to sleep'].includes(word))).toEqual([])
    expect(await machines.stateOf(first)).toBe('ready')
  })

  test('asks nothing while nobody looks, and goes on afterwards', async () => {
    const { page, asked } = fleet
    const polls = () => asked.filter((url) => url.endsWith('/fleet/pools')).length
    // Counted by the clock of the page: it looks every two seconds.
    const askedUnseen = await page.evaluate(async () => {
      const hide = (value: boolean) => {
        Object.defineProperty(document, 'hidden', { value, configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
      }
      const real = window.fetch
      let count = 0
      window.fetch = (...request) => {
        count += 1
        return real(...request)
      }
      hide(true)
      await new Promise((resolve) => setTimeout(resolve, 3000))
      const unseen = count
      window.fetch = real
      hide(false)
      return unseen
    })
    expect(askedUnseen).toBe(0)
    const before = polls()
    await expect.poll(polls).toBeGreaterThan(before)
  })

  test('says since when it does not know, and does not make things up meanwhile', async () => {
    const { page, tile } = fleet
    await page.route('**/fleet/pools', (route) => route.abort())
    await page.getByText(/does not answer.*Below is how it was/).waitFor()
    expect(await tile(first).isVisible()).toBe(true)
    await page.unroute('**/fleet/pools')
    await page.locator('#stale').waitFor({ state: 'hidden' })
  })

  test.each([320, 768])('fits %i pixels, and is not wider', async (width) => {
    const { page } = fleet
    await page.setViewportSize({ width, height: 740 })
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    await page.setViewportSize({ width: 1200, height: 860 })
    expect(wider).toBeLessThanOrEqual(0)
  })

  test('forgets everything on signing out, and broke no rule of its policy on the whole way', async () => {
    const { page, troubles } = fleet
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Admin key').waitFor()
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0)
    expect(await page.locator('.node').count()).toBe(0)
    expect(troubles).toEqual([])
  })
})
