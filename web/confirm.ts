// Asks before something that can not be taken back; Escape and the focused answer keep it.
import { part, write } from './page.ts'

export interface Question {
  heading: string
  words: string
  /** What the two buttons say. */
  act: string
  keep?: string
  /** Nothing is lost by it. */
  harmless?: boolean
}

export type Confirm = (question: Question) => Promise<boolean>

const dialog = part('#confirm', HTMLDialogElement)
const heading = part('#confirm-title', HTMLElement)
const words = part('#confirm-words', HTMLElement)
const keep = part('[value="keep"]', HTMLButtonElement, dialog)
const act = part('[value="act"]', HTMLButtonElement, dialog)

export const confirm: Confirm = (question) => {
  write(heading, question.heading)
  write(words, question.words)
  write(keep, question.keep ?? 'Keep it')
  write(act, question.act)
  act.classList.toggle('danger', !question.harmless)
  dialog.returnValue = 'keep'
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'act'), { once: true })
  })
}
