// One title on the page: built once and changed in place, so that focus and scroll position stay.
import type { Asset } from './api.ts'
import { part, write } from './page.ts'
import { clockTime, detailWords, nextUnderWay, nextWords, stateWords } from './wording.ts'

/** What the card shows of a file that this tab is sending. */
export interface Sending {
  percent: number
  words: string
  detail: string
  /** The file is there and waits for a word. */
  approve?(): void
}

export interface Card {
  element: HTMLElement
  show(asset: Asset): void
  sending(sending: Sending): void
  /** The sending ended badly; `retry` may be offered. */
  stuck(sentence: string): void
  /** Resolves to whether there was one. */
  poster(url: string): Promise<boolean>
}

export interface CardActions {
  play(): void
  embed(): void
  endSessions(): void
  remove(): void
  encode(): void
  /** Whatever is under way: the upload, or an encode. */
  cancel(): void
  retry(): void
}

const template = part('#card-template', HTMLTemplateElement)

export function createCard(actions: CardActions): Card {
  const element = part('li', HTMLElement, template.content.cloneNode(true) as DocumentFragment)
  const field = (name: string) => part(`[data-part="${name}"]`, HTMLElement, element)
  const button = (name: string, press: () => void) => {
    const found = part(`[data-part="${name}"]`, HTMLButtonElement, element)
    found.onclick = press
    return found
  }
  const [title, state, detail, next, error, length] = [
    'title',
    'state',
    'detail',
    'next',
    'error',
    'length',
  ].map(field) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement]
  const bar = part('progress', HTMLProgressElement, element)
  const image = part('img', HTMLImageElement, element)
  const play = button('play', actions.play)
  const embed = button('embed', actions.embed)
  const endSessions = button('end-sessions', actions.endSessions)
  const remove = button('remove', actions.remove)
  const encode = button('encode', actions.encode)
  const cancel = button('cancel', actions.cancel)
  const retry = button('retry', actions.retry)
  const approve = button('approve', () => {})

  function fill(words: string, hint: string, trouble: string, percent: number | undefined): void {
    write(state, words)
    write(detail, hint)
    write(error, trouble)
    error.hidden = trouble === ''
    bar.hidden = percent === undefined
    if (percent !== undefined) bar.value = percent
  }

  return {
    element,
    show(asset) {
      element.dataset['state'] = asset.state
      element.dataset['assetId'] = asset.id
      write(title, asset.title)
      const first = asset.state === 'encoding'
      const anew = nextUnderWay(asset)
      const progress = anew ? asset.nextVersion?.progress : first ? asset.progress : undefined
      fill(stateWords(asset), detailWords(asset), asset.error?.detail ?? '', progress?.percent)
      write(next, nextWords(asset))
      bar.setAttribute('aria-label', `${asset.title}: ${anew ? 'next version' : ''} encoded`)
      play.hidden = !asset.playable
      play.setAttribute('aria-label', `Play ${asset.title}`)
      embed.hidden = !asset.playable
      embed.setAttribute('aria-label', `Embed ${asset.title}`)
      endSessions.hidden = !asset.playable
      endSessions.setAttribute('aria-label', `End all sessions of ${asset.title}`)
      remove.hidden = false
      remove.setAttribute('aria-label', `Delete ${asset.title}`)
      length.hidden = asset.durationSeconds === null
      write(length, asset.durationSeconds === null ? '' : clockTime(asset.durationSeconds))
      encode.hidden = asset.state !== 'ready' || anew
      encode.setAttribute('aria-label', `Re-encode ${asset.title}`)
      cancel.hidden = !first && !anew
      cancel.setAttribute('aria-label', `Cancel the encode of ${asset.title}`)
      retry.hidden = true
      approve.hidden = true
    },
    sending({ percent, words, detail: hint, approve: agree }) {
      element.dataset['state'] = 'encoding'
      fill(words, hint, '', percent)
      bar.setAttribute('aria-label', `${title.textContent}: uploaded`)
      cancel.hidden = false
      cancel.setAttribute('aria-label', `Cancel the upload of ${title.textContent}`)
      remove.hidden = true
      retry.hidden = true
      approve.hidden = agree === undefined
      approve.setAttribute('aria-label', `Encode ${title.textContent}`)
      approve.onclick = () => agree?.()
    },
    stuck(sentence) {
      element.dataset['state'] = 'failed'
      fill('Upload stopped', '', sentence, undefined)
      retry.hidden = false
      cancel.hidden = true
      approve.hidden = true
      remove.hidden = false
    },
    poster: (url) =>
      new Promise((resolve) => {
        image.onload = () => {
          image.hidden = false
          resolve(true)
        }
        image.onerror = () => resolve(false)
        image.src = url
      }),
  }
}
