// Fleet: pools of virtual machines that lie deallocated, are woken when the work grows, and are sent back to sleep.
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { Problem } from '../core/problem.ts'
import { letGo, ofNobody, planOfNobody } from './abandoned.ts'
import type { Decision, Look } from './decision.ts'
import { createDemand } from './demand.ts'
import { createCrew } from './encoders.ts'
import { createErrands } from './errands.ts'
import { isAwake } from './machine.ts'
import { createNodes } from './nodes.ts'
import { type FleetPlan, type PoolPlan, placesOf } from './plan.ts'
import { type Backlog, type FleetStore, type Machines, type PoolName, poolNames } from './ports.ts'
import { createMeanwhile, createReconcile } from './reconcile.ts'
import type { PoolView } from './schema.ts'
import { lookOf, type Now } from './step.ts'
import { viewPool } from './view.ts'
import { createLookAt } from './watch.ts'
import type { Errand } from './work.ts'

export interface FleetDeps {
  /** Without pools there is no fleet, and nothing here finds anything to do but what is left of one before. */
  readonly plan: FleetPlan
  /** Whether a resource manager is known though there are no pools: those of a plan that is no more may be awake. */
  readonly isLeft?: boolean
  readonly store: FleetStore
  readonly machines: Machines
  readonly backlog: Backlog
  readonly decide: (look: Look) => Decision
  readonly clock: Clock
  readonly log: Log
  readonly pace?: Partial<FleetPace>
}

/** How often what is done. */
export interface FleetPace {
  /** A node in transition that no errand has had in hand for so long gets another one. */
  readonly strandedMs: number
  /** Between two looks at one machine: the resource manager bears twelve a minute. */
  readonly lookMs: number
  /** What was asked of a machine and shows no effect is asked again. */
  readonly askAgainMs: number
  /** Until a resource manager that can't be reached is tried again. */
  readonly awayMs: number
  /** Between two comparisons of all machines with their documents. */
  readonly reconcileMs: number
  /** For that comparison, before what comes out of it is left to the next look. */
  readonly waitMs: number
  /** Between two calls for the same pool. */
  readonly callMs: number
}

const usual: FleetPace = {
  strandedMs: 60_000,
  lookMs: 6000,
  askAgainMs: 60_000,
  awayMs: 15_000,
  reconcileMs: 60_000,
  waitMs: 2000,
  callMs: 2000,
}

/** An admin's orders. */
export interface WakeOrder {
  readonly nodes: number
  readonly minutes: number
}
export interface DrainOrder {
  readonly nodes?: readonly string[]
  readonly keep?: number
  readonly minutes: number
}

interface Answer {
  readonly view: PoolView
  readonly errands: readonly Errand[]
}

export function createFleet(deps: FleetDeps) {
  const { plan: fleet, store, machines, backlog, decide, clock, log } = deps
  const pace = { ...usual, ...deps.pace }
  const planOf = (pool: string): PoolPlan | undefined => fleet.pools.find(({ name }) => name === pool)
  const scarceMsOf = (pool: PoolName) => planOf(pool)?.scarceMs ?? 0
  const demand = createDemand({ store, backlog })
  const { deadMs, beatMs } = fleet
  const watching = { store, demand, log, deadMs, strandedMs: pace.strandedMs }
  const lookAt = createLookAt({ ...watching, decide })
  const abandon = createLookAt({ ...watching, demand: ofNobody, decide: letGo })
  const reconcile = createReconcile({ store, machines, log, beatMs, scarceMsOf })
  let reconciledAtMs = Number.NEGATIVE_INFINITY
  const calledAtMs = new Map<PoolName, number>()

  /** What hinders one must not hinder the others. */
  async function orNothing(what: string, errands: Promise<readonly Errand[]>): Promise<readonly Errand[]> {
    return errands.catch((error: unknown) => {
      log('error', 'fleet.watch-failed', { what, cause: String(error).slice(0, 300) })
      return []
    })
  }

  const reconciled = createMeanwhile(() => orNothing('machines', reconcile()), { clock, waitMs: pace.waitMs })

  const found = (pool: string): PoolPlan => {
    const plan = planOf(pool)
    if (!plan) throw new Problem('not-found', { detail: 'Check the name of the pool.' })
    return plan
  }

  async function view(plan: PoolPlan): Promise<PoolView> {
    const [state, outside] = [await store.read(plan.name), await demand(plan.name)]
    const now: Now = { state, demand: outside(state.nodes), nowMs: store.now() }
    return viewPool(fleet, plan, { now, decision: decide(lookOf(plan, now)) })
  }

  async function ordered(plan: PoolPlan, order: Now['order']): Promise<Answer> {
    const { now, decision, errands } = await lookAt(plan, order)
    return { view: viewPool(fleet, plan, { now, decision }), errands }
  }

  const looked = (plan: PoolPlan): Promise<readonly Errand[]> =>
    orNothing(
      plan.name,
      lookAt(plan).then(({ errands }) => errands),
    )

  const until = (minutes: number) => store.now() + minutes * 60_000

  /** Whoever is awake there was woken by a plan that is no more. */
  async function abandoned(name: PoolName): Promise<readonly Errand[]> {
    if (planOf(name) || !(await store.read(name)).nodes.some(isAwake)) return []
    return (await abandon(planOfNobody(name))).errands
  }

  return {
    nodes: createNodes({ store, clock }),
    crew: createCrew({ store, clock }),
    errands: createErrands({
      ...{ store, machines, log },
      ...{ lookMs: pace.lookMs, askAgainMs: pace.askAgainMs, awayMs: pace.awayMs },
      planOf: (pool) => planOf(pool) ?? planOfNobody(pool),
    }),

    /** All pools, and now and then all machines; of no pools those that are left awake, as seldom. */
    async watch(): Promise<readonly Errand[]> {
      const errands = (await Promise.all(fleet.pools.map(looked))).flat()
      const isPlanned = fleet.pools.length > 0
      const isDue = (isPlanned || deps.isLeft === true) && clock.now() - reconciledAtMs >= pace.reconcileMs
      if (isDue) reconciledAtMs = clock.now()
      const others = isDue ? poolNames.map((name) => orNothing(name, abandoned(name))) : []
      return [...errands, ...(await Promise.all([...others, reconciled(isDue && isPlanned)])).flat()]
    },

    /** Somebody has work for a pool now; said often, it is heard every two seconds. */
    async call(pool: PoolName): Promise<readonly Errand[]> {
      const plan = planOf(pool)
      const nowMs = clock.now()
      if (!plan || nowMs - (calledAtMs.get(pool) ?? 0) < pace.callMs) return []
      calledAtMs.set(pool, nowMs)
      return looked(plan)
    },

    list: (): Promise<PoolView[]> => Promise.all(fleet.pools.map(view)),
    view: async (pool: string): Promise<PoolView> => view(found(pool)),

    async wake(pool: string, { nodes, minutes }: WakeOrder): Promise<Answer> {
      const plan = found(pool)
      const message = `must be at most ${plan.maximum}: this pool has no more, or may have no more awake`
      if (nodes > plan.maximum)
        throw new Problem('invalid-request', { errors: [{ pointer: '/nodes', message }] })
      return ordered(plan, { floor: { nodes, untilMs: until(minutes) } })
    },

    /** What is decided counts alone again; nodes that drain go on to their sleep. */
    lift: async (pool: string): Promise<Answer> => ordered(found(pool), { lift: true }),

    async drain(pool: string, { nodes = [], keep, minutes }: DrainOrder): Promise<Answer> {
      const plan = found(pool)
      const places = new Set(placesOf(plan).map(({ id }) => id))
      // One that has left the plan may still be awake.
      for (const id of nodes.filter((one) => !places.has(one)))
        if (!(await store.node(plan.name, id)))
          throw new Problem('not-found', { detail: `There is no node \`${id}\` in this pool.` })
      const untilMs = until(minutes)
      return ordered(plan, {
        ...(nodes.length === 0 ? {} : { drain: { ids: nodes, untilMs } }),
        ...(keep === undefined ? {} : { ceiling: { nodes: keep, untilMs } }),
      })
    },
  }
}
