// Posters need a token: a session is opened for a title once its card comes into view, two at a time.
import type { Api, Asset } from './api.ts'
import { ApiProblem } from './call.ts'
import type { Card } from './card.ts'
import { forgetPoster, recallPoster, rememberPoster } from './memory.ts'
import { backoffMs, pause } from './patience.ts'

/** About four minutes; a title that is still without one then stays so until the page is loaded again. */
const attempts = 12

export function createPosters(api: Api, signal: AbortSignal) {
  const asked = new Set<string>()
  const wanted = new Map<Element, { assetId: string; card: Card }>()
  const visible = new Set<Element>()
  let busy = 0
  let forbidden = false

  async function next(): Promise<void> {
    if (busy >= 2 || signal.aborted) return
    for (const { assetId, card } of wanted.values()) {
      if (!visible.has(card.element)) continue
      wanted.delete(card.element)
      busy += 1
      const url = (await showKept(assetId, card)) ? undefined : await open(assetId)
      busy -= 1
      if (url) show(assetId, card, url).catch(() => {})
      return next()
    }
  }

  async function showKept(assetId: string, card: Card): Promise<boolean> {
    const kept = recallPoster(assetId)
    if (!kept) return false
    const shown = await card.poster(kept)
    if (!shown) forgetPoster(assetId)
    return shown
  }

  async function open(assetId: string): Promise<string | undefined> {
    if (forbidden) return undefined
    try {
      const playback = await api.playback(assetId)
      rememberPoster(assetId, playback)
      return playback.posterUrl
    } catch (error) {
      // A title without a poster is still a title: the frame stays plain.
      forbidden = error instanceof ApiProblem && error.code === 'forbidden'
      return undefined
    }
  }

  /** A title can be played before its poster is made. */
  async function show(assetId: string, card: Card, url: string): Promise<void> {
    for (let attempt = 2; attempt < attempts; attempt += 1) {
      if (!asked.has(assetId) || (await card.poster(url))) return
      await pause(backoffMs(attempt), signal)
    }
  }

  const observer = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) {
      if (isIntersecting) visible.add(target)
      else visible.delete(target)
    }
    void next()
  })
  signal.addEventListener('abort', () => observer.disconnect())

  return {
    want({ id: assetId }: Asset, card: Card): void {
      if (asked.has(assetId)) return
      asked.add(assetId)
      wanted.set(card.element, { assetId, card })
      observer.observe(card.element)
    },
    forget(assetId: string, card: Card): void {
      asked.delete(assetId)
      wanted.delete(card.element)
      visible.delete(card.element)
      observer.unobserve(card.element)
    },
  }
}
