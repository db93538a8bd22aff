// The tenant's API keys: listed, made with a role and shown once, and retired.
import type { Api, ApiKey, Role } from './api.ts'
import type { Confirm } from './confirm.ts'
import { offerCopy } from './copy.ts'
import { control, onSubmit } from './form.ts'
import { announce, part, write } from './page.ts'
import { createRows, inUseFirst, type Row } from './rows.ts'
import { createSection } from './section.ts'
import { moment } from './wording.ts'

const roleWords: Record<Role, string> = {
  owner: 'Owner',
  uploader: 'Uploader',
  minter: 'Minter',
  statistics: 'Statistics',
}

/** `ownKeyId` is the key that this page signed in with. */
export function createApiKeys({ api, confirm, ownKeyId }: { api: Api; confirm: Confirm; ownKeyId: string }) {
  const section = createSection('#api-keys', 'API keys')
  const show = createRows(part('#api-keys-list', HTMLElement), part('#api-keys-none', HTMLElement))
  const form = part('#api-keys-form', HTMLFormElement)
  const fresh = part('#api-keys-fresh', HTMLElement)
  const secret = part('#api-keys-secret', HTMLElement)
  offerCopy(part('#api-keys-copy', HTMLButtonElement), secret, 'The key')

  const hide = () => {
    fresh.hidden = true
    write(secret, '')
  }
  part('#api-keys-done', HTMLButtonElement).onclick = () => {
    hide()
    control(form, 'name').focus()
  }

  const rowOf = (key: ApiKey): Row => ({
    key: key.id,
    name: key.name,
    code: key.id,
    detail: `${roleWords[key.role] ?? key.role} · since ${moment(key.createdAt)}${key.id === ownKeyId ? ' · used by this page' : ''}`,
    state: key.retiredAt
      ? { words: `Retired ${moment(key.retiredAt)}`, tone: 'soft' }
      : { words: 'In use', tone: 'good' },
    actions: key.retiredAt
      ? []
      : [{ words: 'Retire', label: `Retire ${key.name}`, danger: true, press: () => void retire(key) }],
  })

  const load = () => section.load(async () => show(inUseFirst((await api.apiKeys()).items).map(rowOf)))

  async function retire(key: ApiKey): Promise<void> {
    const own =
      key.id === ownKeyId ? ' It is the key that you are signed in with: you will be signed out.' : ''
    const sure = await confirm({
      heading: 'Retire this key?',
      words: `Whatever uses “${key.name}” is refused within seconds, and it can not be taken back into use.${own}`,
      act: 'Retire',
    })
    if (sure && (await section.act(() => api.retireApiKey(key.id)))) announce(`${key.name} is retired.`)
    if (sure) await load()
  }

  onSubmit(form, {
    async send() {
      const role = control(form, 'role').value as Role
      const { apiKey } = await api.addApiKey({ name: control(form, 'name').value.trim(), role })
      form.reset()
      write(secret, apiKey)
      fresh.hidden = false
      part('#api-keys-copy', HTMLButtonElement).focus()
      await load()
    },
  })

  return { load, hide }
}
