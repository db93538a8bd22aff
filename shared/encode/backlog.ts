// What workers still have to do, of all titles of all tenants: also what is not offered yet, since each offer tells what follows it.
import type { Clock } from '../core/clock.ts'
import { createRecent } from '../core/recent.ts'
import type { Crew, Offer, OfferStore } from './ports.ts'

export interface Work {
  /** Of one slot that does all of it, one unit after another. */
  readonly seconds: number
  /** Units that could be under way at once. */
  readonly parallel: number
}

/** A part of a title's window has one offer at a time, and does its units one after another. */
export const workOf = (offers: readonly Pick<Offer, 'left'>[], pixelsPerSecond: number): Work => ({
  seconds: offers.reduce((sum, { left }) => sum + left, 0) / pixelsPerSecond,
  parallel: offers.filter(({ left }) => left > 0).length,
})

const freshMs = 1000

interface BacklogDeps {
  readonly offers: Pick<OfferStore, 'unfinished'>
  readonly crew: Pick<Crew, 'pixelsPerSecond'>
  readonly clock: Pick<Clock, 'now'>
  /** Until something was measured. */
  readonly speed: { readonly pixelsPerSecond: number }
}

export type Backlog = ReturnType<typeof createBacklog>

export function createBacklog({ offers, crew, clock, speed }: BacklogDeps) {
  const recent = createRecent<readonly Offer[]>({ clock, maxAgeMs: freshMs, maxWeight: 1 })
  const one = 'all'
  return {
    async read(): Promise<Work> {
      const [open, measured] = await Promise.all([
        recent.get(one, () => offers.unfinished()),
        crew.pixelsPerSecond(),
      ])
      return workOf(open, measured ?? speed.pixelsPerSecond)
    },
    /** By this process: who asks next must see it. */
    changed: (): void => recent.drop(one),
  }
}
