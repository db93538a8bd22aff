// The fleet, in the container `fleet`: one partition per pool, since a pool is decided on as a whole.
import type { OperationInput } from '@azure/cosmos'
import { z } from 'zod'
import type { FleetState, FleetStore, Gauge, Node, Pool } from '../fleet/ports.ts'
import type { Documents, Schema } from './documents.ts'

const pool = z.enum(['encoder', 'edge'])
const whole = z.number().int().min(0)
const served = { sessions: z.number(), bytesPerSecond: z.number() }

const node: Schema<Node> = z.object({
  id: z.string(),
  pool,
  type: z.literal('node'),
  schema: z.literal(2),
  state: z.enum(['stopped', 'starting', 'ready', 'draining', 'stopping', 'failed']),
  sinceMs: z.number(),
  epoch: whole,
  drivenAtMs: z.number(),
  failures: whole,
  notBeforeMs: z.number(),
  reason: z.custom<NonNullable<Node['reason']>>((v) => typeof v === 'string').exactOptional(),
  boot: z
    .object({
      id: z.string(),
      sha256: z.string(),
      atMs: z.number(),
      version: z.string(),
      address: z.string().exactOptional(),
    })
    .exactOptional(),
  beat: z
    .object({
      atMs: z.number(),
      holds: z.array(z.string()),
      load: z.object({ ...served, cpu: z.number(), pixelsPerSecond: z.number().exactOptional() }),
      drains: z.literal(true).exactOptional(),
    })
    .exactOptional(),
  leaving: z.object({ sha256: z.string(), untilMs: z.number() }).exactOptional(),
})

const bound = z.object({ nodes: whole, untilMs: z.number() })
const demand = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('audience'), ...served }),
  z.object({ kind: z.literal('work'), seconds: z.number(), parallel: z.number() }),
])
const spend = z.object({
  countedToMs: z.number(),
  day: z.string(),
  dayCost: z.number(),
  month: z.string(),
  monthCost: z.number(),
})
const memory = z.object({
  spend,
  samples: z.array(z.object({ atMs: z.number(), demand })),
  peaks: z.array(z.object({ atMs: z.number(), need: z.object({ slots: z.number(), ...served }) })),
  watchedSinceMs: z.number(),
  wanted: z.number(),
})

const poolDocument: Schema<Pool> = z.object({
  id: z.literal('pool'),
  pool,
  type: z.literal('pool'),
  schema: z.literal(1),
  floor: bound.exactOptional(),
  ceiling: bound.exactOptional(),
  steadySinceMs: z.number().exactOptional(),
  memory,
})

const gauge: Schema<Gauge> = z.object({
  id: z.string(),
  pool: z.literal('edge'),
  type: z.literal('gauge'),
  schema: z.literal(1),
  atMs: z.number(),
  ...served,
})

/** In version 1 the platform made the secrets of nodes, and nodes had no states. */
const isPast = (raw: Readonly<Record<string, unknown>>): boolean => raw['schema'] === 1

export const nodeKind = { partition: 'pool', type: 'node', schema: node, isPast }
export const poolKind = { partition: 'pool', type: 'pool', schema: poolDocument }
export const gaugeKind = { partition: 'pool', type: 'gauge', schema: gauge }

export interface FleetDocuments {
  readonly nodes: Documents<Node>
  readonly pools: Documents<Pool>
  readonly gauges: Documents<Gauge>
  readonly now: () => number
}

const poolId = 'pool'

export function createFleetStore({ nodes, pools, gauges, now }: FleetDocuments): FleetStore {
  return {
    now,
    node: nodes.get,
    changeNode: (name, id, change) => nodes.change(name, id, change),

    async read(name) {
      return { pool: await pools.get(name, poolId), nodes: await nodes.all(name) }
    },

    async change(name, change) {
      let state: FleetState | undefined
      let beside: OperationInput[] = []
      const decide = async (current: Pool | undefined) => {
        // Read after the pool: every wake changes the pool too, so that no earlier wake can be missing here.
        const snapshot = await nodes.snapshot(name)
        state = { pool: current, nodes: snapshot.items }
        const next = change(state)
        if (next === 'unchanged') return next
        state = { pool: next.pool, nodes: merged(snapshot.items, next.nodes) }
        beside = next.nodes.map(snapshot.operation)
        return next.pool
      }
      await pools.change(name, poolId, decide, async () => beside)
      return state as FleetState
    },

    putGauge: gauges.put,
    gauges: () => gauges.all('edge'),
    removeGauge: (id) => gauges.remove('edge', id),
  }
}

function merged(before: readonly Node[], changed: readonly Node[]): Node[] {
  const ids = new Set(changed.map(({ id }) => id))
  return [...before.filter(({ id }) => !ids.has(id)), ...changed]
}
