// One machine as a tile: what it is, what it does, and what it holds.
import type { FleetNode } from './fleet-api.ts'
import { isTrouble, loadWords, lookOf, lookWords, placeWords, unitWords, whyWords } from './fleet-wording.ts'
import type { Item } from './list.ts'
import { part, write } from './page.ts'

export interface Tile {
  key: string
  node: FleetNode
  currency: string
  nowMs: number
  drain(): void
}

/** The rest of what it holds is told as a number. */
const mostShown = 4

const template = part('#node-template', HTMLTemplateElement)

function fillHolds(list: HTMLElement, holds: readonly string[]): void {
  const lines = holds.slice(0, mostShown).map(unitWords)
  if (holds.length > mostShown) lines.push(`and ${holds.length - mostShown} more`)
  lines.forEach((line, index) => {
    write(list.children[index] ?? list.appendChild(document.createElement('li')), line)
  })
  while (list.children.length > lines.length) list.lastElementChild?.remove()
  list.hidden = lines.length === 0
}

export function createTile(): Item<Tile> {
  const element = part('li', HTMLElement, template.content.cloneNode(true) as DocumentFragment)
  const field = (name: string) => part(`[data-part="${name}"]`, HTMLElement, element)
  const cpu = part('progress', HTMLProgressElement, element)
  const drain = part('button', HTMLButtonElement, element)
  return {
    element,
    fill({ node, currency, nowMs, drain: press }) {
      const look = lookOf(node)
      element.dataset['look'] = look
      element.dataset['trouble'] = String(isTrouble(node))
      write(field('id'), node.id)
      write(field('look'), lookWords[look])
      write(field('place'), placeWords(node, currency))
      write(field('why'), whyWords(node, nowMs))
      // What a machine said before it went to sleep says nothing of now.
      const alive = node.state === 'ready' || node.state === 'draining'
      write(field('load'), alive ? loadWords(node) : '')
      cpu.hidden = !alive || node.load === undefined
      cpu.value = node.load?.cpu ?? 0
      cpu.setAttribute('aria-label', `Cores of ${node.id}`)
      const list = field('holds')
      list.setAttribute('aria-label', `What ${node.id} holds`)
      fillHolds(list, alive ? node.holds : [])
      drain.hidden = node.state !== 'ready' && node.state !== 'starting'
      drain.setAttribute('aria-label', `Drain ${node.id}`)
      drain.onclick = press
    },
  }
}
