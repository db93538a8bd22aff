// When timers fire: on schedule, at start, or once for all that was missed, and never two runs of one at a time.
import type { InvocationResult } from '../contract.ts'
import type { RunnableFunction } from './bindings.ts'
import type { Invoke } from './invoke.ts'
import type { Log } from './log.ts'
import { invokeWithRetry } from './retry.ts'
import { parseSchedule, type Schedule } from './schedule.ts'
import { messageOf } from './startup-error.ts'
import {
  afterRun,
  createStatusStore,
  formatTime,
  neverMs,
  resumeStatus,
  type TimerStatus,
} from './timer-status.ts'

export interface TimerOptions {
  readonly invoke: Invoke
  readonly log: Log
  readonly directory: string
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface Timer {
  readonly target: RunnableFunction
  start(): void
  /** Runs now, off schedule and beside it, as `POST /admin/functions/{name}` asks. */
  fire(): void
  /** Resolves when the run in progress has ended. */
  stop(): Promise<void>
}

/** setTimeout fires at once above this. */
const longestWaitMs = 2 ** 31 - 1

/** Throws where the schedule is not valid, so that the host doesn't start. */
export function createTimer(target: RunnableFunction, { invoke, log, directory, env }: TimerOptions): Timer {
  const { name, binding } = target
  const schedule = parseSchedule(name, binding['schedule'], env)
  const monitored = binding['useMonitor'] !== false && !schedule.isSubMinute
  const store = createStatusStore(directory)
  let status: TimerStatus
  let handle: NodeJS.Timeout | undefined
  let running: Promise<unknown> = Promise.resolve()
  let stopped = false

  async function run(isPastDue: boolean): Promise<InvocationResult> {
    const trigger = { json: JSON.stringify(timerInfo(schedule, monitored ? status : undefined, isPastDue)) }
    const result = await invokeWithRetry(target, trigger, { invoke, isStopped: () => stopped })
    if (!result.ok) log('error', `Function.${name}`, `Failed: ${messageOf(result.error)}`)
    return result
  }

  function wait(): void {
    if (stopped) return
    const waitMs = Math.max(0, status.nextMs - Date.now())
    // Timers of Node can fire a millisecond early, and longer waits than it knows are taken in parts.
    handle = setTimeout(
      () => (Date.now() < status.nextMs ? wait() : occur('scheduled')),
      Math.min(waitMs, longestWaitMs),
    )
  }

  function occur(reason: 'scheduled' | 'past-due' | 'startup'): void {
    if (stopped) return
    const startedMs = Date.now()
    running = run(reason === 'past-due').then(() => {
      status = afterRun(schedule, startedMs)
      if (monitored) store.write(name, status)
      wait()
    })
  }

  return {
    target,
    start() {
      const stored = monitored ? store.read(name) : undefined
      const resumed = resumeStatus(stored, schedule, Date.now())
      if (monitored) store.write(name, resumed.status)
      // A timer that has no past shows none, though its file says when it was first seen.
      status = stored ? resumed.status : { ...resumed.status, lastUpdatedMs: neverMs }
      log(
        'information',
        'Host.Triggers.Timer',
        `The next occurrence of '${name}' is ${formatTime(status.nextMs)}`,
      )
      if (resumed.isPastDue) occur('past-due')
      else if (binding['runOnStartup'] === true) occur('startup')
      else wait()
    },
    fire: () => void run(false),
    async stop() {
      stopped = true
      clearTimeout(handle)
      await running
    },
  }
}

/** In .NET's spelling; the library makes it camel case. */
function timerInfo(schedule: Schedule, status: TimerStatus | undefined, isPastDue: boolean): object {
  return {
    Schedule: { AdjustForDST: schedule.adjustForDst },
    ScheduleStatus: status
      ? {
          Last: formatTime(status.lastMs),
          Next: formatTime(status.nextMs),
          LastUpdated: formatTime(status.lastUpdatedMs),
        }
      : null,
    IsPastDue: isPastDue,
  }
}
