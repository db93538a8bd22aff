// What every kind of worker can do: obey, say what it has in hand and how busy it is, and tell when that is nothing.
import type { Wish } from './wish.ts'

export interface Load {
  readonly sessions: number
  readonly bytesPerSecond: number
  readonly cpu: number
  readonly pixelsPerSecond?: number
}

export interface Role {
  /** At once, and as often as need be: a worker that was told to leave may be told to work again. */
  obey(wish: Wish): void
  /** What it has in hand, and what it is just reaching for. */
  holds(): string[]
  load(): Omit<Load, 'cpu'>
  /** After it was told to drain or to leave: resolves once nothing is in hand any more. */
  idle(): Promise<void>
  /** Where others reach it: `host:port`. */
  readonly address?: string
  close(): Promise<void>
}
