// How often and after what pause a failed timer run is tried again, by the function's retry options.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { InvocationResult, TypedData } from '../contract.ts'
import type { RunnableFunction } from './bindings.ts'
import type { RetryOptions } from './core-module.ts'
import type { Invoke, RetryContext } from './invoke.ts'

export interface RetryRun {
  readonly invoke: Invoke
  readonly isStopped: () => boolean
}

/** All attempts share one invocation id, as on the real host; -1 retries without end. */
export async function invokeWithRetry(
  target: RunnableFunction,
  trigger: TypedData,
  { invoke, isStopped }: RetryRun,
): Promise<InvocationResult> {
  const id = randomUUID()
  const { retry } = target
  if (!retry) return invoke(target, { id, trigger })
  let result = await invoke(target, {
    id,
    trigger,
    retry: { retryCount: 0, maxRetryCount: retry.maxRetryCount },
  })
  for (let count = 1; !result.ok && !isStopped(); count++) {
    if (retry.maxRetryCount >= 0 && count > retry.maxRetryCount) break
    await sleep(pauseMs(retry, count))
    result = await invoke(target, {
      id,
      trigger,
      retry: contextOf(retry, count, result.ok ? undefined : result.error),
    })
  }
  return result
}

function contextOf(retry: RetryOptions, retryCount: number, error: unknown): RetryContext {
  const [message, stackTrace] =
    error instanceof Error ? [error.message, error.stack ?? ''] : [String(error), '']
  return { retryCount, maxRetryCount: retry.maxRetryCount, exception: { message, source: '', stackTrace } }
}

export function pauseMs(retry: RetryOptions, count: number): number {
  const seconds =
    retry.retryStrategy === 'fixedDelay'
      ? (retry.delayInterval?.seconds ?? 0)
      : Math.min(
          (retry.minimumInterval?.seconds ?? 1) * 2 ** (count - 1),
          retry.maximumInterval?.seconds ?? 600,
        )
  return seconds * 1000
}
