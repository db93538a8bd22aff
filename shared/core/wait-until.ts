// How an orchestration waits for a moment that may be days away.

/** What it needs of a Durable orchestration's context. */
interface Waiting<T> {
  readonly df: { readonly currentUtcDateTime: Date; createTimer(at: Date): T }
}

/** Durable on Azure Storage holds a timer for six days at most: a longer wait is taken in steps. */
const longestTimerMs = 72 * 3_600_000

export function* waitUntil<T>(context: Waiting<T>, untilMs: number): Generator<T, void, unknown> {
  const now = () => context.df.currentUtcDateTime.getTime()
  while (now() < untilMs) yield context.df.createTimer(new Date(Math.min(untilMs, now() + longestTimerMs)))
}
