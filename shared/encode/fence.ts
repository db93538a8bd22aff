// What keeps a worker from having any effect once its claim may be another's: its ffmpeg ends, and it writes nothing more.
import type { EncodeDeps } from './deps.ts'

export interface Fence {
  /** Aborted when it has fallen. */
  readonly signal: AbortSignal
  /** Throws when it has fallen, or the time it was put for is over: a process that was stopped wakes up behind it. */
  check(): void
  putUntil(ms: number): void
  fall(reason: Error): void
}

export function createFence(now: () => number, untilMs: number): Fence {
  const abort = new AbortController()
  let endsAtMs = untilMs
  const fall = (reason: Error): void => abort.abort(reason)
  return {
    signal: abort.signal,
    check() {
      if (now() >= endsAtMs) fall(new Error('the claim was not renewed in time'))
      abort.signal.throwIfAborted()
    },
    putUntil(ms) {
      endsAtMs = ms
    },
    fall,
  }
}

/** An original and its keys: the app takes them away when it hears that a title failed, and no machine may. */
const leftToTheApp = async (): Promise<void> => undefined

/** The same stores behind the fence: reading is free, every write asks it first. */
export function behind(fence: Fence, deps: EncodeDeps): EncodeDeps {
  const { assets, media, sources, sealer, units, ledger, ffmpeg } = deps
  return {
    ...deps,
    assets: guarded(fence, assets, ['update', 'remove']),
    media: guarded(fence, media, ['putOnce', 'remove', 'removeFolder']),
    sources: { ...sources, remove: leftToTheApp },
    units: guarded(fence, units, ['put', 'removeJob']),
    ledger: guarded(fence, ledger, ['put']),
    sealer: { ...guarded(fence, sealer, ['prepare']), retire: leftToTheApp, forget: leftToTheApp },
    ffmpeg: {
      ...ffmpeg,
      run: (ask) =>
        ffmpeg.run({
          ...ask,
          signal: ask.signal ? AbortSignal.any([ask.signal, fence.signal]) : fence.signal,
        }),
    },
  }
}

function guarded<T extends object>(fence: Fence, store: T, writes: readonly (keyof T)[]): T {
  const guards = writes.map((name) => {
    const write = store[name] as (...given: unknown[]) => Promise<unknown>
    const asked = async (...given: unknown[]) => {
      fence.check()
      return write(...given)
    }
    return [name, asked] as const
  })
  return { ...store, ...Object.fromEntries(guards) }
}
