// The keys that the tenant's own backend signs grants with: their public halves are registered here and retired.
import type { Api, SigningKey } from './api.ts'
import type { Confirm } from './confirm.ts'
import { control, onSubmit } from './form.ts'
import { announce, part } from './page.ts'
import { createRows, inUseFirst, type Row, type RowState } from './rows.ts'
import { createSection } from './section.ts'
import { moment } from './wording.ts'

/** A private key that was pasted by mistake must not leave the page. */
const isPrivate = (text: string): boolean => /PRIVATE KEY/i.test(text) || /"(d|k)"\s*:/.test(text)

export function createSigningKeys({ api, confirm }: { api: Api; confirm: Confirm }) {
  const section = createSection('#signing-keys', 'signing keys')
  const show = createRows(part('#signing-keys-list', HTMLElement), part('#signing-keys-none', HTMLElement))
  const form = part('#signing-keys-form', HTMLFormElement)
  const pem = control(form, 'publicKey')
  const file = part('#signing-keys-file', HTMLInputElement)

  function stateOf({ retiredAt, revokedAt }: SigningKey): RowState {
    if (revokedAt) return { words: `Revoked ${moment(revokedAt)}`, tone: 'bad' }
    return retiredAt
      ? { words: `Retired ${moment(retiredAt)}`, tone: 'soft' }
      : { words: 'In use', tone: 'good' }
  }

  const rowOf = (key: SigningKey): Row => ({
    key: key.id,
    name: key.name,
    code: key.id,
    detail: `${key.algorithm} · since ${moment(key.createdAt)}`,
    state: stateOf(key),
    actions: [
      ...(key.retiredAt || key.revokedAt
        ? []
        : [{ words: 'Retire', label: `Retire ${key.name}`, press: () => void retire(key) }]),
      ...(key.revokedAt
        ? []
        : [{ words: 'Revoke', label: `Revoke ${key.name}`, danger: true, press: () => void revoke(key) }]),
    ],
  })

  const load = () => section.load(async () => show(inUseFirst((await api.signingKeys()).items).map(rowOf)))

  async function retire(key: SigningKey): Promise<void> {
    const sure = await confirm({
      heading: 'Retire this key?',
      words: `Grants signed with “${key.name}” open nothing more, and it can not be taken back into use. Who watches already goes on watching.`,
      act: 'Retire',
    })
    if (sure && (await section.act(() => api.retireSigningKey(key.id)))) announce(`${key.name} is retired.`)
    if (sure) await load()
  }

  async function revoke(key: SigningKey): Promise<void> {
    const sure = await confirm({
      heading: 'Revoke this key?',
      words: `For a key that got into the wrong hands: grants signed with “${key.name}” open nothing more, and whatever they opened stops within seconds.`,
      act: 'Revoke',
    })
    if (sure && (await section.act(() => api.revoke({ signingKeyId: key.id }))))
      announce(`${key.name} is revoked.`)
    if (sure) await load()
  }

  file.onchange = async () => {
    const [chosen] = file.files ?? []
    // A key has some hundred characters; what is larger is another file.
    if (chosen) pem.value = chosen.size < 20_000 ? await chosen.text() : ''
    // Choosing the same file once more must count as a change.
    file.value = ''
    pem.focus()
  }

  onSubmit(form, {
    async send() {
      if (isPrivate(pem.value)) {
        pem.value = ''
        throw new Error(
          'That was the private half, and it was not sent. Keep it in your backend, and paste the public one.',
        )
      }
      const name = control(form, 'name').value.trim()
      await api.registerSigningKey({ name, publicKey: pem.value.trim() })
      form.reset()
      announce(`${name} is registered.`)
      await load()
    },
  })

  return { load }
}
