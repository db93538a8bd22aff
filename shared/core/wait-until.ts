// How an orchestration waits for a moment that may be days away.
import type { OrchestrationContext, Task } from 'durable-functions'

/** Durable on Azure Storage holds a timer for six days at most: a longer wait is taken in steps. */
const longestTimerMs = 72 * 3_600_000

export function* waitUntil(context: OrchestrationContext, untilMs: number): Generator<Task, void, unknown> {
  const now = () => context.df.currentUtcDateTime.getTime()
  while (now() < untilMs) yield context.df.createTimer(new Date(Math.min(untilMs, now() + longestTimerMs)))
}
