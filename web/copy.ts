// A button that puts a text on the clipboard, and says that it did.
import { announce } from './page.ts'

const saidMs = 2000

/** Where the browser gives no clipboard, `field` is selected for the person to copy from. */
export function offerCopy(button: HTMLButtonElement, field: HTMLElement, what: string): void {
  const words = button.textContent ?? ''
  const say = (said: string, aloud: string) => {
    button.textContent = said
    announce(aloud)
    setTimeout(() => {
      button.textContent = words
    }, saidMs)
  }
  button.onclick = async () => {
    const text = field instanceof HTMLTextAreaElement ? field.value : (field.textContent ?? '')
    try {
      await navigator.clipboard.writeText(text)
      say('Copied', `${what} is on the clipboard.`)
    } catch {
      getSelection()?.selectAllChildren(field)
      if (field instanceof HTMLTextAreaElement) field.select()
      say('Selected', `${what} is selected.`)
    }
  }
}
