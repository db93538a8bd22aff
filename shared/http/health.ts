// Whether the app is well: what must be there at the first start is made once, the stores are asked once a second.
import type { Clock } from '../core/clock.ts'
import { lazy } from '../core/lazy.ts'
import { Problem } from '../core/problem.ts'
import { createRecent } from '../core/recent.ts'

export interface HealthDeps {
  readonly clock: Clock
  readonly version: string
  /** Done once before the first good answer, again after it failed. */
  prepare(): Promise<void>
  /** Rejects when a store does not answer. */
  ping(): Promise<unknown>
}

export function createHealth({ clock, version, prepare, ping }: HealthDeps) {
  const prepared = lazy(prepare)
  // Anybody may ask.
  const pings = createRecent<true>({ clock, maxAgeMs: 1000, maxWeight: 1 })
  return async (): Promise<{ status: 'ok'; version: string }> => {
    try {
      await Promise.all([prepared(), pings.get('stores', () => ping().then(() => true as const))])
    } catch (cause) {
      throw new Problem('unavailable', { cause })
    }
    return { status: 'ok', version }
  }
}
