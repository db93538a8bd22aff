// What a timer's schedule text means: NCRONTAB or a fixed interval, its settings filled in.
import { resolveSetting } from './host-json.ts'
import { parseNcrontab } from './ncrontab.ts'
import { startupError } from './startup-error.ts'
import { parseTimeSpan } from './time-span.ts'

export interface Schedule {
  next(afterMs: number): number
  readonly adjustForDst: boolean
  /** Rule 16: more often than once a minute there is no status and no memory of missed runs. */
  readonly isSubMinute: boolean
}

const never = Number.POSITIVE_INFINITY

/** The real host disables a timer with a bad schedule and goes on; here it stops the start. */
export function parseSchedule(
  name: string,
  expression: unknown,
  env: Readonly<Record<string, string | undefined>>,
): Schedule {
  if (typeof expression !== 'string') throw startupError(`Timer '${name}' has no schedule.`)
  const text = resolveSetting(expression, env)
  const cron = parseNcrontab(text)
  if (cron) {
    return {
      next: (afterMs) => cron.next(afterMs) ?? never,
      adjustForDst: true,
      isSubMinute: cron.isSubMinute,
    }
  }
  const seconds = parseTimeSpan(text)
  if (seconds === undefined || seconds <= 0) {
    throw startupError(
      `Timer '${name}': '${text}' was not recognized as a cron expression of five or six fields or a time span.`,
    )
  }
  return { next: (afterMs) => afterMs + seconds * 1000, adjustForDst: false, isSubMinute: seconds < 60 }
}
