// How a title gets onto a page of the tenant's own: lines that play at once, lines to stay, and which sites may.
import type { Api, Asset } from './api.ts'
import type { Confirm } from './confirm.ts'
import { offerCopy } from './copy.ts'
import { control, onSubmit } from './form.ts'
import { announce, part, write } from './page.ts'
import { createSites } from './sites.ts'
import { snippet } from './snippet.ts'
import { moment } from './wording.ts'

/** Where the script lies for pages that the film is reached from at `url`. */
const scriptAt = (url: string): string => new URL('/console/embed.js', url).href

export function createEmbedDialog({ api, confirm }: { api: Api; confirm: Confirm }) {
  const dialog = part('#embed', HTMLDialogElement)
  const form = part('#embed-form', HTMLFormElement)
  const made = part('#embed-made', HTMLElement)
  const now = part('#embed-now', HTMLTextAreaElement)
  const until = part('#embed-until', HTMLElement)
  const lasting = part('#embed-lasting', HTMLTextAreaElement)
  const sites = createSites({ api, confirm, name: 'embed-sites' })
  part('#embed-close', HTMLButtonElement).onclick = () => dialog.close()
  offerCopy(part('#embed-now-copy', HTMLButtonElement), now, 'The snippet')
  offerCopy(part('#embed-lasting-copy', HTMLButtonElement), lasting, 'The template')

  return (asset: Asset): void => {
    write(part('#embed-title', HTMLElement), `Embed “${asset.title}”`)
    made.hidden = true
    now.value = ''
    lasting.value = snippet('{{ hlsUrl }}', scriptAt(location.href))
    onSubmit(form, {
      async send() {
        const viewers = Number(control(form, 'maxClients').value)
        const grant = await api.grant(asset.id, {
          expiresInSeconds: Number(control(form, 'expiresInSeconds').value),
          ...(viewers > 1 ? { policy: { maxClients: viewers } } : {}),
        })
        now.value = snippet(grant.hlsUrl, scriptAt(grant.hlsUrl))
        write(
          until,
          `It can be started until ${moment(grant.expiresAt)}, by ${viewers > 1 ? `${viewers} viewers` : 'one viewer'} at a time.`,
        )
        made.hidden = false
        announce('The snippet is made.')
        part('#embed-now-copy', HTMLButtonElement).focus()
      },
    })
    dialog.showModal()
    void sites.load()
  }
}
