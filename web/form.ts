// A form whose complaints stand beside the fields they are about; focus goes to the first of them.
import { ApiProblem } from './call.ts'
import { part, write } from './page.ts'
import { words } from './wording.ts'

const complaintOf = (form: HTMLFormElement, name: string): HTMLElement | null =>
  form.querySelector<HTMLElement>(`[data-error="${CSS.escape(name)}"]`)

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement
const isControl = (found: unknown): found is Control =>
  found instanceof HTMLInputElement ||
  found instanceof HTMLTextAreaElement ||
  found instanceof HTMLSelectElement

export function control(form: HTMLFormElement, name: string): Control {
  const found = form.elements.namedItem(name)
  if (!isControl(found)) throw new Error(`The form lacks ${name}.`)
  return found
}

export function clearComplaints(form: HTMLFormElement): void {
  for (const complaint of form.querySelectorAll('[data-error]')) write(complaint, '')
  for (const field of form.elements) field.removeAttribute('aria-invalid')
}

/** Of a field that holds a list, the entry that the pointer ends with. */
function entryAt({ value }: Control, pointer: string): string {
  const index = /\/(\d+)$/.exec(pointer)?.[1]
  const entry = index === undefined ? undefined : words(value)[Number(index)]
  return entry === undefined ? '' : `“${entry}” `
}

/** `fieldOf` names the field of a JSON pointer; what no field is for stands below the form. */
function complain(form: HTMLFormElement, error: unknown, fieldOf: (pointer: string) => string): void {
  const errors = error instanceof ApiProblem ? error.errors : []
  const elsewhere: string[] = errors.length === 0 ? [(error as Error).message] : []
  let first: Control | undefined
  for (const { pointer, message } of errors) {
    const name = fieldOf(pointer)
    const field = form.elements.namedItem(name)
    const complaint = complaintOf(form, name)
    if (complaint && isControl(field)) {
      write(complaint, [complaint.textContent, entryAt(field, pointer) + message].filter(Boolean).join('; '))
      field.setAttribute('aria-invalid', 'true')
      first ??= field
    } else elsewhere.push(message)
  }
  first?.focus()
  write(part('[data-error=""]', HTMLElement, form), elsewhere.join('; '))
}

export interface Submission {
  /** Rejects with what is wrong. */
  send(): Promise<void>
  fieldOf?(pointer: string): string
}

export function onSubmit(
  form: HTMLFormElement,
  { send, fieldOf = (pointer) => pointer.slice(1) }: Submission,
): void {
  form.onsubmit = async (event) => {
    event.preventDefault()
    clearComplaints(form)
    const button = part('[type="submit"]', HTMLButtonElement, form)
    button.disabled = true
    try {
      await send()
    } catch (error) {
      complain(form, error, fieldOf)
    } finally {
      button.disabled = false
    }
  }
}
