// One part of the page that a key's role may hide: loads it, does things in it, and tells in it what went wrong.
import { ApiProblem } from './call.ts'
import { part, write } from './page.ts'

export interface Section {
  element: HTMLElement
  /** Fills the part; resolves to false for a key whose role may not see it, which gets one sentence in its place. */
  load(work: () => Promise<void>): Promise<boolean>
  /** Does what a button asked for; resolves to whether it was done. */
  act(work: () => Promise<void>): Promise<boolean>
}

/** `what` ends the sentence "This key may not see …". */
export function createSection(selector: string, what: string): Section {
  const element = part(selector, HTMLElement)
  const content = part('[data-part="content"]', HTMLElement, element)
  const denied = part('[data-part="denied"]', HTMLElement, element)
  const trouble = part('[data-part="error"]', HTMLElement, element)

  const tell = (error: unknown) => {
    // After signing out nobody is there to be told.
    if (error instanceof ApiProblem && error.status === 401) return
    write(trouble, error instanceof Error ? error.message : 'Something went wrong.')
  }
  const deny = (forbidden: boolean) => {
    content.hidden = forbidden
    denied.hidden = !forbidden
    write(denied, forbidden ? `This key may not see ${what}. Sign in with one that has a larger role.` : '')
  }
  return {
    element,
    async load(work) {
      try {
        await work()
        deny(false)
        write(trouble, '')
        return true
      } catch (error) {
        const forbidden = error instanceof ApiProblem && error.code === 'forbidden'
        if (forbidden) deny(true)
        else tell(error)
        return !forbidden
      }
    },
    async act(work) {
      write(trouble, '')
      try {
        await work()
        return true
      } catch (error) {
        tell(error)
        return false
      }
    },
  }
}
