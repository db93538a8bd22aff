// What a pool is wanted for now: work that is still to be done, or an audience that is served.
import { serves } from './machine.ts'
import type { Backlog, Demand, FleetStore, Gauge, Node, PoolName } from './ports.ts'

/** An instance that serves says so every ten seconds; one that has been silent for longer serves nobody. */
const freshMs = 30_000
const keptMs = 600_000

/** Of what is outside of the pool's own documents; what its nodes serve is added when they are read. */
export type Outside = (nodes: readonly Node[]) => Demand

export function createDemand({ store, backlog }: { readonly store: FleetStore; readonly backlog: Backlog }) {
  async function gauges(): Promise<Gauge[]> {
    const all = await store.gauges()
    const nowMs = store.now()
    const old = all.filter(({ atMs }) => nowMs - atMs >= keptMs)
    await Promise.all(old.map(({ id }) => store.removeGauge(id)))
    return all.filter(({ atMs }) => nowMs - atMs < freshMs)
  }

  return async (pool: PoolName): Promise<Outside> => {
    if (pool === 'encoder') {
      const work = { kind: 'work' as const, ...(await backlog.read()) }
      return () => work
    }
    const instances = await gauges()
    return (nodes) => {
      const served = [...instances, ...nodes.filter(serves).flatMap(({ beat }) => beat?.load ?? [])]
      return {
        kind: 'audience',
        sessions: sum(served.map(({ sessions }) => sessions)),
        bytesPerSecond: sum(served.map(({ bytesPerSecond }) => bytesPerSecond)),
      }
    }
  }
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)
