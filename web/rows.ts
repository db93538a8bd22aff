// A list of rows that changes in place: what stays keeps its element, its focus and its place under the finger.
import { part, write } from './page.ts'

export interface RowAction {
  words: string
  /** Says of what, for who can not see the row. */
  label: string
  danger?: boolean
  press(): void
}

export interface RowState {
  words: string
  tone: 'good' | 'soft' | 'bad'
}

export interface Row {
  key: string
  name: string
  /** An identifier to be copied into a program. */
  code?: string
  detail: string
  state?: RowState
  actions: RowAction[]
}

const template = part('#row-template', HTMLTemplateElement)

function createRow() {
  const element = part('li', HTMLElement, template.content.cloneNode(true) as DocumentFragment)
  const field = (name: string) => part(`[data-part="${name}"]`, HTMLElement, element)
  const [name, code, detail, state, actions] = ['name', 'code', 'detail', 'state', 'actions'].map(field) as [
    HTMLElement,
    HTMLElement,
    HTMLElement,
    HTMLElement,
    HTMLElement,
  ]
  return {
    element,
    fill(row: Row): void {
      element.dataset['key'] = row.key
      write(name, row.name)
      write(code, row.code ?? '')
      code.hidden = row.code === undefined
      write(detail, row.detail)
      write(state, row.state?.words ?? '')
      state.hidden = row.state === undefined
      state.dataset['tone'] = row.state?.tone ?? ''
      row.actions.forEach((action, index) => {
        const button =
          (actions.children[index] as HTMLButtonElement) ??
          actions.appendChild(document.createElement('button'))
        button.type = 'button'
        button.className = action.danger ? 'quiet danger' : 'quiet'
        write(button, action.words)
        button.setAttribute('aria-label', action.label)
        button.onclick = action.press
      })
      while (actions.children.length > row.actions.length) actions.lastElementChild?.remove()
    },
  }
}

/** `none` is shown while there is no row. */
export function createRows(list: HTMLElement, none: HTMLElement) {
  const rows = new Map<string, ReturnType<typeof createRow>>()

  function drop(key: string): void {
    const { element } = rows.get(key)!
    const neighbour = element.nextElementSibling ?? element.previousElementSibling
    const held = element.contains(document.activeElement)
    element.remove()
    rows.delete(key)
    if (!held) return
    // Focus must not fall back to the top of the page when its row goes.
    const next = neighbour?.querySelector<HTMLElement>('button')
    if (!next) list.tabIndex = -1
    ;(next ?? list).focus()
  }

  return (items: readonly Row[]): void => {
    none.hidden = items.length > 0
    const kept = new Set(items.map(({ key }) => key))
    for (const key of [...rows.keys()]) if (!kept.has(key)) drop(key)
    items.forEach((item, index) => {
      const row = rows.get(item.key) ?? createRow()
      rows.set(item.key, row)
      row.fill(item)
      const there = list.children[index] ?? null
      if (there !== row.element) list.insertBefore(row.element, there)
    })
  }
}

/** Keys that ended stay listed for the record: below the others, the newest first. */
export function inUseFirst<T extends { createdAt: string; retiredAt?: string; revokedAt?: string }>(
  keys: readonly T[],
): T[] {
  const rank = ({ retiredAt, revokedAt, createdAt }: T) => (retiredAt || revokedAt ? '0' : '1') + createdAt
  return keys.toSorted((a, b) => (rank(a) < rank(b) ? 1 : -1))
}
