// What a fleet is there for, seen from it: machines join, leave and are gone, and demand is told as the platform would measure it.

import type { Place } from '../../shared/fleet/plan.ts'
import type { Demand, Load as MeasuredLoad } from '../../shared/fleet/ports.ts'

export interface Load {
  joined(place: Place): void
  /** Takes nothing new from now on; `empty` is called once it holds nothing. */
  leaving(place: Place, empty: () => void): void
  gone(place: Place, how: 'stopped' | 'died'): void
  /** Until the next second. */
  step(): void
  demand(): Demand
  /** Of the machines that are ready, from 0 to 1: all that a threshold sees. Without any, 1 while something waits. */
  utilisation(): number
  of(place: Place): { readonly holds: readonly string[]; readonly load: MeasuredLoad }
  /** What is wanted, what there is for it, and what waits; for the plots. */
  gauge(): { readonly wanted: number; readonly places: number; readonly without: number }
}
