// What one look at a pool makes of it: who is lost, who is asked to drain, what was decided, and which errands that takes.
import type { Decision, Look } from './decision.ts'
import {
  asleep,
  drainAsked,
  driven,
  isAwake,
  isSilent,
  isStranded,
  keptAsleep,
  lost,
  mayWake,
  woken,
} from './machine.ts'
import { type PoolPlan, placesOf } from './plan.ts'
import type { Bound, Demand, FleetChange, FleetState, Node, NodeState, Pool, Reason } from './ports.ts'
import type { Errand } from './work.ts'

export interface Rules {
  readonly plan: PoolPlan
  readonly deadMs: number
  /** A node that no errand has had in hand for so long gets another one. */
  readonly strandedMs: number
  readonly decide: (look: Look) => Decision
}

/** What an admin asks for, beside what is decided. */
export interface Order {
  /** Not to be woken before; nobody names a node to see it start again at once. */
  readonly drain?: { readonly ids: readonly string[]; readonly untilMs: number }
  readonly floor?: Bound
  readonly ceiling?: Bound
  /** Takes back all that was asked before. */
  readonly lift?: true
}

export interface Now {
  readonly state: FleetState
  readonly demand: Demand
  readonly nowMs: number
  readonly order?: Order
}

export interface Outcome {
  readonly change: FleetChange
  readonly errands: readonly Errand[]
  readonly decision: Decision
}

/** A transaction takes a hundred documents, and the pool is one of them; what is left over is decided anew. */
const mostChanges = 99

const lives = (bound: Bound | undefined, nowMs: number): Bound | undefined =>
  bound && nowMs < bound.untilMs ? bound : undefined

/** The later word counts: a floor lifts a ceiling that is below it, and the other way. */
function boundsOf({ state: { pool, nodes }, nowMs, order = {} }: Now): Pick<Pool, 'floor' | 'ceiling'> {
  if (order.lift) return {}
  const floor = order.floor ?? lowered(lives(pool?.floor, nowMs), nodes, order.drain?.ids)
  const ceiling = order.ceiling ?? lives(pool?.ceiling, nowMs)
  const contradict = floor && ceiling && ceiling.nodes < floor.nodes
  return {
    ...(floor && !(contradict && order.ceiling) ? { floor } : {}),
    ...(ceiling && !(contradict && order.floor) ? { ceiling } : {}),
  }
}

/** Who drains a node wants fewer of them, whatever was said before. */
function lowered(floor: Bound | undefined, nodes: readonly Node[], named: readonly string[] | undefined) {
  if (!floor || !named) return floor
  const left = nodes.filter(({ id, state }) => isActive.has(state) && !named.includes(id)).length
  return left === 0 ? undefined : { ...floor, nodes: Math.min(floor.nodes, left) }
}
const isActive: ReadonlySet<NodeState> = new Set<NodeState>(['starting', 'ready'])

/** After a longer break nobody is to blame for silence: the store may have been away for all. */
const breakMs = 15_000

function steadySince({ pool }: FleetState, nowMs: number, deadMs: number): number {
  const lookedAtMs = pool?.memory.spend.countedToMs ?? 0
  const isSteady = nowMs - lookedAtMs <= Math.max(breakMs, deadMs / 2)
  return isSteady ? Math.min(pool?.steadySinceMs ?? nowMs, nowMs) : nowMs
}

export function lookOf(plan: PoolPlan, now: Now, nodes = now.state.nodes): Look {
  const { floor, ceiling } = boundsOf(now)
  return { plan, nodes, demand: now.demand, memory: now.state.pool?.memory, floor, ceiling, nowMs: now.nowMs }
}

/** The nodes, as far as they were changed. */
function createDraft(before: readonly Node[]) {
  const nodes = new Map(before.map((node) => [node.id, node]))
  const changed = new Set<string>()
  return {
    nodes: () => [...nodes.values()],
    changed: () => [...changed].flatMap((id) => nodes.get(id) ?? []),
    change(node: Node, next: Node): void {
      if (next === node || (changed.size >= mostChanges && !changed.has(node.id))) return
      nodes.set(node.id, next)
      changed.add(node.id)
    },
    find: (id: string): Node | undefined => nodes.get(id),
  }
}

export function step({ plan, deadMs, strandedMs, decide }: Rules, now: Now): Outcome {
  const { state, nowMs, order = {} } = now
  const draft = createDraft(state.nodes)
  const planned = new Set(placesOf(plan).map(({ id }) => id))
  const drain = (id: string, reason: Reason): void => {
    const node = draft.find(id)
    if (node) draft.change(node, drainAsked(node, reason, nowMs))
  }

  const steadySinceMs = steadySince(state, nowMs, deadMs)
  const mayBeLost = nowMs - steadySinceMs >= deadMs
  for (const node of state.nodes)
    if (mayBeLost && isSilent(node, nowMs, deadMs)) draft.change(node, lost(node, nowMs, plan.scarceMs))
  for (const id of order.drain?.ids ?? []) {
    const node = draft.find(id) ?? asleep(plan.name, id)
    draft.change(node, keptAsleep(drainAsked(node, 'asked', nowMs), order.drain?.untilMs ?? 0))
  }
  if (order.floor || order.lift) for (const node of draft.nodes()) draft.change(node, mayWake(node))

  const decision = decide(lookOf(plan, now, draft.nodes()))
  for (const { id, reason } of decision.drain) drain(id, reason)
  for (const { id, reason } of decision.wake) {
    const node = draft.find(id) ?? asleep(plan.name, id)
    if (planned.has(id)) draft.change(node, woken(node, reason, nowMs))
  }
  // Those of this look were driven just now.
  for (const node of draft.nodes())
    if (isStranded(node, nowMs, strandedMs)) draft.change(node, driven(node, { epoch: node.epoch, nowMs }))

  const nodes = draft.changed()
  const pool: Pool = {
    ...{ id: 'pool', pool: plan.name, type: 'pool', schema: 1 },
    ...boundsOf(now),
    steadySinceMs,
    memory: decision.memory,
  }
  return { change: { pool, nodes }, errands: nodes.filter(isMoved).map(errandOf), decision }
}

const isMoved = (node: Node): boolean => isAwake(node) && node.state !== 'ready'

export const errandOf = ({ pool, id, epoch, state }: Node): Errand => ({
  kind: state === 'starting' ? 'wake' : 'drain',
  target: { pool, node: id, epoch },
})
