// Finds the parts of the page that the markup promises, and says so when one is missing.

export function part<T extends Element>(selector: string, kind: new () => T, root: ParentNode = document): T {
  const found = root.querySelector(selector)
  if (!(found instanceof kind)) throw new Error(`The page lacks ${selector}.`)
  return found
}

/** Sets text only when it differs, so that screen readers and selections are left in peace. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

const status = part('#status', HTMLElement)

let saying: string[] = []

/** Said aloud by screen readers, once, when they are idle. What comes at once is said together: the last would silence the rest. */
export function announce(sentence: string): void {
  if (saying.push(sentence) > 1) return
  queueMicrotask(() => {
    write(status, saying.join(' '))
    saying = []
  })
}

const notices = part('#notices', HTMLElement)

/** A sentence about something that has no card of its own; it stays until dismissed. */
export function notice(sentence: string): void {
  const box = document.createElement('p')
  box.className = 'notice'
  const words = document.createElement('span')
  words.textContent = sentence
  const dismiss = document.createElement('button')
  dismiss.type = 'button'
  dismiss.className = 'quiet'
  dismiss.textContent = 'Dismiss'
  dismiss.onclick = () => box.remove()
  box.append(words, dismiss)
  notices.append(box)
}
