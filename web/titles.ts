// The list of titles: loads it, keeps the moving ones up to date, and says aloud what became of them.
import type { Api, Asset } from './api.ts'
import { ApiProblem } from './call.ts'
import { type Card, createCard } from './card.ts'
import type { Confirm, Question } from './confirm.ts'
import { announce, notice, part } from './page.ts'
import { pause } from './patience.ts'
import { createPosters } from './posters.ts'
import { cancelling, deleting, encodingAnew, endingSessions } from './questions.ts'
import { nextUnderWay } from './wording.ts'

export interface TitlesOptions {
  api: Api
  signal: AbortSignal
  play(asset: Asset): void
  embed(asset: Asset): void
  confirm: Confirm
}

/** A file of this tab that is on its way; its card is the sender's until it is done. */
interface Sender {
  cancel(): void
  retry(): void
}

interface Entry {
  asset: Asset
  card: Card
  sender?: Sender
}

export type Titles = ReturnType<typeof createTitles>

const fastestMs = 1000
const slowestMs = 8000

export function createTitles({ api, signal, play, embed, confirm }: TitlesOptions) {
  const list = part('#title-list', HTMLElement)
  const none = part('#none', HTMLElement)
  const more = part('#more', HTMLButtonElement)
  const entries = new Map<string, Entry>()
  const posters = createPosters(api, signal)
  let stir = new AbortController()

  const settle = () => {
    none.hidden = entries.size > 0
  }

  function place(asset: Asset): Entry {
    const card = createCard({
      play: () => play(entry.asset),
      embed: () => embed(entry.asset),
      endSessions: () => void endSessions(entry),
      remove: () => void remove(entry),
      encode: () => void encode(entry),
      cancel: () => (entry.sender ? entry.sender.cancel() : void cancel(entry)),
      retry: () => entry.sender?.retry(),
    })
    const entry: Entry = { asset, card }
    // Newest first; pages come in an order of their own.
    const next = [...entries.values()]
      .filter((other) => other.asset.createdAt < asset.createdAt)
      .sort((a, b) => (a.asset.createdAt < b.asset.createdAt ? 1 : -1))[0]
    list.insertBefore(card.element, next?.card.element ?? null)
    entries.set(asset.id, entry)
    settle()
    return entry
  }

  function show(asset: Asset): boolean {
    const entry = entries.get(asset.id) ?? place(asset)
    if (entry.sender) return false
    const before = entry.asset
    entry.asset = asset
    entry.card.show(asset)
    if (asset.playable) posters.want(asset, entry.card)
    if (before.state !== asset.state) {
      if (asset.state === 'ready') announce(`${asset.title} is ready.`)
      if (asset.state === 'failed') announce(`${asset.title} failed. ${asset.error?.detail ?? ''}`)
    } else if (!before.playable && asset.playable) announce(`${asset.title} can be played already.`)
    else if (nextUnderWay(before) && !asset.nextVersion) announce(`${asset.title} plays in its next version.`)
    return JSON.stringify(before) !== JSON.stringify(asset)
  }

  function drop(entry: Entry): void {
    const neighbour = entry.card.element.nextElementSibling ?? entry.card.element.previousElementSibling
    const held = entry.card.element.contains(document.activeElement)
    entry.card.element.remove()
    entries.delete(entry.asset.id)
    posters.forget(entry.asset.id, entry.card)
    settle()
    // Focus must not fall back to the top of the page when its card goes.
    if (held)
      (neighbour?.querySelector<HTMLElement>('button:not([hidden])') ?? part('#file', HTMLElement)).focus()
  }

  async function remove(entry: Entry): Promise<void> {
    if (!(await confirm(deleting(entry.asset)))) return
    try {
      await api.remove(entry.asset.id)
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 404) return notice((error as Error).message)
    }
    drop(entry)
    announce(`${entry.asset.title} is deleted.`)
  }

  /** Resolves to whether it was wanted, and done. */
  async function ask(question: Question, work: () => Promise<void>): Promise<boolean> {
    if (!(await confirm(question))) return false
    return work().then(
      () => true,
      (error: Error) => {
        notice(error.message)
        return false
      },
    )
  }

  async function endSessions({ asset }: Entry): Promise<void> {
    const done = await ask(endingSessions(asset), () => api.revoke({ assetId: asset.id }))
    if (done) announce(`All sessions of ${asset.title} are ended.`)
  }

  async function encode(entry: Entry): Promise<void> {
    await ask(encodingAnew(entry.asset), () => api.encode(entry.asset.id))
    void refresh(entry).finally(wake)
  }

  async function cancel(entry: Entry): Promise<void> {
    await ask(cancelling(entry.asset), () => api.cancel(entry.asset.id))
    void refresh(entry).finally(wake)
  }

  async function load(cursor?: string): Promise<void> {
    const page = await api.titles(cursor)
    for (const asset of page.items) show(asset)
    settle()
    more.hidden = page.cursor === undefined
    more.onclick = () => void load(page.cursor).catch((error: Error) => notice(error.message))
  }

  async function refresh(entry: Entry): Promise<boolean> {
    try {
      return show(await api.title(entry.asset.id))
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 404) drop(entry)
      return false
    }
  }

  /** Asks for what moves, ever more rarely while nothing does, and not at all while nobody looks. */
  async function watch(): Promise<void> {
    let waitMs = fastestMs
    while (!signal.aborted) {
      await pause(waitMs, AbortSignal.any([signal, stir.signal])).catch(() => {
        waitMs = fastestMs
        stir = new AbortController()
      })
      if (signal.aborted || document.hidden) continue
      const moving = [...entries.values()].filter(
        ({ asset, sender }) =>
          !sender && (asset.state === 'encoding' || asset.state === 'uploading' || nextUnderWay(asset)),
      )
      const changes = []
      for (const entry of moving) changes.push(await refresh(entry))
      waitMs = changes.some(Boolean) ? fastestMs : Math.min(slowestMs, waitMs * 1.5)
    }
  }

  const wake = () => stir.abort()
  document.addEventListener('visibilitychange', wake, { signal })
  addEventListener('online', wake, { signal })
  signal.addEventListener('abort', () => {
    list.replaceChildren()
    more.hidden = true
    none.hidden = true
  })

  return {
    load,
    watch,
    /** A card for a file that this tab begins to send. */
    adopt(asset: Asset, sender: Sender): Card {
      const entry = entries.get(asset.id) ?? place(asset)
      entry.sender = sender
      entry.card.show(entry.asset)
      return entry.card
    },
    /** The file has arrived, or was given up: from here on the platform is asked. */
    release(assetId: string): void {
      const entry = entries.get(assetId)
      if (!entry) return
      delete entry.sender
      void refresh(entry).finally(wake)
    },
    discard(assetId: string): void {
      const entry = entries.get(assetId)
      if (entry) drop(entry)
    },
  }
}
