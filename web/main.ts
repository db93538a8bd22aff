// Where the console begins: signs a tenant in and out, and puts the parts of the page together.
import { createAccess } from './access.ts'
import { type Api, createApi } from './api.ts'
import { ApiProblem } from './call.ts'
import { confirm } from './confirm.ts'
import { acceptFiles } from './drop.ts'
import { createEmbedDialog } from './embed-dialog.ts'
import { forgetAll, recallKey, rememberKey, rememberReason, takeReason } from './memory.ts'
import { announce, part, write } from './page.ts'
import { play } from './player.ts'
import { createTitles } from './titles.ts'
import { createTransfers } from './transfers.ts'
import { watchViews } from './views.ts'

const signInView = part('#sign-in', HTMLElement)
const consoleView = part('#console', HTMLElement)
const account = part('#account', HTMLElement)
const views = part('#views', HTMLElement)
const form = part('#sign-in-form', HTMLFormElement)
const keyField = part('#key', HTMLInputElement)
const button = part('#sign-in-button', HTMLButtonElement)
const complaint = part('#sign-in-error', HTMLElement)

let session = new AbortController()

/** The page begins anew, so that nothing which this tenant saw or typed is left in it. */
function signOut(reason = ''): void {
  session.abort()
  forgetAll()
  if (reason) rememberReason(reason)
  location.reload()
}

function show(signedIn: boolean): void {
  signInView.hidden = signedIn
  consoleView.hidden = !signedIn
  account.hidden = !signedIn
  views.hidden = !signedIn
}

/** A key is good when the platform lists the titles with it. */
async function signIn(key: string): Promise<void> {
  const { signal } = session
  const api: Api = createApi(key, () => {
    // Before the key was ever good the form tells; later it has been retired.
    if (!consoleView.hidden) signOut('This key is no longer valid. Sign in with another one.')
  })
  const embed = createEmbedDialog({ api, confirm })
  const titles = createTitles({ api, signal, confirm, embed, play: (asset) => void play(api, asset) })
  await titles.load()
  rememberKey(key)
  const [tenantId = '', ownKeyId = ''] = key.split('.')
  write(part('#tenant', HTMLElement), tenantId)
  show(true)
  const transfers = createTransfers({ api, titles, signal })
  acceptFiles(signal, (files) => transfers.add(files))
  announce('Signed in.')
  void titles.watch()
  const access = createAccess({ api, signal, confirm, ownKeyId })
  watchViews(signal, (view) => access(view === 'access'))
}

async function attempt(key: string): Promise<void> {
  button.disabled = true
  write(complaint, '')
  try {
    await signIn(key)
    keyField.value = ''
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 401) {
      forgetAll()
      write(complaint, 'The platform does not know this key. Check that it is whole: tenant.key.secret.')
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

const remembered = recallKey()
// The platform's URLs name the address; under its other name the page would be a stranger to them.
if (location.hostname === 'localhost') location.hostname = '127.0.0.1'
else if (remembered) void attempt(remembered)
else {
  show(false)
  write(complaint, takeReason())
  keyField.focus()
}
