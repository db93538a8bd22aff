// What the tenant uses beside what it may use.
import type { Api, Limits, Usage } from './api.ts'
import { part, write } from './page.ts'
import { createSection } from './section.ts'
import { bytes, usageWords } from './wording.ts'

const count = (value: number): string => Math.ceil(value).toLocaleString('en')

const shown: Array<{ what: keyof Limits; words(value: number): string }> = [
  { what: 'titles', words: count },
  { what: 'bytes', words: bytes },
  { what: 'encodedMinutes', words: (minutes) => `${count(minutes)} min` },
  { what: 'sessions', words: count },
]

export function createUsage(api: Api) {
  const section = createSection('#usage', 'what is used')

  function display(usage: Usage): void {
    for (const { what, words } of shown) {
      const limit = usage.limits[what]
      const line = part(`[data-usage="${what}"]`, HTMLElement, section.element)
      write(part('dd', HTMLElement, line), usageWords(usage[what], limit, words))
      const bar = part('progress', HTMLProgressElement, line)
      bar.hidden = limit === undefined
      bar.max = limit || 1
      bar.value = limit === 0 ? 1 : usage[what]
      bar.dataset['full'] = String(limit !== undefined && usage[what] >= limit)
    }
  }

  return { load: () => section.load(async () => display(await api.usage())) }
}
