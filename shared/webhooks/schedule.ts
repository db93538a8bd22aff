// When a delivery is tried again and when it is given up: pure, from its document and what a try came to.
import { isoTime } from '../core/clock.ts'
import type { Delivery, Endpoint, EventName, Sent } from './ports.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** After each failed try, within two days. */
const waitsMs = [
  10_000,
  minuteMs,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  6 * hourMs,
  12 * hourMs,
  24 * hourMs,
]
/** The next progress says more than a late one. */
const progressWaitsMs = [minuteMs]
/** However many tries were left: its endpoint was down all the time, and one try stood for all that waited. */
const longestMs = 72 * hourMs
const longestRetryAfterMs = hourMs
const attemptsKept = 20
/** A try is cut off long before: whoever claimed this one and says nothing any more is dead. */
const claimMs = minuteMs

const waitsOf = (event: EventName): readonly number[] =>
  event === 'asset.progress' ? progressWaitsMs : waitsMs

const isLate = ({ createdAt }: Delivery, nowMs: number): boolean => nowMs - Date.parse(createdAt) > longestMs

const withoutNext = ({ nextTryAtMs: _, ...rest }: Delivery): Delivery => rest

/** Nobody else tries it from here on, until this one is done or dead. `unchanged` when there is nothing to do. */
export function claimed(delivery: Delivery, nowMs: number): Delivery | 'unchanged' {
  const { state, nextTryAtMs = Number.POSITIVE_INFINITY } = delivery
  if (state !== 'pending' || nextTryAtMs > nowMs) return 'unchanged'
  return { ...delivery, nextTryAtMs: nowMs + claimMs }
}

const isDelivered = ({ status = 0 }: Pick<Sent, 'status'>): boolean => status >= 200 && status < 300
/** RFC 9110 section 15.5.11: the receiver wants nothing more of this. */
const isGone = ({ status }: Pick<Sent, 'status'>): boolean => status === 410

/** What a try came to. `chance` in [0, 1) spreads the tries of those that failed together. */
export function tried(
  delivery: Delivery,
  sent: Sent,
  { nowMs, chance }: { nowMs: number; chance: number },
): Delivery {
  const { retryAfterSeconds = 0, ...result } = sent
  const attempt = { at: isoTime(nowMs - sent.durationMs), ...result }
  const tries = delivery.tries + 1
  const logged = { ...delivery, tries, attempts: [...delivery.attempts, attempt].slice(-attemptsKept) }
  if (isDelivered(sent)) return withoutNext({ ...logged, state: 'delivered' })
  const waitMs = waitsOf(delivery.event)[tries - 1]
  if (waitMs === undefined || isLate(delivery, nowMs) || isGone(sent))
    return withoutNext({ ...logged, state: 'failed' })
  const spreadMs = Math.round(waitMs * (0.9 + 0.2 * chance))
  const askedMs = Math.min(retryAfterSeconds * 1000, longestRetryAfterMs)
  return { ...logged, nextTryAtMs: nowMs + Math.max(spreadMs, askedMs) }
}

/** Its tenant is suspended: it waits without a try, as it was claimed, and for no longer than tries go on. */
export const held = (delivery: Delivery, nowMs: number): Delivery | 'unchanged' =>
  delivery.event === 'asset.progress' || isLate(delivery, nowMs) ? cancelled(delivery) : 'unchanged'

/** There is nowhere to send it any more. */
export const cancelled = (delivery: Delivery): Delivery | 'unchanged' =>
  delivery.state === 'pending' ? withoutNext({ ...delivery, state: 'cancelled' }) : 'unchanged'

/** Its tenant asks for one more try, now, whatever came of those before. */
export const dueAgain = (delivery: Delivery, nowMs: number): Delivery => ({
  ...delivery,
  state: 'pending',
  nextTryAtMs: nowMs,
})

/** What a try says of its endpoint: one that wants nothing more, or has failed for days, is sent nothing more. */
export function endpointAfter(endpoint: Endpoint, sent: Sent, nowMs: number): Endpoint | 'unchanged' {
  const { failingSince, ...well } = endpoint
  if (isDelivered(sent)) return failingSince === undefined ? 'unchanged' : well
  const since = failingSince ?? isoTime(nowMs)
  const isOver = isGone(sent) || nowMs - Date.parse(since) > longestMs
  if (isOver) return { ...endpoint, failingSince: since, goneAt: endpoint.goneAt ?? isoTime(nowMs) }
  return failingSince === undefined ? { ...endpoint, failingSince: since } : 'unchanged'
}
