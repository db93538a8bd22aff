// What a worker tells of a unit of work, and what an admin sees of a pool and may ask of it.
import { z } from 'zod'
import { type ProblemCode, problems } from '../core/problem.ts'
import { nodeStates, poolNames } from './ports.ts'

const code = z.enum(Object.keys(problems) as [ProblemCode, ...ProblemCode[]])

export const UnitReport = z.strictObject({
  claim: z.number().int().min(1).describe('Which claim of this unit it was, as its document says.'),
  outcome: z
    .enum(['done', 'failed', 'returned'])
    .describe('`failed` is tried again by others; `returned` was not begun or not ended.'),
  result: z
    .discriminatedUnion('ok', [
      z.strictObject({ ok: z.literal(true) }),
      z.strictObject({ ok: z.literal(false), code, detail: z.string().max(1000) }),
    ])
    .exactOptional()
    .describe('Of `done`: what the encode of its title is told.'),
  log: z.string().max(4000).exactOptional(),
})

const minutes = z
  .number()
  .int()
  .min(1)
  .max(1440)
  .default(30)
  .describe('How long this counts; then what is decided counts alone.')

export const WakeOrder = z
  .strictObject({
    nodes: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .describe('So many at least are awake, within maximum and budget.'),
    minutes,
  })
  .meta({ id: 'WakeOrder' })

export const DrainOrder = z
  .strictObject({
    nodes: z.array(z.string()).min(1).max(99).exactOptional().describe('Ids of nodes to drain now.'),
    keep: z.number().int().min(0).max(10_000).exactOptional().describe('No more than these stay awake.'),
    minutes,
  })
  .refine(
    ({ nodes, keep }) => nodes !== undefined || keep !== undefined,
    'name `nodes`, or how many to `keep`',
  )

const time = z.iso.datetime()
const money = z.number()
const Bound = z.object({ nodes: z.number().int(), until: time })

const NodeView = z
  .object({
    id: z.string(),
    group: z.string().describe('Empty once the node has left the plan.'),
    size: z.string(),
    zone: z.string(),
    pricePerHour: money,
    state: z.enum(nodeStates),
    since: time.exactOptional(),
    reason: z.string().exactOptional(),
    failures: z.number().int().describe('Wakes in a row that came to nothing.'),
    notBefore: time.exactOptional(),
    holds: z.array(z.string()).describe('Units that it has in hand.'),
    load: z
      .object({
        sessions: z.number(),
        bytesPerSecond: z.number(),
        cpu: z.number(),
        pixelsPerSecond: z.number().exactOptional(),
      })
      .exactOptional(),
    lastBeatAt: time.exactOptional(),
    bootedAt: time.exactOptional(),
    address: z.string().exactOptional(),
  })
  .meta({ id: 'Node' })

export const PoolView = z
  .object({
    pool: z.enum(poolNames),
    currency: z.string(),
    wanted: z.number().int().describe('Nodes that would be right now, after all bounds.'),
    held: z
      .enum(['budget', 'maximum', 'no-capacity', 'asked'])
      .exactOptional()
      .describe('What keeps it from waking as many as would be right.'),
    demand: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('audience'), sessions: z.number(), bytesPerSecond: z.number() }),
      z.object({ kind: z.literal('work'), seconds: z.number(), parallel: z.number() }),
    ]),
    floor: Bound.exactOptional(),
    ceiling: Bound.exactOptional(),
    cost: z.object({
      perHourNow: money,
      today: money,
      month: money,
      budgetPerHour: money,
      budgetPerMonth: money,
    }),
    nodes: z.array(NodeView),
  })
  .meta({ id: 'Pool' })
export type PoolView = z.infer<typeof PoolView>

export const PoolList = z.object({ items: z.array(PoolView) }).meta({ id: 'Pools' })
