// How an orchestration is started from a trigger: by the real Durable client, at most once at a time.
import type { InvocationContext } from '@azure/functions'
import * as df from 'durable-functions'
import type { Orchestrations } from '../shared/http/route.ts'

/** For what is not declared durable. */
export const none: Orchestrations = {
  startOnce: () => Promise.reject(new Error('this is not declared durable')),
  raise: () => Promise.reject(new Error('this is not declared durable')),
}

/** Starts unless it is under way: the status is asked first, since a second start of an ended one would repeat it. */
export function orchestrationsOf(context: InvocationContext): Orchestrations {
  const client = df.getClient(context)
  return {
    async startOnce({ name, instanceId, input }) {
      const status = await client.getStatus(instanceId).catch(() => undefined)
      const busy = ['Pending', 'Running'].includes(String(status?.runtimeStatus))
      if (busy) return
      await client.startNew(name, { instanceId, input }).catch((error: unknown) => {
        // 409: another request started it in between.
        if (!/\b409\b/.test(String(error))) throw error
      })
    },
    raise: (instanceId, event) => client.raiseEvent(instanceId, event, {}),
  }
}
