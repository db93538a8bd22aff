// Posters need a token: a session is opened for a title once its card comes into view, two at a time.
import type { Api, Asset } from './api.ts'
import type { Card } from './card.ts'

export function createPosters(api: Api, signal: AbortSignal) {
  const wanted = new Map<Element, { asset: Asset; card: Card }>()
  /** The state in which a poster was last asked for: a title that becomes ready is asked once more. */
  const asked = new Map<string, Asset['state']>()
  let busy = 0

  async function next(): Promise<void> {
    if (busy >= 2 || signal.aborted) return
    for (const { asset, card } of wanted.values()) {
      if (!visible.has(card.element)) continue
      wanted.delete(card.element)
      busy += 1
      await fetchOne(asset, card)
      busy -= 1
      return next()
    }
  }

  async function fetchOne(asset: Asset, card: Card): Promise<void> {
    try {
      const { posterUrl } = await api.playback(asset.id)
      card.poster(posterUrl, () => {
        if (asset.state !== 'ready') asked.delete(asset.id)
      })
    } catch {
      // A title without a poster is still a title: the frame stays plain.
    }
  }

  const visible = new Set<Element>()
  const observer = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) {
      if (isIntersecting) visible.add(target)
      else visible.delete(target)
    }
    void next()
  })
  signal.addEventListener('abort', () => observer.disconnect())

  return {
    want(asset: Asset, card: Card): void {
      if (asked.get(asset.id) === asset.state || asked.get(asset.id) === 'ready') return
      asked.set(asset.id, asset.state)
      wanted.set(card.element, { asset, card })
      observer.observe(card.element)
      void next()
    },
    forget(assetId: string): void {
      asked.delete(assetId)
    },
  }
}
