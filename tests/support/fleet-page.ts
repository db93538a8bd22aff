// The fleet's page as an admin uses it: signs in, reads tiles, asks for machines; and what the page must never do.
import type { Browser, Locator, Page } from 'playwright-core'
import { openPage } from './browser.ts'
import type { Platform } from './platform.ts'

export interface FleetPage {
  page: Page
  /** Violations of the content security policy and errors of scripts; empty in a page that is well. */
  troubles: string[]
  /** Every URL that it has asked for. */
  asked: string[]
  signIn(key: string): Promise<void>
  tile(id: string): Locator
  /** What the tile's state has been called, from now on; the same word twice in a row is one. */
  looks(id: string): Promise<() => Promise<string[]>>
  /** What is said aloud, from now on. */
  hears(): Promise<() => Promise<string[]>>
  drain(id: string): Promise<void>
}

export async function openFleetPage(browser: Browser, { apiUrl }: Platform): Promise<FleetPage> {
  const page = await openPage(browser, { viewport: { width: 1200, height: 860 } })
  const troubles: string[] = []
  const asked: string[] = []
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
    )
  })
  page.on('pageerror', (error) => troubles.push(error.message))
  page.on('console', (message) => {
    if (message.text().startsWith('policy:')) troubles.push(message.text())
  })
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(new URL('/console/fleet.html', apiUrl).href)
  const tile = (id: string) => page.locator('.node').filter({ has: page.getByText(id, { exact: true }) })
  return {
    page,
    troubles,
    asked,
    tile,
    async signIn(key) {
      await page.getByLabel('Admin key').fill(key)
      await page.getByRole('button', { name: 'Sign in' }).click()
    },
    async looks(id) {
      // A machine that falls asleep moves to another list, with another element.
      const seen = await page.evaluateHandle((name) => {
        const words: string[] = []
        const look = () => {
          const tiles = [...document.querySelectorAll('.node')]
          const found = tiles.find((one) => one.querySelector('[data-part="id"]')?.textContent === name)
          const word = found?.querySelector('[data-part="look"]')?.textContent
          if (word && words.at(-1) !== word) words.push(word)
        }
        look()
        new MutationObserver(look).observe(document.body, {
          subtree: true,
          childList: true,
          characterData: true,
        })
        return words
      }, id)
      return () => seen.jsonValue()
    },
    async hears() {
      const heard = await page.locator('#status').evaluateHandle((status) => {
        const sentences: string[] = []
        const listen = () => sentences.push(status.textContent ?? '')
        new MutationObserver(listen).observe(status, { childList: true, characterData: true, subtree: true })
        return sentences
      })
      return () => heard.jsonValue()
    },
    async drain(id) {
      await page.getByRole('button', { name: `Drain ${id}`, exact: true }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click()
    },
  }
}
