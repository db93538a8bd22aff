// The sites whose pages may play: read, added and taken away, in the part of the page and in the dialog of a snippet.
import type { Api, Tenant } from './api.ts'
import type { Confirm } from './confirm.ts'
import { onSubmit } from './form.ts'
import { announce, part, write } from './page.ts'
import { createRows } from './rows.ts'
import { createSection } from './section.ts'
import { originOf } from './snippet.ts'

interface SitesOptions {
  api: Api
  confirm: Confirm
  /** Of the elements: `#{name}` the part, `#{name}-list`, `#{name}-none`, `#{name}-pages` and `#{name}-form` with its field. */
  name: string
}

export function createSites({ api, confirm, name }: SitesOptions) {
  const section = createSection(`#${name}`, 'which sites may play')
  const show = createRows(part(`#${name}-list`, HTMLElement), part(`#${name}-none`, HTMLElement))
  const form = part(`#${name}-form`, HTMLFormElement)
  const field = part('input', HTMLInputElement, form)
  const pages = part(`#${name}-pages`, HTMLElement)

  function display({ allowedOrigins, policy }: Tenant): void {
    const wanted = policy?.referrers ?? []
    write(
      pages,
      wanted.length > 0 ? `The default policy also wants the page to be on ${wanted.join(' or ')}.` : '',
    )
    show(
      allowedOrigins.map((origin) => ({
        key: origin,
        name: origin,
        detail: '',
        actions: [
          { words: 'Remove', label: `Remove ${origin}`, danger: true, press: () => void remove(origin) },
        ],
      })),
    )
  }

  /** From what is there now, not from what was shown: somebody else may have changed it. */
  async function change(next: (origins: string[]) => string[]): Promise<void> {
    const { allowedOrigins } = await api.tenant()
    display(await api.changeTenant({ allowedOrigins: next(allowedOrigins) }))
  }

  async function remove(origin: string): Promise<void> {
    const sure = await confirm({
      heading: 'Remove this site?',
      words: `Players on the pages of ${origin} can read nothing more within seconds.`,
      act: 'Remove',
    })
    if (!sure) return
    const gone = await section.act(() => change((origins) => origins.filter((other) => other !== origin)))
    if (gone) announce(`${origin} is removed.`)
  }

  onSubmit(form, {
    async send() {
      const origin = originOf(field.value)
      await change((origins) => (origins.includes(origin) ? origins : [...origins, origin]))
      field.value = ''
      announce(`${origin} may play now.`)
    },
    fieldOf: () => field.name,
  })

  return {
    load: () => section.load(async () => display(await api.tenant())),
  }
}
