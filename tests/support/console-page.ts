// The console as a person uses it: signs in, chooses files, reads cards; and what the page must never do.
import type { Browser, Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { openPage } from './browser.ts'
import type { Platform } from './platform.ts'

/** What the bar of a card showed: how much of what. */
export interface Shown {
  of: 'upload' | 'encode'
  percent: number
}

export interface ConsolePage {
  page: Page
  /** Violations of the content security policy and errors of scripts; empty in a page that is well. */
  troubles: string[]
  /** Requests to Blob storage: method, query of the operation, and what was answered. */
  puts: Array<{ operation: string; blockId: string | null; status: number }>
  signIn(key: string): Promise<void>
  card(title: string): Locator
  /** All that the bar of this title's card shows from now on, whether there is a card already or not. */
  bar(title: string): Promise<() => Promise<Shown[]>>
}

export async function openConsole(browser: Browser, platform: Platform): Promise<ConsolePage> {
  const page = await openPage(browser, { viewport: { width: 1280, height: 860 } })
  const troubles: string[] = []
  const puts: ConsolePage['puts'] = []
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
    )
  })
  page.on('pageerror', (error) => troubles.push(error.message))
  page.on('console', (message) => {
    if (message.text().startsWith('policy:')) troubles.push(message.text())
  })
  page.on('response', (response) => {
    const url = new URL(response.url())
    if (response.request().method() !== 'PUT') return
    puts.push({
      operation: url.searchParams.get('comp') ?? '',
      blockId: url.searchParams.get('blockid'),
      status: response.status(),
    })
  })
  await page.goto(new URL('/console/', platform.apiUrl).href)
  const card = (title: string) =>
    page.locator('.card').filter({ has: page.getByRole('heading', { name: title, exact: true }) })
  return {
    page,
    troubles,
    puts,
    card,
    async signIn(key) {
      await page.getByLabel('Tenant key').fill(key)
      await page.getByRole('button', { name: 'Sign in' }).click()
    },
    async bar(title) {
      const seen = await page.evaluateHandle((name) => {
        const shown: Shown[] = []
        const look = () => {
          const cards = [...document.querySelectorAll('.card')]
          const found = cards.find((one) => one.querySelector('h2')?.textContent === name)
          const bar = found?.querySelector('progress')
          if (!bar || bar.hidden) return
          const of = bar.getAttribute('aria-label')?.endsWith('uploaded') ? 'upload' : 'encode'
          const last = shown.at(-1)
          if (last?.of !== of || last.percent !== bar.value) shown.push({ of, percent: bar.value })
        }
        new MutationObserver(look).observe(document.body, {
          subtree: true,
          childList: true,
          attributes: true,
        })
        return shown
      }, title)
      return () => seen.jsonValue()
    },
  }
}

/** Two climbs: of the whole upload, then of as much of the encode as was looked at; neither ever falls. */
export function expectClimbs(shown: Shown[]): void {
  const percentOf = (what: Shown['of']) => shown.flatMap(({ of, percent }) => (of === what ? [percent] : []))
  const [upload, encode] = [percentOf('upload'), percentOf('encode')]
  expect(shown.map(({ of }) => of)).toEqual([...upload.map(() => 'upload'), ...encode.map(() => 'encode')])
  expect([upload[0], upload.at(-1)]).toEqual([0, 100])
  for (const climb of [upload, encode]) expect(climb).toEqual(climb.toSorted((a, b) => a - b))
}
