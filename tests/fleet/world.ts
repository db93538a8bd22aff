// A fleet on a real store and a clock of its own: misbehaving machines, workers on them, errands, and watches, a second at a time.
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { Problem } from '../../shared/core/problem.ts'
import { decide } from '../../shared/fleet/decide.ts'
import { createFleet } from '../../shared/fleet/index.ts'
import { type PoolPlan, placesOf } from '../../shared/fleet/plan.ts'
import type { FleetStore, Node } from '../../shared/fleet/ports.ts'
import { type CloudOptions, createCloud } from './cloud.ts'
import { sampleFleet, sampleLoad } from './documents.ts'
import { createEngine } from './engine.ts'
import { pace, schemas } from './stores.ts'

export interface WorldOptions {
  readonly cosmos: { readonly endpoint: string; readonly key: string; readonly database: string }
  readonly plan: PoolPlan
  readonly random: () => number
  readonly startMs?: number
  readonly cloud?: Partial<CloudOptions>
}

export interface Line {
  readonly event: string
  readonly node?: string
  readonly reason?: string
}

export function createWorld({
  cosmos,
  plan,
  random,
  startMs = Date.UTC(2026, 10, 22),
  cloud: of,
}: WorldOptions) {
  let nowMs = startMs
  const now = () => nowMs
  const names = placesOf(plan).map(({ id }) => id)
  const cloud = createCloud({ names, now, random, bootMs: 20_000, stopMs: 20_000, ...of })
  const lines: Line[] = []
  const work = { seconds: 0, parallel: 0 }
  const { fleet: store } = createCosmosStores(cosmos, { ...pace, schemas })
  const away = { isAway: false }
  const ownTime: FleetStore = {
    ...store,
    now,
    changeNode: (...given) =>
      away.isAway ? Promise.reject(new Problem('unavailable')) : store.changeNode(...given),
  }
  // No time passes while the store is asked: nobody loses patience with it, however slow this machine is.
  const clock = { now, wait: () => new Promise<void>(() => {}) }
  /** As many instances of the app as one likes: each with a memory of its own. */
  const instance = () =>
    createFleet({
      plan: sampleFleet(plan),
      store: ownTime,
      machines: cloud.api,
      backlog: { read: async () => work },
      decide,
      clock,
      log: (_, event, fields) => lines.push({ ...fields, event } as Line),
    })
  const fleet = instance()
  const engine = createEngine(now, {
    'fleet-start': fleet.errands.start,
    'fleet-look': fleet.errands.look,
    'fleet-stop': fleet.errands.stop,
  })

  interface Worker {
    readonly boot: string
    node: Node | undefined
    holds: string[]
  }
  const workers = new Map<string, Worker>()
  const dead = new Set<string>()
  /** Those whose unit takes for ever. */
  const stuck = new Set<string>()

  /** As worker/ does: registers once, beats while its document names its boot, and holds nothing that it may not. */
  async function beat(vm: string): Promise<void> {
    const machine = cloud.find(vm)
    if (!machine) return
    const { power, boots, isDumb } = machine
    const boot = `${vm}.${boots}`
    if (power !== 'running' || isDumb || dead.has(boot)) return
    const worker =
      workers.get(vm)?.boot === boot ? (workers.get(vm) as Worker) : { boot, node: undefined, holds: [] }
    workers.set(vm, worker)
    const load = { ...sampleLoad, pixelsPerSecond: 1e6 }
    if (worker.node?.boot?.id !== boot) {
      worker.node = await fleet.nodes.register(vm, { id: boot, sha256: 'x'.repeat(64), version: '1.0.0' })
      return
    }
    worker.node = await fleet.nodes.beat(vm, boot, { holds: worker.holds, load })
    if (stuck.has(vm)) return
    if (worker.node?.state !== 'ready') worker.holds = []
    else worker.holds = work.seconds > 0 ? [`unit-${vm}`] : []
  }

  return {
    ...{ fleet, instance, engine, cloud, lines, work, stuck, away, store: ownTime, now, plan },

    nodes: async (): Promise<readonly Node[]> => (await store.read(plan.name)).nodes,
    kill: (vm: string): void => void dead.add(`${vm}.${cloud.find(vm)?.boots}`),
    beat: async (): Promise<void> => void (await Promise.all(names.map(beat))),

    async watch(from = fleet): Promise<void> {
      engine.start(await from.watch())
    },

    /** Second after second: workers beat every five, the fleet is watched every ten; `each` sees every one. */
    async pass(seconds: number, each: (second: number) => Promise<void> | void = () => {}): Promise<void> {
      for (let n = 0; n < seconds; n++) {
        nowMs += 1000
        const second = Math.round((nowMs - startMs) / 1000)
        if (second % 5 === 0 && !away.isAway) await this.beat()
        if (second % 10 === 0) await this.watch()
        await engine.run()
        await each(second)
      }
    },

    count: (event: string): number => lines.filter((line) => line.event === event).length,
  }
}
export type World = ReturnType<typeof createWorld>
