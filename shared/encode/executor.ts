// Who does a title's units: this app, workers, or each what it is better at; and how many of them are under way at once.
import type { EncodeLimits } from './deps.ts'
import { picturePixels } from './effort.ts'
import { chunkCount } from './grid.ts'
import type { Plan } from './plan.ts'

/** `both`: the opening, the sound and the images are this app's, and what no worker takes. */
export type Executor = 'app' | 'workers' | 'both'

type Limits = Pick<EncodeLimits, 'executor' | 'fleetMs' | 'slots'>

/** What is small is done before a machine has booted; where there are no machines nobody waits for them. */
export function executorOf(plan: Plan, limits: Limits, pixelsPerSecond: number): Executor {
  const { executor, fleetMs, slots } = limits
  if (executor === 'function') return 'app'
  if (executor === 'fleet') return 'workers'
  if (slots === 0 || chunkCount(plan.video) < 2) return 'app'
  return (picturePixels(plan) / pixelsPerSecond) * 1000 > fleetMs ? 'both' : 'app'
}

/** Each unit under way is an orchestration, and the title's own history has one line of each. */
const mostUnits = 256
/** For workers that have ended a unit while its part has not offered the next one yet. */
const ahead = 1.25

/** Of one title: as many as keep all the workers of the pool busy, when it is the only one. */
export function windowOf(
  executor: Executor,
  { window, slots }: Pick<EncodeLimits, 'window' | 'slots'>,
): number {
  if (executor === 'app') return window
  return Math.max(window, Math.min(mostUnits, Math.ceil(ahead * slots)))
}
