// The console's access view in real Chromium on the real platform: keys, policies, sites and live sessions, by mouse and
// keyboard; and what a key of a smaller role gets to see of it.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { takeAccessPictures } from '../support/access-pictures.ts'
import { describeInBrowser, launchBrowser } from '../support/browser.ts'
import { type ConsolePage, openConsole } from '../support/console-page.ts'
import { drawFilm } from '../support/film.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

const pair = () =>
  generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })

describeInBrowser('the access view of the console', () => {
  let platform: Platform
  let tenant: Tenant
  let browser: Browser
  let console: ConsolePage
  let page: Page
  let folder: string
  let assetId: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'movidone-access-'))
    const film = join(folder, 'Harbour_lights.mp4')
    const parts = [startPlatform(), launchBrowser()] as const
    await drawFilm({ path: film, seconds: 4, frameRate: 12, size: '1280x720' })
    ;[platform, browser] = await Promise.all(parts)
    tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
    assetId = await tenant.upload(film, { title: 'Harbour lights' })
    const { error } = await tenant.until(assetId, ({ state }) => state === 'ready' || state === 'failed')
    expect(error).toBeUndefined()
    console = await openConsole(browser, platform)
    page = console.page
    await console.signIn(platform.tenant.apiKey)
    await console.card('Harbour lights').waitFor()
  })
  afterEach(async () => {
    await page.evaluate(() => {
      for (const dialog of document.querySelectorAll('dialog')) dialog.close()
    })
  })
  afterAll(async () => {
    await browser?.close()
    await platform?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  const sheet = (name: string): Locator => page.getByRole('region', { name, exact: true })
  const row = (within: string, text: string): Locator =>
    sheet(within).getByRole('listitem').filter({ hasText: text })
  const answer = (button: string) => page.getByRole('dialog').getByRole('button', { name: button }).click()
  const master = async (hlsUrl: string): Promise<string> => (await fetch(hlsUrl)).text()

  test('lies behind a link that can be reloaded, and gone back from', async () => {
    await page.getByRole('link', { name: 'Access' }).focus()
    await page.keyboard.press('Enter')
    await sheet('Default policy').waitFor()
    expect(await page.title()).toBe('Access · movidone console')
    expect(await console.card('Harbour lights').isHidden()).toBe(true)
    expect(await page.getByRole('link', { name: 'Access' }).getAttribute('aria-current')).toBe('page')
    await page.reload()
    await sheet('Default policy').waitFor()
    await page.goBack()
    await console.card('Harbour lights').waitFor()
    await page.goForward()
    await sheet('Signing keys').waitFor()
  })

  test('registers a public key that is pasted or chosen, and shows it', async () => {
    const keys = sheet('Signing keys')
    await keys.getByText('None yet').waitFor()
    await keys.getByLabel('Name').fill('web backend')
    await keys.getByLabel('Public key').fill(pair().publicKey)
    await keys.getByRole('button', { name: 'Register' }).click()
    const shown = row('Signing keys', 'web backend')
    await shown.getByText('In use').waitFor()
    expect(await shown.textContent()).toContain('EdDSA')
    const { json } = await tenant.call('GET', '/api/v1/signing-keys')
    expect(await shown.locator('code').textContent()).toBe(json.items[0].id)

    const path = join(folder, 'grants-public.pem')
    await writeFile(path, pair().publicKey)
    await keys.locator('input[type="file"]').setInputFiles(path)
    // Read in its own time; then the focus goes there.
    await expect.poll(() => keys.getByLabel('Public key').inputValue()).toContain('PUBLIC KEY')
    await keys.getByLabel('Name').fill('other backend')
    await keys.getByLabel('Name').press('Enter')
    await row('Signing keys', 'other backend').waitFor()
  })

  test('links to how grants are made, which is there', async () => {
    const link = sheet('Signing keys').getByRole('link', { name: 'How grants are made' })
    const reply = await fetch(new URL((await link.getAttribute('href')) ?? '', page.url()))
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8'])
    expect(await reply.text()).toContain('# 2. Grants')
  })

  test('keeps a private key from leaving the page, and says why another text is no key', async () => {
    const keys = sheet('Signing keys')
    let posts = 0
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().includes('/signing-keys')) posts += 1
    })
    await keys.getByLabel('Name').fill('a mistake')
    await keys.getByLabel('Public key').fill(pair().privateKey)
    await keys.getByRole('button', { name: 'Register' }).click()
    await keys.getByText('it was not sent').waitFor()
    expect(await keys.getByLabel('Public key').inputValue()).toBe('')
    expect(posts).toBe(0)

    await keys.getByLabel('Public key').fill('-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----')
    await keys.getByRole('button', { name: 'Register' }).click()
    await keys.getByRole('alert').filter({ hasText: 'public key' }).waitFor()
    expect(posts).toBe(1)
  })

  test('retires a key only when told twice, by keyboard alone', async () => {
    const press = async () => {
      await row('Signing keys', 'other backend').getByRole('button', { name: 'Retire other backend' }).focus()
      await page.keyboard.press('Enter')
      await page.getByRole('dialog', { name: 'Retire this key?' }).waitFor()
    }
    await press()
    await page.keyboard.press('Enter')
    expect(await row('Signing keys', 'other backend').textContent()).toContain('In use')
    await press()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await row('Signing keys', 'other backend').getByText('Retired').waitFor()
    const { json } = await tenant.call('GET', '/api/v1/signing-keys')
    expect(json.items.filter((key: { retiredAt?: string }) => key.retiredAt)).toHaveLength(1)
  })

  test('tells at its field what is wrong with a policy, and saves nothing of it', async () => {
    const policy = sheet('Default policy')
    const countries = policy.getByLabel('Countries', { exact: true })
    await countries.fill('fr, BEL')
    await policy.getByLabel('Streams per viewer').fill('3')
    await policy.getByRole('button', { name: 'Save' }).click()
    await policy.getByText('“BEL” must be a country').waitFor()
    expect(await countries.getAttribute('aria-invalid')).toBe('true')
    expect(await countries.evaluate((field) => document.activeElement === field)).toBe(true)
    expect(await policy.locator('[aria-invalid]').count()).toBe(1)
    expect((await tenant.call('GET', '/api/v1/tenant')).json.policy).toBeUndefined()
    await policy.getByRole('button', { name: 'Undo' }).click()
    expect(await countries.inputValue()).toBe('')
  })

  test('saves a policy that the sessions opened afterwards obey', async () => {
    const policy = sheet('Default policy')
    const before = await tenant.playback(assetId)
    expect(await master(before.hlsUrl)).toContain('x720')

    await policy.getByLabel('Highest resolution').selectOption('480')
    await policy.getByRole('button', { name: 'Save' }).click()
    await policy.getByText('Saved.').waitFor()
    expect((await tenant.call('GET', '/api/v1/tenant')).json.policy).toEqual({ maxResolution: 480 })
    const after = await master((await tenant.playback(assetId)).hlsUrl)
    expect(after).toContain('RESOLUTION=')
    expect(after).not.toContain('x720')

    // And so does the console's own player.
    await page.getByRole('link', { name: 'Titles' }).click()
    await console.card('Harbour lights').getByRole('button', { name: 'Play Harbour lights' }).click()
    await page.locator('#quality option').nth(1).waitFor({ state: 'attached' })
    const offered = await page.locator('#quality option').allTextContents()
    expect(offered).toContain('480p')
    expect(offered).not.toContain('720p')
    await page.keyboard.press('Escape')

    await page.getByRole('link', { name: 'Access' }).click()
    await page.reload()
    await sheet('Default policy').getByLabel('Highest resolution').waitFor()
    await page.waitForFunction(
      () => document.querySelector<HTMLSelectElement>('#policy-maxResolution')?.value === '480',
    )
    await policy.getByLabel('Highest resolution').selectOption('')
    await policy.getByRole('button', { name: 'Save' }).click()
    await policy.getByText('Saved.').waitFor()
    expect((await tenant.call('GET', '/api/v1/tenant')).json.policy).toEqual({})
  })

  test('keeps a list of sites, and says what is no site', async () => {
    const sites = sheet('Allowed sites')
    const add = async (text: string) => {
      await sites.getByLabel('Site', { exact: true }).fill(text)
      await page.keyboard.press('Enter')
    }
    await add('www.example.com/films')
    await row('Allowed sites', 'https://www.example.com').waitFor()
    await add('no site at all')
    await sites.getByText('must be an origin').waitFor()
    await row('Allowed sites', 'https://www.example.com').getByRole('button').click()
    await answer('Remove')
    await sites.getByText('None yet').waitFor()
    expect((await tenant.call('GET', '/api/v1/tenant')).json.allowedOrigins).toEqual([])
  })

  test('shows who watches, finds a viewer by name, and ends all that the viewer watches', async () => {
    const { hlsUrl } = await tenant.playback(assetId, { viewer: 'ann@example.com' })
    expect((await fetch(hlsUrl)).status).toBe(200)
    const sessions = sheet('Live sessions')
    await sessions.getByRole('listitem').first().waitFor()
    expect(await sessions.textContent()).not.toContain('ann@example.com')
    const find = async (viewer: string) => {
      await sessions.getByRole('searchbox').fill(viewer)
      await page.keyboard.press('Enter')
    }
    await find('bob')
    await sessions.getByText('Nobody of the name “bob”').waitFor()
    // Whoever is silent for half a minute no longer watches.
    expect((await fetch(hlsUrl)).status).toBe(200)
    await find('ann@example.com')
    await row('Live sessions', 'Harbour lights').waitFor()
    expect(await sessions.getByRole('listitem').count()).toBe(1)

    await sessions.getByRole('button', { name: 'End all of this viewer' }).click()
    await answer('End them')
    await sessions.getByText('Nobody of the name').waitFor()
    expect((await fetch(hlsUrl)).status).toBe(403)
    await sessions.getByRole('searchbox').fill('')
  })

  test('shows a new API key once, and what its role may see; retired, it is signed out', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    const keys = sheet('API keys')
    await keys.getByLabel('Name').fill('site backend')
    await keys.getByLabel('Role').selectOption('minter')
    await keys.getByRole('button', { name: 'Add a key' }).click()
    await keys.getByRole('button', { name: 'Copy' }).click()
    await page.locator('#status', { hasText: 'The key is on the clipboard.' }).waitFor({ state: 'attached' })
    const apiKey = await page.evaluate(() => navigator.clipboard.readText())
    expect(apiKey.startsWith(`${platform.tenant.id}.key_`)).toBe(true)
    expect((await asTenant(platform.apiUrl, apiKey).call('GET', '/api/v1/tenant')).status).toBe(200)
    await page.reload()
    await row('API keys', 'site backend').waitFor()
    expect(await page.content()).not.toContain(apiKey.split('.')[2])

    const smaller = await openConsole(browser, platform)
    await smaller.signIn(apiKey)
    await smaller.page.getByRole('link', { name: 'Access' }).click()
    const theirs = (name: string) => smaller.page.getByRole('region', { name, exact: true })
    await theirs('API keys').getByText('This key may not see API keys').waitFor()
    await theirs('Usage').getByText('This key may not see what is used').waitFor()
    expect(await theirs('API keys').getByRole('button', { name: 'Add a key' }).isHidden()).toBe(true)
    await theirs('Signing keys').getByRole('listitem').first().waitFor()
    await fetch((await asTenant(platform.apiUrl, apiKey).playback(assetId)).hlsUrl)
    await theirs('Live sessions').getByRole('listitem').first().waitFor()
    // What it sees and may not change says so where it is tried.
    await theirs('Default policy').getByRole('button', { name: 'Save' }).click()
    await theirs('Default policy').getByRole('alert').filter({ hasText: 'role' }).waitFor()

    await row('API keys', 'site backend').getByRole('button', { name: 'Retire site backend' }).click()
    await answer('Retire')
    await row('API keys', 'site backend').getByText('Retired').waitFor()
    await smaller.page.getByText('no longer valid').waitFor()
    expect(await smaller.page.evaluate(() => sessionStorage.length)).toBe(0)
    expect(await smaller.page.getByRole('listitem').count()).toBe(0)
    expect(smaller.troubles).toEqual([])
    await smaller.page.close()
  })

  test('opens no second session for a poster when the page is loaded anew', async () => {
    await page.getByRole('link', { name: 'Titles' }).click()
    const poster = console.card('Harbour lights').locator('img')
    await poster.waitFor()
    const used = async () => (await tenant.call('GET', '/api/v1/usage')).json.sessions
    const before = await used()
    await page.reload()
    await poster.waitFor()
    expect(await used()).toBe(before)
    await page.getByRole('link', { name: 'Access' }).click()
  })

  test('shows what is used', async () => {
    const usage = sheet('Usage')
    await usage.locator('[data-usage="titles"] dd', { hasText: /^1$/ }).waitFor()
    await usage.locator('[data-usage="sessions"] dd', { hasText: /^[1-9]\d*$/ }).waitFor()
  })

  test('fits a phone, and is not wider than it', async () => {
    await page.setViewportSize({ width: 360, height: 740 })
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    await page.setViewportSize({ width: 1280, height: 860 })
    expect(wider).toBeLessThanOrEqual(0)
    expect(console.troubles).toEqual([])
  })

  if (process.env['SCREENSHOT'] === '1')
    test('poses for the picture in the docs', () => takeAccessPictures(console, { tenant, assetId }), 120_000)
})
