// The view of who may watch and who does: puts its parts together, and lets them ask only while it is looked at.
import type { Api } from './api.ts'
import { createApiKeys } from './api-keys.ts'
import type { Confirm } from './confirm.ts'
import { createLiveSessions } from './live-sessions.ts'
import { createPolicyForm } from './policy-form.ts'
import { createSigningKeys } from './signing-keys.ts'
import { createSites } from './sites.ts'
import { createUsage } from './usage.ts'

export interface AccessOptions {
  api: Api
  signal: AbortSignal
  confirm: Confirm
  ownKeyId: string
}

export function createAccess({ api, signal, confirm, ownKeyId }: AccessOptions) {
  const names = new Map<string, Promise<string>>()
  /** A title may be gone while somebody still holds a session of it. */
  const titleName = (assetId: string): Promise<string> => {
    const known = names.get(assetId)
    if (known) return known
    const asked = api.title(assetId).then(
      ({ title }) => title,
      () => 'A title that is gone',
    )
    names.set(assetId, asked)
    return asked
  }

  const sessions = createLiveSessions({ api, signal, confirm, titleName })
  const apiKeys = createApiKeys({ api, confirm, ownKeyId })
  const parts = [
    createPolicyForm(api),
    createSites({ api, confirm, name: 'sites' }),
    createUsage(api),
    createSigningKeys({ api, confirm }),
    apiKeys,
  ]
  signal.addEventListener('abort', apiKeys.hide)
  void sessions.watch()

  return (looking: boolean): void => {
    sessions.look(looking)
    if (looking) for (const { load } of parts) void load()
    else apiKeys.hide()
  }
}
