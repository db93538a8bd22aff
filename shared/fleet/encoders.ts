// What encode wants to know of the encoders: whether anybody is awake, and how fast they were measured to be.
import type { Clock } from '../core/clock.ts'
import { createRecent } from '../core/recent.ts'
import { sum } from './demand.ts'
import type { FleetStore, Node } from './ports.ts'

const freshMs = 2000

export function createCrew({ store, clock }: { readonly store: FleetStore; readonly clock: Clock }) {
  const recent = createRecent<readonly Node[]>({ clock, maxAgeMs: freshMs, maxWeight: 1 })
  const ready = (): Promise<readonly Node[]> =>
    recent.get('encoder', async () =>
      (await store.read('encoder')).nodes.filter(({ state }) => state === 'ready'),
    )
  return {
    awake: async (): Promise<number> => (await ready()).length,

    /** Of one unit on one of them; undefined until one was measured. */
    async pixelsPerSecond(): Promise<number | undefined> {
      const measured = (await ready()).flatMap(({ beat }) => beat?.load.pixelsPerSecond ?? [])
      return measured.length === 0 ? undefined : sum(measured) / measured.length
    },
  }
}
