// Where the fleet's page begins: lets an admin in, and asks how the machines are for as long as somebody looks.
import { ApiProblem } from './call.ts'
import { confirm } from './confirm.ts'
import { createFleetApi, type Pool } from './fleet-api.ts'
import { createPool } from './fleet-pool.ts'
import { createList } from './list.ts'
import { adminKey } from './memory.ts'
import { part, write } from './page.ts'
import { pause } from './patience.ts'
import { guard } from './sign-in.ts'

const everyMs = 2000

guard({
  keys: adminKey,
  unknown: 'This is not the admin key of this platform.',
  async enter({ key, signal, refused }) {
    const api = createFleetApi(key, refused)
    const stale = part('#stale', HTMLElement)
    let pools: readonly Pool[] = []
    let asks = 0
    const show = () => list(pools.map((pool) => ({ ...pool, key: pool.pool })))
    const list = createList(
      part('#pools', HTMLElement),
      () =>
        createPool({
          api,
          confirm,
          asked(changed) {
            asks += 1
            pools = pools.map((pool) => (pool.pool === changed.pool ? changed : pool))
            show()
          },
        }),
      part('#none', HTMLElement),
    )

    async function refresh(): Promise<void> {
      const before = asks
      const { items } = await api.pools()
      // What was answered before the admin asked for something would show it undone.
      if (signal.aborted || before !== asks) return
      pools = items
      show()
    }

    /** Resolves to how long to wait before asking again. */
    async function look(): Promise<number> {
      const askedAt = new Date()
      try {
        await refresh()
        stale.hidden = true
        return everyMs
      } catch (error) {
        if (signal.aborted) return everyMs
        write(
          stale,
          `${(error as Error).message} Below is how it was before ${askedAt.toLocaleTimeString()}.`,
        )
        if (stale.hidden) stale.hidden = false
        const askedSeconds = error instanceof ApiProblem ? (error.retryAfterSeconds ?? 0) : 0
        return Math.max(everyMs, askedSeconds * 1000)
      }
    }

    async function watch(): Promise<void> {
      let stir = new AbortController()
      const wake = () => stir.abort()
      document.addEventListener('visibilitychange', wake, { signal })
      addEventListener('online', wake, { signal })
      let waitMs = everyMs
      while (!signal.aborted) {
        await pause(waitMs, AbortSignal.any([signal, stir.signal])).catch(() => {
          stir = new AbortController()
        })
        if (!signal.aborted && !document.hidden) waitMs = await look()
      }
    }

    await refresh()
    return () => void watch()
  },
})
