// Moves timers that are due from their table to the inboxes of their instances.
import { firedTimer } from './history.ts'
import type { Store } from './store.ts'

/** Node's timers end at 2^31 ms and know nothing of a sleeping laptop: look again at least this often. */
const longestWaitMs = 30_000

export interface Timers {
  /** To be called when a timer was written. */
  arm(): void
  stop(): void
}

export function createTimers({ store, wake }: { store: Store; wake: (instanceId: string) => void }): Timers {
  let pending: NodeJS.Timeout | undefined
  let isStopped = false

  function arm(): void {
    clearTimeout(pending)
    if (isStopped) return
    const dueMs = store.nextDueMs()
    if (dueMs === undefined) return
    pending = setTimeout(fire, Math.min(Math.max(0, dueMs - Date.now()), longestWaitMs))
  }

  function fire(): void {
    const nowMs = Date.now()
    const due = store.transaction(() => {
      const timers = store.dueTimers(nowMs)
      for (const { instanceId, executionId, task, fireAt } of timers) {
        store.sql.dropTimer.run(instanceId, executionId, task)
        store.post({ instanceId, executionId }, firedTimer(task, nowMs, fireAt))
      }
      return timers
    })
    for (const { instanceId } of due) wake(instanceId)
    arm()
  }

  return {
    arm,
    stop() {
      isStopped = true
      clearTimeout(pending)
    },
  }
}
