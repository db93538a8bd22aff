// How the process ends when the real host would lose its worker: in-flight requests get 500, then it is gone.
import type { Log } from './log.ts'

export interface CrashOptions {
  readonly log: Log
  /** Answers what is in flight. */
  readonly abandon: () => Promise<void>
  readonly exit: (code: number) => void
}

export interface CrashWatch {
  /** Ends the process; only the first call counts. */
  crash(reason: string): void
  stop(): void
}

/** Rule 10: one floating promise ends the worker and every request in it. Whoever supervises starts it again. */
export function watchCrashes({ log, abandon, exit }: CrashOptions): CrashWatch {
  let ended = false
  function crash(reason: string): void {
    if (ended) return
    ended = true
    log('critical', 'Host.Worker', reason)
    abandon()
      .catch((error: unknown) => log('error', 'Host.Worker', String(error)))
      .finally(() => exit(1))
  }
  const onRejection = (error: unknown): void =>
    crash(`rule 10: unhandled rejection, the worker ends: ${stackOf(error)}`)
  const onException = (error: unknown): void =>
    crash(`rule 10: uncaught exception, the worker ends: ${stackOf(error)}`)
  const onExit = (code: number): void => {
    if (!ended)
      log('critical', 'Host.Worker', `rule 10: the app called process.exit(${code}), the worker ends`)
  }
  process.on('unhandledRejection', onRejection)
  process.on('uncaughtException', onException)
  process.on('exit', onExit)
  return {
    crash,
    stop() {
      ended = true
      process.off('unhandledRejection', onRejection)
      process.off('uncaughtException', onException)
      process.off('exit', onExit)
    },
  }
}

const stackOf = (error: unknown): string => (error instanceof Error && error.stack) || String(error)
