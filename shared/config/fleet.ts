// The pools of virtual machines in one setting, as JSON that the infrastructure writes from the same data it builds them of.
import { z } from 'zod'
import type { Settings } from './schema.ts'

const seconds = (fallback: number) => z.number().min(0).max(86_400).default(fallback)
const positive = z.number().positive()

const Group = z.strictObject({
  name: z.string().regex(/^[a-z0-9]{1,12}$/, 'must be 1 to 12 small letters and digits'),
  size: z.string().default('local'),
  zone: z.string().default(''),
  count: z.number().int().min(1).max(1000),
  pricePerHour: z.number().min(0),
  slots: z.number().int().min(1).max(64).default(1),
  sessions: positive.default(5000),
  bytesPerSecond: positive.default(1e9),
})

const Pool = z.strictObject({
  name: z.enum(['encoder', 'edge']),
  groups: z.array(Group).min(1).max(50),
  minimum: z.number().int().min(0).default(0),
  maximum: z.number().int().min(0).optional(),
  reserve: z.number().int().min(0).default(0),
  appSessions: z.number().int().min(0).max(100_000).default(100),
  goalSeconds: seconds(600),
  coolSeconds: seconds(600),
  staySeconds: seconds(600),
  bootSeconds: seconds(120),
  lateSeconds: seconds(300),
  drainSeconds: seconds(1500),
  scarceSeconds: seconds(600),
  budgetPerHour: positive,
  budgetPerMonth: positive,
})

/** The form of `FLEET_POOLS`; the simulator's scenarios have the same. */
export const Pools = z
  .strictObject({
    currency: z.string().regex(/^[A-Z]{3}$/, 'must be a currency of three letters (ISO 4217)'),
    pools: z.array(Pool).min(1),
  })
  .superRefine(({ pools }, context) => {
    const names = pools.map(({ name }) => name)
    if (new Set(names).size < names.length)
      context.addIssue({ code: 'custom', message: 'names a pool twice', path: ['pools'] })
    pools.forEach(({ groups }, n) => {
      if (new Set(groups.map(({ name }) => name)).size < groups.length)
        context.addIssue({ code: 'custom', message: 'names a group twice', path: ['pools', n] })
    })
  })

export interface FleetConfig {
  readonly currency: string
  readonly pools: ReadonlyArray<ReturnType<typeof poolOf>>
  readonly arm: {
    readonly subscription: string
    readonly group: string
    readonly clientId: string | undefined
    /** Local only; without it the app signs in to Azure. */
    readonly local?: { readonly url: string; readonly token: string }
  }
}

/** Without pools there are only the machines that a plan before has left awake, where it is said where those are. */
export function fleetOf(s: Settings): FleetConfig | undefined {
  if (!s.FLEET_POOLS && !(s.FLEET_SUBSCRIPTION && s.FLEET_GROUP)) return undefined
  const { currency, pools } = s.FLEET_POOLS ? parsed(s.FLEET_POOLS) : { currency: '', pools: [] }
  return {
    currency,
    pools: pools.map(poolOf),
    arm: {
      subscription: s.FLEET_SUBSCRIPTION ?? '',
      group: s.FLEET_GROUP ?? '',
      clientId: s.AZURE_CLIENT_ID,
      ...(s.FLEET_ARM_URL && s.FLEET_ARM_TOKEN
        ? { local: { url: s.FLEET_ARM_URL.replace(/\/$/, ''), token: s.FLEET_ARM_TOKEN } }
        : {}),
    },
  }
}

function parsed(text: string): z.infer<typeof Pools> {
  const result = Pools.safeParse(json(text))
  if (result.success) return result.data
  throw new Error(`FLEET_POOLS is not right:\n${z.prettifyError(result.error)}`)
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`FLEET_POOLS is not JSON: ${(error as Error).message}`)
  }
}

export function poolOf(pool: z.infer<typeof Pool>) {
  const { name, groups, minimum, reserve, appSessions } = pool
  const there = groups.reduce((sum, { count }) => sum + count, 0)
  return {
    ...{ name, groups, minimum, reserve, appSessions },
    maximum: Math.min(pool.maximum ?? there, there),
    goalMs: pool.goalSeconds * 1000,
    coolMs: pool.coolSeconds * 1000,
    stayMs: pool.staySeconds * 1000,
    bootMs: pool.bootSeconds * 1000,
    lateMs: pool.lateSeconds * 1000,
    drainMs: pool.drainSeconds * 1000,
    scarceMs: pool.scarceSeconds * 1000,
    budget: { perHour: pool.budgetPerHour, perMonth: pool.budgetPerMonth },
  }
}
