// What a tenant may use: each limit as a rule that admits what would be used then, or refuses and says what to do.
import { Problem } from '../core/problem.ts'
import type { Limits } from './model.ts'

const raise = 'ask the operator of this platform for a higher limit'

/** What the tenant would keep with one more title. An absent limit does not limit. */
export function admitTitle(limits: Limits, kept: { titles: number; bytes: number }, sizeBytes: number): void {
  if (limits.titles !== undefined && kept.titles > limits.titles)
    throw new Problem('limit-reached', {
      detail: `This tenant has ${kept.titles - 1} titles, and may have ${limits.titles}. Delete one, or ${raise}.`,
    })
  if (limits.bytes !== undefined && kept.bytes > limits.bytes)
    throw new Problem('limit-reached', {
      detail:
        `The sources of this tenant have ${kept.bytes - sizeBytes} bytes, and may have ${limits.bytes}; ` +
        `this one has ${sizeBytes}. Delete titles, send a smaller file, or ${raise}.`,
    })
}

/** Film encoded in this month, the one that is asked for included. */
export function admitEncode(limits: Limits, encodedSeconds: number, ownSeconds: number): void {
  const { encodedMinutes } = limits
  if (encodedMinutes === undefined || encodedSeconds <= encodedMinutes * 60) return
  throw new Problem('cap-exceeded', {
    detail:
      `${shownMinutes(encodedSeconds - ownSeconds)} minutes of film were encoded in this month (UTC), ` +
      `${encodedMinutes} may be; this title has ${shownMinutes(ownSeconds)}. Wait for the next month, or ${raise}.`,
  })
}

export function refuseSession(limit: number): never {
  throw new Problem('limit-reached', {
    detail: `All ${limit} sessions of this day (UTC) are opened. Wait for the next day, or ${raise}.`,
  })
}

/** Up to the next hundredth, so that what is used is never shown as nothing. */
export const shownMinutes = (seconds: number): number => Math.ceil(seconds / 0.6) / 100
