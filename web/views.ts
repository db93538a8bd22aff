// Which of the two views is shown: the hash names it, so that it can be linked to, reloaded and gone back from.
import { part } from './page.ts'

export type View = 'titles' | 'access'

const views: Record<View, string> = { titles: 'Titles', access: 'Access' }

/** Calls `shown` at once and at every change. */
export function watchViews(signal: AbortSignal, shown: (view: View) => void): void {
  const show = () => {
    const view: View = location.hash === '#access' ? 'access' : 'titles'
    for (const [name, words] of Object.entries(views)) {
      part(`#view-${name}`, HTMLElement).hidden = name !== view
      const link = part(`nav a[href="#${name}"]`, HTMLAnchorElement)
      if (name === view) link.setAttribute('aria-current', 'page')
      else link.removeAttribute('aria-current')
      if (name === view) document.title = `${words} · movidone console`
    }
    shown(view)
  }
  addEventListener('hashchange', show, { signal })
  show()
}
