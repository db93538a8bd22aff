// Looks at a pool and writes down what follows, in one transaction; what has to be driven then is handed to the caller.
import type { Log } from '../core/log.ts'
import type { Outside } from './demand.ts'
import type { PoolPlan } from './plan.ts'
import type { FleetStore, Node, PoolName } from './ports.ts'
import { type Now, type Order, type Outcome, type Rules, step } from './step.ts'

export interface WatchDeps extends Omit<Rules, 'plan'> {
  readonly store: FleetStore
  readonly demand: (pool: PoolName) => Promise<Outside>
  readonly log: Log
}

/** `now`: as it is afterwards. */
export type LookAt = (plan: PoolPlan, order?: Order) => Promise<Outcome & { readonly now: Now }>

export function createLookAt({ store, demand, log, ...rules }: WatchDeps): LookAt {
  function tell(before: Node | undefined, after: Node): void {
    const { id: node, state, reason, epoch } = after
    if (before?.state === state) {
      if (before.drivenAtMs !== after.drivenAtMs) log('warn', 'fleet.stranded', { node, state, epoch })
    } else if (state === 'starting') log('info', 'fleet.woken', { node, reason, epoch })
    else if (state === 'failed') log('warn', 'fleet.lost', { node, reason, epoch })
    else if (state !== 'stopped') log('info', 'fleet.draining', { node, reason, epoch })
  }

  /** Two at once are one after the other: each decides on what the other has written. */
  return async (plan, order = {}) => {
    const outside = await demand(plan.name)
    let looked: { outcome: Outcome; now: Now } | undefined
    const state = await store.change(plan.name, (before) => {
      const now = { state: before, demand: outside(before.nodes), nowMs: store.now(), order }
      looked = { outcome: step({ ...rules, plan }, now), now }
      return looked.outcome.change
    })
    if (!looked) throw new Error('a look came to nothing')
    const { outcome, now } = looked
    const formerly = new Map(now.state.nodes.map((node) => [node.id, node]))
    for (const node of outcome.change.nodes) tell(formerly.get(node.id), node)
    return { ...outcome, now: { ...now, state } }
  }
}
