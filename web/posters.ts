// Posters need a token: a session is opened for a title once its card comes into view, two at a time.
import type { Api, Asset } from './api.ts'
import type { Card } from './card.ts'
import { backoffMs, pause } from './patience.ts'

/** About four minutes; a title that is still without one then stays so until the page is loaded again. */
const attempts = 12

export function createPosters(api: Api, signal: AbortSignal) {
  const asked = new Set<string>()
  const wanted = new Map<Element, { assetId: string; card: Card }>()
  const visible = new Set<Element>()
  let busy = 0

  async function next(): Promise<void> {
    if (busy >= 2 || signal.aborted) return
    for (const { assetId, card } of wanted.values()) {
      if (!visible.has(card.element)) continue
      wanted.delete(card.element)
      busy += 1
      // A title without a poster is still a title: the frame stays plain.
      const playback = await api.playback(assetId).catch(() => undefined)
      busy -= 1
      if (playback) show(assetId, card, playback.posterUrl).catch(() => {})
      return next()
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
