// A pool that left the plan altogether, while nodes of it are awake: all are sent to sleep, and none is ever woken.
import type { Decision, Look } from './decision.ts'
import type { Outside } from './demand.ts'
import type { PoolPlan } from './plan.ts'
import type { PoolName } from './ports.ts'

export const planOfNobody = (name: PoolName): PoolPlan => ({
  ...{ name, groups: [], minimum: 0, maximum: 0, reserve: 0, appSessions: 0 },
  ...{ goalMs: 0, coolMs: 0, stayMs: 0, bootMs: 0, lateMs: 0, drainMs: 0, scarceMs: 0 },
  budget: { perHour: 0, perMonth: 0 },
})

/** Whatever there is to do, they are not asked to. */
export const ofNobody = async (): Promise<Outside> => () => ({ kind: 'work', seconds: 0, parallel: 0 })

/** Nothing is left to decide. */
export function letGo({ nodes, memory, nowMs }: Look): Decision {
  const spend = { countedToMs: nowMs, day: '', dayCost: 0, month: '', monthCost: 0 }
  const nothing = { spend, samples: [], peaks: [], watchedSinceMs: nowMs, wanted: 0 }
  const kept = memory ? { ...memory, spend: { ...memory.spend, countedToMs: nowMs }, wanted: 0 } : nothing
  return { wanted: 0, wake: [], drain: nodes.map(({ id }) => ({ id, reason: 'not-planned' })), memory: kept }
}
