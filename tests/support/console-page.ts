// The console as a person uses it: signs in, chooses files, reads cards; and what the page must never do.
import type { Browser, Locator, Page } from 'playwright-core'
import type { Platform } from './platform.ts'

export interface ConsolePage {
  page: Page
  /** Violations of the content security policy and errors of scripts; empty in a page that is well. */
  troubles: string[]
  /** Requests to Blob storage: method, query of the operation, and what was answered. */
  puts: Array<{ operation: string; blockId: string | null; status: number }>
  signIn(key: string): Promise<void>
  card(title: string): Locator
  /** Every percentage that the card of this title shows, from now on. */
  percentages(title: string): Promise<() => Promise<number[]>>
}

export async function openConsole(browser: Browser, platform: Platform): Promise<ConsolePage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } })
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
    async percentages(title) {
      const progress = await card(title).locator('progress').elementHandle()
      const seen = await progress!.evaluateHandle((bar: HTMLProgressElement) => {
        const values: number[] = [bar.value]
        new MutationObserver(() => {
          if (values.at(-1) !== bar.value || bar.hidden) values.push(bar.value)
        }).observe(bar, { attributes: true, attributeFilter: ['value', 'hidden', 'aria-label'] })
        return values
      })
      return () => seen.jsonValue()
    },
  }
}
