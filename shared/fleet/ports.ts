// What the fleet keeps and needs: a document a node, one a pool, what instances serve, and the machines themselves.

/** `ingest` and `sfu` are reserved for what comes. */
export const poolNames = ['encoder', 'edge'] as const
export type PoolName = (typeof poolNames)[number]

/** `failed`: its beats stopped, it is taken for dead; whatever it still does has no effect. */
export const nodeStates = ['stopped', 'starting', 'ready', 'draining', 'stopping', 'failed'] as const
export type NodeState = (typeof nodeStates)[number]

/** Why a node is as it is, in words that an admin reads. */
export type Reason =
  | 'demand'
  | 'minimum'
  | 'asked'
  | 'idle'
  | 'budget'
  | 'no-capacity'
  | 'never-beat'
  | 'lost'
  | 'refused'
  | 'not-asked'
  | 'not-planned'

/** One start of a worker on its VM. Its secret is new each time, and only the hash is kept. */
export interface Boot {
  readonly id: string
  readonly sha256: string
  readonly atMs: number
  /** Of the worker's bundle. */
  readonly version: string
  /** Of an edge: `host:port` that it serves on. */
  readonly address?: string
}

export interface Load {
  /** Sessions that were served in the last minute. */
  readonly sessions: number
  readonly bytesPerSecond: number
  /** Of all its cores, 0 to 1. */
  readonly cpu: number
  /** Of encoders: pixels of all renditions that one unit made in a second, as measured; absent until one was done. */
  readonly pixelsPerSecond?: number
}

export interface Beat {
  readonly atMs: number
  /** Ids of the units that it has in hand. */
  readonly holds: readonly string[]
  readonly load: Load
  /** It has heard that it drains, and takes nothing new. */
  readonly drains?: true
}

/** In container `fleet`, partition key `pool`. All times by the store's clock. */
export interface Node {
  /** Name of its VM: `{pool}-{group}-{n}`. */
  readonly id: string
  readonly pool: PoolName
  readonly type: 'node'
  readonly schema: 2
  readonly state: NodeState
  readonly sinceMs: number
  /** Counts wakes: an errand of an earlier one has no effect. */
  readonly epoch: number
  /** When an orchestration last had it in hand; one that was lost is replaced after a while. */
  readonly drivenAtMs: number
  /** Wakes in a row that came to nothing. */
  readonly failures: number
  /** Not to be woken before. */
  readonly notBeforeMs: number
  readonly reason?: Reason
  readonly boot?: Boot
  readonly beat?: Beat
  /** Of one that is stopped with something in its hands: whose secret is still good, to give that back. */
  readonly leaving?: { readonly sha256: string; readonly untilMs: number }
}

/** An admin's word, which lapses. */
export interface Bound {
  readonly nodes: number
  readonly untilMs: number
}

/** What was spent, in the currency of the prices; accrued at every look. */
export interface Spend {
  readonly countedToMs: number
  /** UTC, `2026-11-22` and `2026-11`. */
  readonly day: string
  readonly dayCost: number
  readonly month: string
  readonly monthCost: number
}

/** Audience: what is served now. Work: what is still to be done. */
export type Demand =
  | { readonly kind: 'audience'; readonly sessions: number; readonly bytesPerSecond: number }
  | {
      readonly kind: 'work'
      /** Of one slot, for all that is queued and under way. */
      readonly seconds: number
      /** Slots that could work at once. */
      readonly parallel: number
    }

export interface Sample {
  readonly atMs: number
  readonly demand: Demand
}

/** What machines must offer together. */
export interface Need {
  readonly slots: number
  readonly sessions: number
  readonly bytesPerSecond: number
}

/** The most that was needed, each by itself, in a span that ended then. */
export interface Peak {
  readonly atMs: number
  readonly need: Need
}

/** What decisions remember of the looks before. */
export interface Memory {
  readonly spend: Spend
  /** Oldest first. Of an audience: as many as the forecast needs; of work: when what is still undone came in. */
  readonly samples: readonly Sample[]
  /** Oldest first: the most that was needed of late, by spans of time. Until they lapse, nobody is sent to sleep below them. */
  readonly peaks: readonly Peak[]
  /** Since when there were looks without a long break. */
  readonly watchedSinceMs: number
  /** Nodes that were wanted at the last look. */
  readonly wanted: number
}

/** In container `fleet`, beside the nodes of its partition; id `pool`. */
export interface Pool {
  readonly id: 'pool'
  readonly pool: PoolName
  readonly type: 'pool'
  readonly schema: 1
  readonly floor?: Bound
  readonly ceiling?: Bound
  /** Since when one look followed the other: before, beats may have been lost with the looks. */
  readonly steadySinceMs?: number
  readonly memory: Memory
}

/** What one instance of the app serves, told every few seconds while it serves; an old one counts for nothing, and is removed. */
export interface Gauge {
  readonly id: string
  readonly pool: 'edge'
  readonly type: 'gauge'
  readonly schema: 1
  readonly atMs: number
  readonly sessions: number
  readonly bytesPerSecond: number
}

export interface FleetState {
  readonly pool: Pool | undefined
  readonly nodes: readonly Node[]
}

export interface FleetStore {
  /** By the clock that all nodes share. */
  now(): number
  node(pool: PoolName, id: string): Promise<Node | undefined>
  /** Read, change, replace by ETag; `change` may run several times. */
  changeNode(
    pool: PoolName,
    id: string,
    change: (node: Node | undefined) => Node | 'unchanged',
  ): Promise<Node | undefined>
  read(pool: PoolName): Promise<FleetState>
  /**
   * All of a pool at once: what `change` makes of it is written in one transaction, if nothing of it has changed
   * meanwhile; else it is read and changed again. At most 99 nodes change.
   */
  change(pool: PoolName, change: (state: FleetState) => FleetChange | 'unchanged'): Promise<FleetState>
  putGauge(gauge: Gauge): Promise<void>
  gauges(): Promise<Gauge[]>
  removeGauge(id: string): Promise<void>
}

export interface FleetChange {
  readonly pool: Pool
  /** Those that are new or different. */
  readonly nodes: readonly Node[]
}

/** `deallocated` costs nothing but its disk; `stopped` is still paid for. */
export type Power =
  | 'starting'
  | 'running'
  | 'stopping'
  | 'stopped'
  | 'deallocating'
  | 'deallocated'
  | 'unknown'

export interface MachineLook {
  readonly power: Power
  /** Why the last start failed, in the cloud's own code, such as `AllocationFailed`. */
  readonly failure?: string
}

/** What the resource manager said to a request: it has begun, try again later, not here and now, or never like this. */
export type Asked =
  | { readonly is: 'begun' }
  | { readonly is: 'later'; readonly waitSeconds: number }
  | { readonly is: 'no-capacity'; readonly code: string }
  | { readonly is: 'refused'; readonly code: string }

/** Virtual machines as the cloud's resource manager knows them. Throws while it can't be reached. */
export interface Machines {
  start(vm: string): Promise<Asked>
  deallocate(vm: string): Promise<Asked>
  /** Undefined when there is no such machine. */
  look(vm: string): Promise<MachineLook | undefined>
  /** All of the fleet's, by name. */
  all(): Promise<ReadonlyMap<string, MachineLook>>
}

/** What encoders still have to do; the work's own stage tells. */
export interface Backlog {
  read(): Promise<{ readonly seconds: number; readonly parallel: number }>
}
