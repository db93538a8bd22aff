// What a scenario file may say, and how it is read: every field is checked, and an unknown one is refused by its name.
import { z } from 'zod'
import { type FleetConfig, Pools, poolOf } from '../../shared/config/fleet.ts'
import type { PoolPlan } from '../../shared/fleet/plan.ts'

const number = (least: number, most: number) => z.number().min(least).max(most)
const minutes = number(0, 31 * 24 * 60)

const Point = z.strictObject({
  atMinutes: minutes,
  viewers: number(0, 1e8),
  /** How the curve comes to this point from the one before. */
  by: z.enum(['line', 'ease']).default('line'),
})

const Viewers = z
  .strictObject({
    curve: z.array(Point).min(1, 'needs at least one point').max(10_000),
    /** How long one stays, on average; leaving has no memory (exponential). */
    stayMinutes: number(0.1, 1440).default(30),
    kilobitsPerSecond: number(1, 1e6).default(3000),
    /** One without a place asks again for so long, then gives up. */
    patienceSeconds: number(1, 600).default(30),
    /** To and from the edge: four of them pass before the first segment comes. */
    roundTripMs: number(0, 2000).default(30),
    /** Of the viewer's own line. */
    lineMegabits: number(0.1, 10_000).default(20),
  })
  .superRefine(({ curve }, context) => {
    curve.forEach(({ atMinutes }, n) => {
      if (n > 0 && atMinutes <= (curve[n - 1]?.atMinutes ?? 0))
        context.addIssue({
          code: 'custom',
          message: 'must be later than the point before it',
          path: ['curve', n, 'atMinutes'],
        })
    })
  })

const Upload = z.strictObject({
  atMinutes: minutes,
  filmMinutes: number(0.1, 1440),
  count: z.number().int().min(1).max(10_000).default(1),
  /** Between one and the next of `count`. */
  everyMinutes: number(0, 1440).default(0),
})

const Work = z.strictObject({
  uploads: z.array(Upload).min(1).max(1000),
  /** What a second of film costs one slot, all renditions together. */
  slotSecondsPerFilmSecond: number(0.01, 1000).default(1.85),
  /** Film in one unit of work. */
  unitFilmSeconds: number(1, 600).default(16),
  /** ENCODE_WINDOW: units of one title under way at once. */
  unitsAtOnce: z.number().int().min(1).max(256).default(32),
  /** ENCODE_TENANT_TITLES, for all tenants together. */
  titlesAtOnce: z.number().int().min(1).max(10_000).default(32),
})

const span = (least: number, most: number) =>
  z
    .strictObject({ leastSeconds: number(0, 3600), mostSeconds: number(0, 3600) })
    .refine(({ leastSeconds, mostSeconds }) => leastSeconds <= mostSeconds, 'has its least above its most')
    .default({ leastSeconds: least, mostSeconds: most })

/** What the resource manager is like. Only the limits are documented; the times are assumed (docs/7-simulate.md). */
const Cloud = z.strictObject({
  /** From the accepted start to the worker's registration: log-normal around the median, cut at both ends. */
  boot: span(60, 180),
  bootMedianSeconds: number(0, 3600).default(90),
  /** From the accepted deallocation to the end of the bill. */
  stop: span(30, 120),
  /** From a decision to its request: a durable orchestration is begun. */
  errandSeconds: number(0, 600).default(3),
  /** Until a start without capacity says so. */
  refusalSeconds: number(0, 600).default(10),
  /** Of all starts: the machine runs, but its worker never beats. */
  muteShare: number(0, 1).default(0),
  startsPerMinute: number(1, 1e6).default(500),
  startsBurst: number(1, 1e6).default(1500),
  startsPerMachinePerMinute: number(0.1, 1e6).default(4),
  startsPerMachineBurst: number(1, 1e6).default(12),
})

const where = { zone: z.string().optional(), size: z.string().optional(), group: z.string().optional() }
const pool = z.enum(['encoder', 'edge'])

const Event = z.discriminatedUnion('kind', [
  /** Starts fail there; who is awake stays awake. Without zone, size or group: everywhere. */
  z.strictObject({ kind: z.literal('no-capacity'), atMinutes: minutes, forMinutes: minutes, ...where }),
  /** Machines die at once, without a word. */
  z.strictObject({ kind: z.literal('death'), atMinutes: minutes, share: number(0, 1), ...where }),
  /** An admin's word, as POST …/wake: at least so many, for a while. Every strategy hears it. */
  z.strictObject({
    kind: z.literal('wake'),
    atMinutes: minutes,
    forMinutes: minutes,
    pool,
    nodes: number(0, 50_000),
  }),
  /** As POST …/drain: at most so many, for a while. */
  z.strictObject({
    kind: z.literal('keep'),
    atMinutes: minutes,
    forMinutes: minutes,
    pool,
    nodes: number(0, 50_000),
  }),
])

const ScenarioFile = z
  .strictObject({
    title: z.string().min(1).max(100),
    note: z.string().max(2000).default(''),
    startsAt: z.iso
      .datetime({ message: 'must be a time in UTC, such as 2026-11-21T17:00:00Z' })
      .default('2026-11-21T17:00:00Z'),
    hours: number(0.1, 31 * 24),
    beatSeconds: number(0.1, 60).default(5),
    deadSeconds: number(1, 600).default(30),
    fleet: Pools,
    viewers: Viewers.optional(),
    work: Work.optional(),
    cloud: Cloud.prefault({}),
    events: z.array(Event).max(1000).default([]),
  })
  .superRefine(({ fleet, viewers, work, events }, context) => {
    const names = fleet.pools.map(({ name }) => name)
    const must = (holds: boolean, path: Array<string | number>, message: string) => {
      if (!holds) context.addIssue({ code: 'custom', message, path })
    }
    must(viewers !== undefined || work !== undefined, [], 'needs `viewers`, `work` or both')
    must(!viewers || names.includes('edge'), ['viewers'], 'needs a pool named edge in `fleet.pools`')
    must(!work || names.includes('encoder'), ['work'], 'needs a pool named encoder in `fleet.pools`')
    must(
      viewers !== undefined || !names.includes('edge'),
      ['fleet'],
      'has a pool edge that nothing asks for: there are no `viewers`',
    )
    must(
      work !== undefined || !names.includes('encoder'),
      ['fleet'],
      'has a pool encoder that nothing asks for: there is no `work`',
    )
    const groups = fleet.pools.flatMap((one) => one.groups)
    events.forEach((event, n) => {
      if ('pool' in event) must(names.includes(event.pool), ['events', n, 'pool'], 'is not in `fleet.pools`')
      else
        for (const key of ['zone', 'size'] as const)
          must(
            event[key] === undefined || groups.some((group) => group[key] === event[key]),
            ['events', n, key],
            'is that of no group in `fleet.pools`',
          )
      if ('group' in event)
        must(
          event.group === undefined || groups.some(({ name }) => name === event.group),
          ['events', n, 'group'],
          'is no group of `fleet.pools`',
        )
    })
  })

export type Scenario = Omit<z.infer<typeof ScenarioFile>, 'fleet'> & {
  readonly name: string
  readonly currency: FleetConfig['currency']
  readonly pools: readonly PoolPlan[]
}
export type ViewersPart = z.infer<typeof Viewers>
export type WorkPart = z.infer<typeof Work>
export type CloudPart = z.infer<typeof Cloud>
export type ScenarioEvent = z.infer<typeof Event>

/** A sentence that says what to do, for whoever wrote the file. */
export class ScenarioError extends Error {}

export function readScenario(name: string, text: string): Scenario {
  const result = ScenarioFile.safeParse(json(name, text))
  if (!result.success)
    throw new ScenarioError(`The scenario ${name} is not right:\n${z.prettifyError(result.error)}`)
  const { fleet, ...rest } = result.data
  return { ...rest, name, currency: fleet.currency, pools: fleet.pools.map(poolOf) }
}

function json(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ScenarioError(`The scenario ${name} is not JSON: ${(error as Error).message}`)
  }
}
