// Runs the activities that are owed, at most so many at once, and writes results down before anybody hears of them.
import type { InvocationResult, LoadedApp } from '../contract.ts'
import { resultText } from './answer.ts'
import { activityFailure } from './failure.ts'
import { codes, completedTask, failedTask, type HistoryEvent, historyEvent } from './history.ts'
import { isTooLarge, refusals } from './refusals.ts'
import type { Store, Work } from './store.ts'

export interface ActivityOptions {
  readonly store: Store
  readonly app: LoadedApp
  readonly limit: number
  readonly wake: (instanceId: string) => void
  readonly onFault: (error: unknown) => void
}

export interface Activities {
  enqueue(work: readonly Work[]): void
  /** Takes up what an earlier process left. */
  recover(): void
  /** Starts nothing more; resolves when what runs has ended. */
  drain(): Promise<void>
}

export function createActivities({ store, app, limit, wake, onFault }: ActivityOptions): Activities {
  const queue: Work[] = []
  const running = new Set<Work>()
  let finished: { work: Work; event: HistoryEvent }[] = []
  let isScheduled = false
  let isDraining = false
  let onIdle: (() => void) | undefined

  function schedule(): void {
    if (isScheduled) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      try {
        settle()
      } catch (error) {
        onFault(error)
      }
    })
  }

  /** One transaction for all that ended and all that starts: an activity runs only once it is written that it does. */
  function settle(): void {
    if (!store.isOpen()) return
    const done = finished
    finished = []
    const starting = isDraining ? [] : queue.splice(0, limit - running.size)
    const woken = store.transaction(() => {
      for (const { id } of starting) store.sql.startActivity.run(id)
      return done.filter(({ work, event }) => {
        store.sql.dropActivity.run(work.id)
        return store.post(work, event)
      })
    })
    for (const { work } of woken) wake(work.instanceId)
    for (const work of starting) void run(work)
    if (running.size === 0 && finished.length === 0) onIdle?.()
  }

  async function run(work: Work): Promise<void> {
    running.add(work)
    const result = await app.invoke(work.name, work.input === null ? {} : { string: work.input })
    running.delete(work)
    finished.push({ work, event: eventOf(work, result) })
    schedule()
  }

  return {
    enqueue(work) {
      queue.push(...work)
      if (work.length > 0) schedule()
    },
    recover() {
      const owed = store.activities()
      const isLost = ({ isStarted, isRetriable }: Work) => isStarted === 1 && isRetriable === 0
      finished = owed.filter(isLost).map((work) => ({ work, event: interrupted(work) }))
      queue.push(...owed.filter((work) => !isLost(work)))
      schedule()
    },
    async drain() {
      isDraining = true
      if (running.size === 0 && finished.length === 0) return
      await new Promise<void>((resolve) => {
        onIdle = resolve
        schedule()
      })
    },
  }
}

function eventOf({ task, name }: Work, result: InvocationResult): HistoryEvent {
  if (!result.ok) return failedTask(task, Date.now(), activityFailure(name, result.error))
  const text = resultText(result.returnValue)
  if (!isTooLarge(text)) return completedTask(task, Date.now(), text)
  const reason = refusals.tooLarge(`The output of '${name}'`, Buffer.byteLength(text))
  return historyEvent(codes.refused, Date.now(), { Reason: reason })
}

const interrupted = ({ task, name }: Work) =>
  failedTask(task, Date.now(), { reason: refusals.interrupted(name), details: '' })
