// The role `encoder`: claims units of encode's work while its node is ready, and does as many at once as the machine is sized for.
import type { App } from '../shared/app.ts'
import { createSpeed } from './load.ts'
import type { Role } from './role.ts'
import type { Wish } from './wish.ts'

type Duty = Parameters<App['encode']['worker']['serve']>[0]

export interface EncoderOptions extends Pick<Duty, 'node' | 'tell' | 'isReady'> {
  readonly serve: (duty: Duty) => Promise<void>
  /** Chunks that it encodes at once. */
  readonly slots: number
}

/** From when it is told to work until it has nothing in hand any more. */
interface Stint {
  readonly drain: AbortController
  readonly leave: AbortController
  readonly ended: Promise<void>
}

export function createEncoder({ serve, slots, ...options }: EncoderOptions): Role {
  const speed = createSpeed()
  const hands = new Set<string>()
  // The sound takes little of a machine, and all of a title's length: it goes beside the pictures.
  const kinds = [...Array.from({ length: slots }, () => 'chunk' as const), 'audio' as const]
  let stint: Stint | undefined

  /** Begins after the one before it, which may still be giving units back. */
  function begin(before: Stint | undefined): Stint {
    const drain = new AbortController()
    const leave = new AbortController()
    const duty = {
      ...options,
      ...{ slots: kinds, hands, measured: speed.add, drain: drain.signal, leave: leave.signal },
    }
    const ended = (before?.ended ?? Promise.resolve()).then(() => serve(duty))
    return { drain, leave, ended }
  }

  return {
    obey(wish: Wish) {
      if (wish === 'leave') stint?.leave.abort()
      else if (wish === 'drain') stint?.drain.abort()
      else if (!stint || stint.drain.signal.aborted || stint.leave.signal.aborted) stint = begin(stint)
    },
    holds: () => [...hands].sort(),
    load() {
      const pixelsPerSecond = speed.read()
      return { sessions: 0, bytesPerSecond: 0, ...(pixelsPerSecond === undefined ? {} : { pixelsPerSecond }) }
    },
    idle: async () => stint?.ended,
    close: async () => {},
  }
}
