// Asks before a title is deleted for good; Escape and the focused answer keep it.
import { part, write } from './page.ts'

const dialog = part('#confirm', HTMLDialogElement)
const words = part('#confirm-words', HTMLElement)

export function confirmRemoval({ title }: { title: string }): Promise<boolean> {
  write(words, `“${title}” goes with its source and everything made from it. There is no way back.`)
  dialog.returnValue = 'keep'
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'delete'), { once: true })
  })
}
