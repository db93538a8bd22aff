// The way into a page and out of it: one key, asked for once, kept in this tab, forgotten on leaving.
import { ApiProblem } from './call.ts'
import { forgetAll, type KeptKey, rememberReason, takeReason } from './memory.ts'
import { announce, part, write } from './page.ts'

/** What is begun between signing in and out. */
export interface Visit {
  key: string
  /** Ends with the visit. */
  signal: AbortSignal
  /** The platform no longer takes the key. */
  refused(): void
}

export interface Door {
  keys: KeptKey
  /** Said of a key that the platform does not know. */
  unknown: string
  /** Rejects unless the key is good; what it resolves to begins once the page is shown. */
  enter(visit: Visit): Promise<() => void>
}

const signInView = part('#sign-in', HTMLElement)
const consoleView = part('#console', HTMLElement)
const form = part('#sign-in-form', HTMLFormElement)
const keyField = part('#key', HTMLInputElement)
const button = part('#sign-in-button', HTMLButtonElement)
const complaint = part('#sign-in-error', HTMLElement)

function show(signedIn: boolean): void {
  signInView.hidden = signedIn
  consoleView.hidden = !signedIn
  for (const inside of document.querySelectorAll<HTMLElement>('#account, #views')) inside.hidden = !signedIn
}

export function guard({ keys, unknown, enter }: Door): void {
  let session = new AbortController()

  /** The page begins anew, so that nothing which this tab saw or typed is left in it. */
  function signOut(reason = ''): void {
    session.abort()
    forgetAll()
    if (reason) rememberReason(reason)
    location.reload()
  }

  async function attempt(key: string): Promise<void> {
    button.disabled = true
    write(complaint, '')
    try {
      const begin = await enter({
        key,
        signal: session.signal,
        refused() {
          // Before the key was ever good the form tells; later it has been retired.
          if (!consoleView.hidden) signOut('This key is no longer valid. Sign in with another one.')
        },
      })
      keys.remember(key)
      show(true)
      announce('Signed in.')
      begin()
      keyField.value = ''
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) {
        if (key === keys.recall()) forgetAll()
        write(complaint, unknown)
      } else write(complaint, error instanceof Error ? error.message : 'Signing in failed.')
      session.abort()
      session = new AbortController()
      show(false)
      keyField.focus()
    } finally {
      button.disabled = false
    }
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const key = keyField.value.trim()
    if (key) void attempt(key)
  })
  part('#sign-out', HTMLButtonElement).addEventListener('click', () => signOut())

  const remembered = keys.recall()
  // The platform's URLs name the address; under its other name the page would be a stranger to them.
  if (location.hostname === 'localhost') location.hostname = '127.0.0.1'
  else if (remembered) void attempt(remembered)
  else {
    show(false)
    write(complaint, takeReason())
    keyField.focus()
  }
}
