// A row of a list: a name, what there is to know of it, and what can be done with it.
import { createList, type Item } from './list.ts'
import { part, write } from './page.ts'

export interface RowAction {
  words: string
  /** Says of what, for those who can not see the row. */
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

function createRow(): Item<Row> {
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
    fill(row) {
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
export const createRows = (list: HTMLElement, none: HTMLElement) => createList(list, createRow, none)

/** Keys that ended stay listed for the record: below the others, the newest first. */
export function inUseFirst<T extends { createdAt: string; retiredAt?: string; revokedAt?: string }>(
  keys: readonly T[],
): T[] {
  const rank = ({ retiredAt, revokedAt, createdAt }: T) => (retiredAt || revokedAt ? '0' : '1') + createdAt
  return keys.toSorted((a, b) => (rank(a) < rank(b) ? 1 : -1))
}
