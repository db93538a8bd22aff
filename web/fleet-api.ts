// The part of the public API that is for admins: the pools of machines, and what an admin may ask of them.
import { type ApiProblem, createCall } from './call.ts'

export type NodeState = 'stopped' | 'starting' | 'ready' | 'draining' | 'stopping' | 'failed'

export interface FleetNode {
  id: string
  /** Empty once it has left the plan. */
  group: string
  size: string
  zone: string
  pricePerHour: number
  state: NodeState
  /** Absent of one that was never touched. */
  since?: string
  /** One word; `fleet-wording.ts` has the sentence. */
  reason?: string
  /** Wakes in a row that came to nothing. */
  failures: number
  notBefore?: string
  /** Units that it has in hand. */
  holds: string[]
  load?: { sessions: number; bytesPerSecond: number; cpu: number; pixelsPerSecond?: number }
  lastBeatAt?: string
  address?: string
}

/** An admin's word, which lapses. */
export interface Bound {
  nodes: number
  until: string
}

export type Demand =
  | { kind: 'work'; seconds: number; parallel: number }
  | { kind: 'audience'; sessions: number; bytesPerSecond: number }

export type Held = 'budget' | 'maximum' | 'no-capacity' | 'asked'

export interface Pool {
  pool: 'encoder' | 'edge'
  currency: string
  wanted: number
  held?: Held
  demand: Demand
  floor?: Bound
  ceiling?: Bound
  cost: {
    perHourNow: number
    today: number
    month: number
    budgetPerHour: number
    budgetPerMonth: number
  }
  nodes: FleetNode[]
}

export interface Wake {
  nodes: number
  minutes: number
}

/** Machines by name, or how many may stay awake; they sleep for so long at least. */
export type Drain = { nodes: string[]; minutes: number } | { keep: number; minutes: number }

export type FleetApi = ReturnType<typeof createFleetApi>

export function createFleetApi(adminKey: string, refused: (problem: ApiProblem) => void) {
  const call = createCall({ 'x-movidone-admin': adminKey }, refused)
  return {
    pools: () => call<{ items: Pool[] }>('GET', 'fleet/pools'),
    wake: (pool: string, body: Wake) => call<Pool>('POST', `fleet/pools/${pool}/wake`, { body }),
    lift: (pool: string) => call<Pool>('DELETE', `fleet/pools/${pool}/orders`),
    drain: (pool: string, body: Drain) => call<Pool>('POST', `fleet/pools/${pool}/drain`, { body }),
  }
}
