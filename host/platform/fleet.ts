// Decides the fleet of one machine: its pools, how soon their machines wake and sleep, and what the app is told of them.
import type { Schedule } from '../arm/faults.ts'
import type { Planned } from '../arm/machines.ts'
import { type StartOptions, startProblem } from './options.ts'

/** As much of the setting `FLEET_POOLS` as there has to be a machine for. */
interface Pools {
  readonly pools: ReadonlyArray<{
    readonly name: string
    readonly minimum?: number
    readonly groups: ReadonlyArray<{ name: string; size?: string; zone?: string; count: number }>
  }>
}

export interface LocalFleet {
  readonly planned: readonly Planned[]
  readonly schedule: Schedule | undefined
  /** For the app and its workers alike. */
  readonly settings: Readonly<Record<string, string>>
}

const ASLEEP = 2
/** Subscription and group that the local resource manager knows. */
export const LOCAL_PLACE = { subscription: '00000000-0000-4000-8000-000000000000', group: 'local' }

/** A laptop has no minutes: what takes those in a cloud takes seconds here. */
const poolOf = (name: string, count: number, minimum: number, bootSeconds: number) => ({
  name,
  groups: [{ name: 'local', count, pricePerHour: 0.2 }],
  minimum,
  // Who asks for edges wants to see one wake.
  appSessions: 0,
  bootSeconds,
  goalSeconds: 30,
  coolSeconds: 20,
  staySeconds: 30,
  lateSeconds: 60 + bootSeconds,
  drainSeconds: 120,
  scarceSeconds: 30,
  budgetPerHour: 100,
  budgetPerMonth: 10_000,
})

const poolsOf = ({ encodeWorkers, edgeNodes, bootSeconds }: StartOptions) => {
  const encoders = encodeWorkers ?? 0
  const pools = [
    ...(encodeWorkers === 0 ? [] : [poolOf('encoder', Math.max(ASLEEP, encoders), encoders, bootSeconds)]),
    ...(edgeNodes === 0 ? [] : [poolOf('edge', edgeNodes, 0, bootSeconds)]),
  ]
  return pools.length > 0 ? JSON.stringify({ currency: 'EUR', pools }) : undefined
}

const jsonOf = (name: string, text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw startProblem(`${name} is not JSON: ${(error as Error).message}`)
  }
}

/** The app checks the rest of it, and says what is wrong. */
const machinesOf = (text: string): Planned[] => {
  const { pools } = jsonOf('FLEET_POOLS', text) as Pools
  if (!pools?.length) throw startProblem('FLEET_POOLS names no pool.')
  return pools.flatMap(({ name: pool, minimum = 0, groups }) =>
    groups
      .flatMap(({ name, size = 'local', zone = '', count }) =>
        Array.from({ length: count }, (_, n) => ({ name: `${pool}-${name}-${n + 1}`, size, zone })),
      )
      .map((machine, rank) => ({ ...machine, on: rank < minimum })),
  )
}

const scheduleOf = (text: string): Schedule => {
  const schedule = jsonOf('MOVIDONE_ARM_FAULTS', text) as Partial<Schedule> | null
  if (typeof schedule?.seed === 'number' && typeof schedule.chances === 'object') return schedule as Schedule
  throw startProblem(
    'MOVIDONE_ARM_FAULTS must be such as {"seed":1,"chances":{"scarce-now":0.2,"busy":0.1}}.',
  )
}

/** Undefined where the app encodes and delivers alone. */
export const localFleet = (options: StartOptions, env: NodeJS.ProcessEnv): LocalFleet | undefined => {
  const pools = env['FLEET_POOLS'] || poolsOf(options)
  if (!pools) return undefined
  const faults = env['MOVIDONE_ARM_FAULTS']
  const planned = machinesOf(pools)
  const encodes = planned.some(({ name }) => name.startsWith('encoder-'))
  const usual = {
    ...(encodes ? { ENCODE_EXECUTOR: (options.encodeWorkers ?? 0) > 0 ? 'fleet' : 'auto' } : {}),
    ENCODE_FLEET_SECONDS: '60',
    ENCODE_FLEET_PATIENCE_SECONDS: '90',
    // Machines are awake in seconds here: nothing needs to be made meanwhile.
    ENCODE_BEGINNING_SECONDS: '0',
    NODE_BEAT_SECONDS: '1',
    NODE_DEAD_SECONDS: '10',
  }
  const given = Object.entries(usual).map(([name, value]) => [name, env[name] || value])
  return {
    planned,
    schedule: faults ? scheduleOf(faults) : undefined,
    settings: {
      ...Object.fromEntries(given),
      FLEET_POOLS: pools,
      FLEET_SUBSCRIPTION: LOCAL_PLACE.subscription,
      FLEET_GROUP: LOCAL_PLACE.group,
    },
  }
}

const count = (many: number, word: string): string => `${many} ${word}${many === 1 ? '' : 's'}`

/** Such as `2 encoders asleep`. */
export const fleetLine = ({ planned }: LocalFleet, isAwake: ReadonlySet<string>): string =>
  ['encoder', 'edge']
    .flatMap((pool) => {
      const those = planned.filter(({ name }) => name.startsWith(`${pool}-`))
      const awake = those.filter(({ name }) => isAwake.has(name)).length
      const asleep = those.length - awake
      return [
        ...(awake > 0 ? [`${count(awake, pool)} at work`] : []),
        ...(asleep > 0 ? [`${count(asleep, pool)} asleep`] : []),
      ]
    })
    .join(', ')
