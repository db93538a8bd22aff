// What the errands of the fleet and their activities tell each other: which wake of which node, and what comes next.
import { z } from 'zod'
import { poolNames } from './ports.ts'

/** To drive one wake of a node until it serves, or until its machine is deallocated. */
export const Target = z.object({
  pool: z.enum(poolNames),
  node: z.string(),
  epoch: z.number().int().min(0),
  /** What the resource manager last took. */
  asked: z.object({ what: z.enum(['start', 'stop']), atMs: z.number() }).exactOptional(),
})
export type Target = z.infer<typeof Target>
export type Asked = NonNullable<Target['asked']>

export interface Errand {
  readonly kind: 'wake' | 'drain'
  readonly target: Target
}

export const activityNames = { start: 'fleet-start', look: 'fleet-look', stop: 'fleet-stop' } as const
export type ActivityName = keyof typeof activityNames

export interface Step {
  readonly next: ActivityName | 'over'
  readonly waitSeconds: number
  readonly asked?: Asked
}

/** An errand between two of its histories. */
export interface Progress extends Target {
  readonly next?: ActivityName
}
