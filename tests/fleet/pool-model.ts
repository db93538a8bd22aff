// A pool of machines as they might be: each wake boots, finds no capacity or never beats, some die, and every bill is kept.
import { nodeIdOf, type PoolPlan } from '../../shared/fleet/plan.ts'
import type { Node, Reason } from '../../shared/fleet/ports.ts'

export interface Faults {
  /** Of a hundred wakes. */
  readonly noCapacity: number
  readonly neverBeat: number
  /** Mean life of a ready node; `Infinity` for none that dies. */
  readonly lifeMs: number
  /** Groups that have no capacity at all. */
  readonly barren?: readonly string[]
  /** Draining and stopping take all the time they may. */
  readonly slow?: boolean
}

export const noFaults: Faults = { noCapacity: 0, neverBeat: 0, lifeMs: Number.POSITIVE_INFINITY }

export interface Bill {
  readonly id: string
  readonly pricePerHour: number
  readonly fromMs: number
  toMs: number
}

/** What comes next for a machine, of itself. */
interface Fate {
  readonly atMs: number
  readonly becomes: Node['state']
  readonly reason?: Reason
}

export function createPoolModel(plan: PoolPlan, random: () => number, faults: Faults) {
  const nodes = new Map<string, Node>()
  const fates = new Map<string, Fate>()
  const bills: Bill[] = []
  const wokenAtMs = new Map<string, number>()
  const between = (least: number, most: number) => least + (most - least) * random()
  const prices = new Map(
    plan.groups.flatMap(({ name, count, pricePerHour }) =>
      Array.from({ length: count }, (_, n) => [nodeIdOf(plan.name, name, n + 1), pricePerHour] as const),
    ),
  )

  function enter(id: string, state: Node['state'], atMs: number, reason?: Reason): void {
    const before = nodes.get(id)
    const missed = reason === 'no-capacity' || reason === 'never-beat' || reason === 'lost'
    const blank: Node = {
      ...{ id, pool: plan.name, type: 'node', schema: 2, state, sinceMs: atMs },
      ...{ epoch: 0, drivenAtMs: atMs, failures: 0, notBeforeMs: 0 },
    }
    nodes.set(id, {
      ...blank,
      ...before,
      ...{ state, sinceMs: atMs },
      ...(reason ? { reason } : {}),
      ...(missed ? { notBeforeMs: atMs + plan.scarceMs } : {}),
    })
    if (state === 'starting') {
      wokenAtMs.set(id, atMs)
      bills.push({ id, pricePerHour: prices.get(id) ?? 0, fromMs: atMs, toMs: Number.POSITIVE_INFINITY })
    }
    if (state === 'stopped')
      for (const bill of bills) if (bill.id === id) bill.toMs = Math.min(bill.toMs, atMs)
    fates.delete(id)
    const fate = fateOf(id, state, atMs)
    if (fate) fates.set(id, fate)
  }

  function fateOf(id: string, state: Node['state'], atMs: number): Fate | undefined {
    if (state === 'starting') {
      const chance = 100 * random()
      const barren = faults.barren?.some((group) => id.split('-')[1] === group)
      if (barren || chance < faults.noCapacity)
        return { atMs: atMs + between(1000, 60_000), becomes: 'stopping', reason: 'no-capacity' }
      if (chance < faults.noCapacity + faults.neverBeat)
        return { atMs: atMs + plan.lateMs, becomes: 'stopping', reason: 'never-beat' }
      return { atMs: atMs + between(0.5, 1.5) * plan.bootMs, becomes: 'ready' }
    }
    if (state === 'ready' && Number.isFinite(faults.lifeMs))
      return { atMs: atMs - faults.lifeMs * Math.log(1 - random()), becomes: 'failed', reason: 'lost' }
    if (state === 'draining')
      return { atMs: atMs + between(faults.slow ? 1 : 0, 1) * plan.drainMs, becomes: 'stopping' }
    if (state === 'failed') return { atMs: atMs + between(1000, 20_000), becomes: 'stopping' }
    if (state === 'stopping')
      return { atMs: atMs + between(faults.slow ? 280_000 : 10_000, 280_000), becomes: 'stopped' }
    return undefined
  }

  return {
    bills: bills as readonly Bill[],
    nodes: (): Node[] => [...nodes.values()],
    /** When it was last told to start. */
    wokenAtMs: (id: string): number => wokenAtMs.get(id) ?? Number.NEGATIVE_INFINITY,
    /** What happens of itself until then, in the order of time. */
    advance(toMs: number): void {
      for (;;) {
        const [id, fate] = [...fates].reduce<[string, Fate] | [undefined, undefined]>(
          (first, one) => (one[1].atMs <= toMs && !(first[1] && first[1].atMs <= one[1].atMs) ? one : first),
          [undefined, undefined],
        )
        if (id === undefined) return
        enter(id, fate.becomes, fate.atMs, fate.reason)
      }
    },
    wake(id: string, reason: Reason, atMs: number): void {
      enter(id, 'starting', atMs, reason)
    },
    drain(id: string, reason: Reason, atMs: number): void {
      const state = nodes.get(id)?.state
      if (state === 'ready') enter(id, 'draining', atMs, reason)
      if (state === 'starting') enter(id, 'stopping', atMs, reason)
    },
    /** As if the plan had just been changed, or somebody had been here before. */
    put(id: string, state: Node['state'], atMs: number): void {
      enter(id, state, atMs)
      if (state !== 'starting' && state !== 'stopped')
        bills.push({ id, pricePerHour: prices.get(id) ?? 0, fromMs: atMs, toMs: Number.POSITIVE_INFINITY })
    },
  }
}

export type PoolModel = ReturnType<typeof createPoolModel>

const overlapMs = ({ fromMs, toMs }: Bill, sinceMs: number, untilMs: number): number =>
  Math.max(0, Math.min(toMs, untilMs) - Math.max(fromMs, sinceMs))

export const costBetween = (bills: readonly Bill[], sinceMs: number, untilMs: number): number =>
  bills.reduce((sum, bill) => sum + (bill.pricePerHour * overlapMs(bill, sinceMs, untilMs)) / 3_600_000, 0)

/** The dearest hour that slides over the bills: its cost only bends where a bill begins or ends. */
export function dearestHour(bills: readonly Bill[], untilMs: number): number {
  const bends = bills.flatMap(({ fromMs, toMs }) => [fromMs, Math.min(toMs, untilMs)])
  const starts = bends.flatMap((atMs) => [atMs, atMs - 3_600_000])
  return Math.max(0, ...starts.map((atMs) => costBetween(bills, atMs, Math.min(atMs + 3_600_000, untilMs))))
}
