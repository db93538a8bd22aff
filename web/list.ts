// A list that changes in place: what stays keeps its element, its focus and its place under the finger.

export interface Item<T> {
  element: HTMLElement
  fill(value: T): void
}

/** `none` is shown while there is nothing. */
export function createList<T extends { key: string }>(
  list: HTMLElement,
  create: () => Item<T>,
  none?: HTMLElement,
) {
  const items = new Map<string, Item<T>>()

  function drop(key: string): void {
    const { element } = items.get(key)!
    const neighbour = element.nextElementSibling ?? element.previousElementSibling
    const held = element.contains(document.activeElement)
    element.remove()
    items.delete(key)
    if (!held) return
    // Focus must not fall back to the top of the page when its item goes.
    const next = neighbour?.querySelector<HTMLElement>('button:not([hidden])')
    if (!next) list.tabIndex = -1
    ;(next ?? list).focus()
  }

  return (values: readonly T[]): void => {
    if (none) none.hidden = values.length > 0
    const kept = new Set(values.map(({ key }) => key))
    for (const key of [...items.keys()]) if (!kept.has(key)) drop(key)
    values.forEach((value, index) => {
      const item = items.get(value.key) ?? create()
      items.set(value.key, item)
      item.fill(value)
      const there = list.children[index] ?? null
      if (there !== item.element) list.insertBefore(item.element, there)
    })
  }
}
