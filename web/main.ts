// Where the console begins: lets a tenant in, and puts the parts of the page together.
import { createAccess } from './access.ts'
import { createApi } from './api.ts'
import { confirm } from './confirm.ts'
import { acceptFiles } from './drop.ts'
import { createEmbedDialog } from './embed-dialog.ts'
import { tenantKey } from './memory.ts'
import { part, write } from './page.ts'
import { play } from './player.ts'
import { guard } from './sign-in.ts'
import { createTitles } from './titles.ts'
import { createTransfers } from './transfers.ts'
import { watchViews } from './views.ts'

guard({
  keys: tenantKey,
  unknown: 'The platform does not know this key. Check that it is whole: tenant.key.secret.',
  /** A key is good when the platform lists the titles with it. */
  async enter({ key, signal, refused }) {
    const api = createApi(key, refused)
    const embed = createEmbedDialog({ api, confirm })
    const titles = createTitles({ api, signal, confirm, embed, play: (asset) => void play(api, asset) })
    await titles.load()
    const [tenantId = '', ownKeyId = ''] = key.split('.')
    write(part('#tenant', HTMLElement), tenantId)
    return () => {
      const transfers = createTransfers({ api, titles, signal })
      acceptFiles(signal, (files) => transfers.add(files))
      void titles.watch()
      const access = createAccess({ api, signal, confirm, ownKeyId })
      watchViews(signal, (view) => access(view === 'access'))
    }
  },
})
