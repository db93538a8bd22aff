// Who watches now: asked for every few seconds while somebody looks, each with a button that ends it.
import type { Api, LiveSession } from './api.ts'
import type { Confirm } from './confirm.ts'
import { announce, part, write } from './page.ts'
import { pause } from './patience.ts'
import { createRows, type Row } from './rows.ts'
import { createSection } from './section.ts'
import { agoWords, moment } from './wording.ts'

const everyMs = 3000

export interface LiveSessionsOptions {
  api: Api
  signal: AbortSignal
  confirm: Confirm
  titleName(assetId: string): Promise<string>
}

export function createLiveSessions({ api, signal, confirm, titleName }: LiveSessionsOptions) {
  const section = createSection('#sessions', 'who is watching')
  const show = createRows(part('#sessions-list', HTMLElement), part('#sessions-none', HTMLElement))
  const none = part('#sessions-none', HTMLElement)
  const search = part('#sessions-search', HTMLFormElement)
  const field = part('#sessions-viewer', HTMLInputElement)
  const endAll = part('#sessions-end', HTMLButtonElement)
  let viewer = ''
  let visible = false
  let stir = new AbortController()

  const rowOf = async (session: LiveSession): Promise<Row> => {
    const { sessionId, assetId, viewer: who, client, openedAt, seenAt } = session
    const name = await titleName(assetId)
    const seen = agoWords(Date.now() - Date.parse(seenAt))
    return {
      key: `${sessionId} ${client}`,
      name,
      detail: `viewer ${who} · client ${client} · since ${moment(openedAt)} · seen ${seen}`,
      actions: [
        {
          words: 'End',
          label: `End the session of ${name}, viewer ${who}`,
          danger: true,
          press: () => void end(session, name),
        },
      ],
    }
  }

  const refresh = () =>
    section.load(async () => {
      const asked = viewer
      const { items } = await api.sessions(asked)
      // They come in the order in which they were seen, which changes all the time.
      const steady = items.toSorted((a, b) =>
        a.openedAt === b.openedAt ? 0 : a.openedAt < b.openedAt ? 1 : -1,
      )
      const rows = await Promise.all(steady.map(rowOf))
      if (signal.aborted || asked !== viewer) return
      write(none, asked ? `Nobody of the name “${asked}” is watching now.` : 'Nobody is watching now.')
      show(rows)
      endAll.hidden = asked === ''
    })

  async function end({ sessionId }: LiveSession, name: string): Promise<void> {
    const sure = await confirm({
      heading: 'End this session?',
      words: `“${name}” stops for this viewer within seconds, and the session does not come back. The viewer may open another one.`,
      act: 'End it',
    })
    if (!sure) return
    if (await section.act(() => api.revoke({ sessionId }))) announce('The session is ended.')
    await refresh()
  }

  endAll.onclick = async () => {
    const name = viewer
    const sure = await confirm({
      heading: 'End all sessions of this viewer?',
      words: `Everything that “${name}” watches stops within seconds, and grants made for them before now open nothing more.`,
      act: 'End them',
      keep: 'Keep them',
    })
    if (!sure) return
    if (await section.act(() => api.revoke({ viewer: name }))) announce(`The sessions of ${name} are ended.`)
    await refresh()
  }

  search.onsubmit = (event) => {
    event.preventDefault()
    viewer = field.value.trim()
    void refresh()
  }
  // The field's own cross, and an emptied field, show everybody again.
  field.oninput = () => {
    if (field.value === '' && viewer !== '') search.requestSubmit()
  }

  async function watch(): Promise<void> {
    while (!signal.aborted) {
      // A role that may not see them does not grow while it waits.
      if (visible && !document.hidden && !(await refresh())) return
      await pause(everyMs, AbortSignal.any([signal, stir.signal])).catch(() => {
        stir = new AbortController()
      })
    }
  }
  const wake = () => stir.abort()
  document.addEventListener('visibilitychange', wake, { signal })
  signal.addEventListener('abort', () => show([]))

  return {
    watch,
    look(looking: boolean): void {
      visible = looking
      if (looking) wake()
    },
  }
}
