// Whether machines are as their documents say: one that runs unasked is stopped, one that is gone is taken for dead.
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { asleep, heardAtMs, lost, runsUnasked } from './machine.ts'
import { poolOf } from './plan.ts'
import type { FleetStore, MachineLook, Machines, Node, PoolName, Power } from './ports.ts'
import { poolNames } from './ports.ts'
import { errandOf } from './step.ts'
import type { Errand } from './work.ts'

export interface ReconcileDeps {
  readonly store: FleetStore
  readonly machines: Machines
  readonly log: Log
  readonly beatMs: number
  readonly scarceMsOf: (pool: PoolName) => number
}

const isPaidFor: ReadonlySet<Power> = new Set<Power>(['starting', 'running', 'stopping', 'stopped'])
const isGone: ReadonlySet<Power> = new Set<Power>(['stopped', 'deallocating', 'deallocated'])

interface Found {
  readonly power: Power
  /** What has changed since then is not what was found. */
  readonly askedAtMs: number
  readonly beatMs: number
  readonly restMs: number
}

export function corrected(node: Node, { power, askedAtMs, beatMs, restMs }: Found): Node {
  if (node.sinceMs >= askedAtMs) return node
  if (node.state === 'stopped') return isPaidFor.has(power) ? runsUnasked(node, askedAtMs) : node
  // A beat is worth more than what the resource manager says.
  const isQuiet = askedAtMs - heardAtMs(node) >= 2 * beatMs
  return isGone.has(power) && isQuiet ? lost(node, askedAtMs, restMs) : node
}

export function createReconcile(deps: ReconcileDeps) {
  const { store, machines, log, beatMs } = deps

  async function correct(pool: PoolName, vm: string, found: Found): Promise<Errand[]> {
    let next: Node | undefined
    await store.changeNode(pool, vm, (node = asleep(pool, vm)) => {
      const after = corrected(node, found)
      next = after === node ? undefined : after
      return next ?? 'unchanged'
    })
    if (!next) return []
    const event = next.state === 'failed' ? 'fleet.lost' : 'fleet.not-asked'
    log('warn', event, { node: vm, power: found.power, epoch: next.epoch })
    return [errandOf(next)]
  }

  async function reconcile(
    pool: PoolName,
    all: ReadonlyMap<string, MachineLook>,
    askedAtMs: number,
  ): Promise<Errand[]> {
    const machinesOf = [...all].filter(([vm]) => poolOf(vm) === pool)
    if (machinesOf.length === 0) return []
    const nodes = new Map((await store.read(pool)).nodes.map((node) => [node.id, node]))
    const errands: Errand[] = []
    for (const [vm, { power }] of machinesOf) {
      const found = { power, askedAtMs, beatMs, restMs: deps.scarceMsOf(pool) }
      const node = nodes.get(vm) ?? asleep(pool, vm)
      if (corrected(node, found) !== node) errands.push(...(await correct(pool, vm, found)))
    }
    return errands
  }

  return async (): Promise<Errand[]> => {
    const askedAtMs = store.now()
    const all = await machines.all()
    return (await Promise.all(poolNames.map((pool) => reconcile(pool, all, askedAtMs)))).flat()
  }
}

/**
 * Of hundreds of machines it takes a while, and longer still when the resource manager hangs: no look waits for that.
 * What comes out later is handed to the next who asks; if it never is, its nodes are found stranded.
 */
export function createMeanwhile(
  work: () => Promise<readonly Errand[]>,
  { clock, waitMs }: { readonly clock: Pick<Clock, 'wait'>; readonly waitMs: number },
) {
  let underWay: Promise<void> | undefined
  let found: readonly Errand[] = []
  const run = async (): Promise<void> => {
    const errands = await work()
    found = [...found, ...errands]
    underWay = undefined
  }
  return async (isDue: boolean): Promise<readonly Errand[]> => {
    if (isDue) underWay ??= run()
    if (underWay) await Promise.race([underWay, clock.wait(waitMs)])
    const errands = found
    found = []
    return errands
  }
}
