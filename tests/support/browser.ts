// Real Chromium for tests: where it is, how it is started, and what happens when there is none.
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { describe, test } from 'vitest'

const places = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

const executablePath = places.find((place) => place && existsSync(place))

const advice =
  'no Chromium found: `apt-get install chromium` puts one where it is looked for, or set CHROMIUM_PATH'

/** For whatever is waited for: how long a busy machine takes is never what a test asks. */
const patienceMs = 200_000

/** Tests that need a browser: skipped where there is none, except in CI, where that is a failure. */
export function describeInBrowser(name: string, tests: () => void): void {
  if (executablePath) describe(name, tests)
  else if (process.env['CI'] === 'true')
    test(name, () => {
      throw new Error(advice)
    })
  else {
    console.warn(`Skipped: ${name} (${advice}).`)
    describe.skip(`${name} (${advice})`, tests)
  }
}

/** `autoplay` lets a page play sound without a click, as a page of players' tests has to. */
export function launchBrowser({ autoplay = false } = {}): Promise<Browser> {
  return chromium.launch({
    ...(executablePath ? { executablePath } : {}),
    timeout: patienceMs,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--mute-audio',
      ...(autoplay ? ['--autoplay-policy=no-user-gesture-required'] : []),
    ],
  })
}

export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await browser.newPage(options)
  page.setDefaultTimeout(patienceMs)
  return page
}
