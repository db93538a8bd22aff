// What every kind of worker can do: obey, say what it has in hand and how busy it is, and tell when that is nothing.
import type { App } from '../shared/app.ts'
import type { Wish } from './wish.ts'

/** As the fleet is told with each beat. */
export type Load = Parameters<App['fleet']['nodes']['beat']>[2]['load']

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
