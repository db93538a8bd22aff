// Decides when a failed task is tried again, as the real engine counts it.
import type { Retrying } from './execution.ts'

/** A backoff without end would leave the calendar. */
const longestDelayMs = 10 * 365 * 86_400_000

/**
 * The wait before the next attempt, or undefined when the policy's time is up. There is a wait after the last attempt
 * too: durable-functions reports the failure only when that timer fires.
 */
export function retryDelayMs({ policy, attempts, sinceMs }: Retrying, nowMs: number): number | undefined {
  const { retryTimeoutInMilliseconds: timeoutMs, maxRetryIntervalInMilliseconds: longestMs } = policy
  if (timeoutMs && nowMs >= sinceMs + timeoutMs) return undefined
  const delayMs = policy.firstRetryIntervalInMilliseconds * (policy.backoffCoefficient ?? 1) ** (attempts - 1)
  return Math.min(delayMs, longestMs || longestDelayMs)
}

/**
 * When a timer's message becomes visible. The Azure Storage backend delays messages by whole seconds, rounded down, so
 * that a timer fires up to a second early and one of a second or less at once (seen on the real host).
 */
export function timerDueMs(fireAtMs: number, nowMs: number): number {
  return nowMs + 1000 * Math.max(0, Math.ceil((fireAtMs - nowMs) / 1000) - 1)
}
