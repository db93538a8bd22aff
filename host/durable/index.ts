// The local Durable Functions engine: the real library's protocol on one SQLite file, and its management API.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Durable, DurableOptions } from '../contract.ts'
import { createActivities } from './activities.ts'
import { createEpisodes } from './episodes.ts'
import { createLinks } from './links.ts'
import { createManagement } from './management.ts'
import { openStore } from './store.ts'
import { createTimers } from './timers.ts'
import { createWebhooks } from './webhooks.ts'

/** How long running activities may take to end when the host is asked to stop. */
const drainMs = 3000

export async function createDurable(options: DurableOptions): Promise<Durable> {
  const { app, hostJson, origin, log } = options
  const { hubName, maxConcurrentActivities, defaultVersion } = hostJson.durable
  const store = openStore(options.directory)
  const key = store.systemKey()
  const onFault = (error: unknown) => {
    if (store.isOpen())
      log('error', `The Durable engine could not go on with a step: ${String(error)}. Restart the host.`)
  }
  const wake = (instanceId: string) => episodes.wake(instanceId)
  const timers = createTimers({ store, wake })
  const activities = createActivities({ store, app, limit: maxConcurrentActivities, wake, onFault })
  const { enqueue } = activities
  const episodes = createEpisodes({ store, options, enqueue, armTimers: timers.arm, onFault })
  const links = createLinks({ hubName, code: key, origin })
  const management = createManagement({ store, links, defaultVersion: defaultVersion ?? '', wake })
  const webhooks = createWebhooks({ management, hubName, key, origin })

  return {
    async start() {
      activities.recover()
      episodes.start()
      timers.arm()
    },
    async handle(request: IncomingMessage, response: ServerResponse) {
      return store.isOpen() ? webhooks(request, response) : false
    },
    clientBinding: links.clientBinding,
    async close() {
      timers.stop()
      const drained = activities.drain().then(() => episodes.stop())
      let timeout: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timeout = setTimeout(resolve, drainMs)
      })
      await Promise.race([drained, late])
      clearTimeout(timeout)
      store.close()
    },
  }
}
