// Decides what goes wrong: what was asked for by `POST /faults`, and what a seeded schedule draws for each start.
import { createHash } from 'node:crypto'
import { badRequest } from './answer.ts'

/** Of requests, by what they ask: each strikes the next one. */
const striking = {
  start: [
    'throttled',
    'busy',
    // No capacity: said at once, or by how the operation ends.
    'scarce-now',
    'scarce-later',
    // The operation goes on for `seconds`, then fails.
    'hangs',
    // The machine runs, but its worker never comes, or comes after `seconds`.
    'no-boot',
    'slow-boot',
  ],
  deallocate: ['throttled', 'busy', 'hangs'],
  look: ['throttled'],
} as const

/** Of now: the worker ends for good while its machine runs; the cloud takes the machine away; 503 for `seconds`. */
const immediate = ['dies', 'evicted', 'away'] as const

export type Request = keyof typeof striking
export type Immediate = (typeof immediate)[number]
export type Striking = (typeof striking)[Request][number]

interface Details {
  /** Any machine, where neither is named. */
  readonly vm?: string
  readonly zone?: string
  readonly seconds?: number
  /** Instead of `AllocationFailed`. */
  readonly code?: string
}

export interface Fault extends Details {
  readonly kind: Striking
  readonly on: Request
  /** Requests that it still strikes. */
  readonly times: number
}

export type Order = (Details & { readonly kind: Immediate }) | Fault

/** The same seed draws the same for the same start of the same machine. */
export interface Schedule {
  readonly seed: number
  /** Chance of each, from 0 to 1. */
  readonly chances: Partial<Record<Striking, number>>
  readonly seconds?: number
}

export interface Target {
  readonly name: string
  readonly zone: string
}

export type Faults = ReturnType<typeof createFaults>

export const createFaults = (schedule?: Schedule) => {
  let pending: Fault[] = []
  const starts = new Map<string, number>()

  const draw = ({ name }: Target): Fault | undefined => {
    if (!schedule) return undefined
    const n = (starts.get(name) ?? 0) + 1
    starts.set(name, n)
    let rest = fraction(`${schedule.seed} ${name} ${n}`)
    const { seconds } = schedule
    for (const kind of striking.start) {
      rest -= schedule.chances[kind] ?? 0
      if (rest < 0) return { kind, on: 'start', times: 1, ...(seconds === undefined ? {} : { seconds }) }
    }
    return undefined
  }

  return {
    /** What strikes this request; it is counted. */
    strike(on: Request, target: Target): Fault | undefined {
      const isDue = ({ vm = target.name, zone = target.zone, ...fault }: Fault) =>
        fault.on === on && vm === target.name && zone === target.zone
      const fault = pending.find(isDue)
      if (!fault) return on === 'start' ? draw(target) : undefined
      const left = fault.times - 1
      pending = pending.flatMap((one) => (one !== fault ? [one] : left > 0 ? [{ ...one, times: left }] : []))
      return fault
    },
    add(fault: Fault): void {
      pending.push(fault)
    },
    list: (): readonly Fault[] => pending,
    clear(): void {
      pending = []
    },
  }
}

/** The first 32 bits of a hash: evenly spread, and the same everywhere. */
const fraction = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32

const names = ['kind', 'on', 'vm', 'zone', 'times', 'seconds', 'code']

export function orderOf(body: unknown): Order {
  const given = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const wrong = Object.keys(given).filter((name) => !names.includes(name))
  const { kind, on = 'start', vm, zone, times = 1, seconds, code } = given
  const isNow = immediate.some((one) => one === kind)
  const strikes = Object.hasOwn(striking, on as string) ? striking[on as Request] : []
  if (!isNow && !strikes.some((one) => one === kind)) wrong.push('kind')
  for (const [name, value] of Object.entries({ vm, zone, code }))
    if (value !== undefined && typeof value !== 'string') wrong.push(name)
  if (!Number.isInteger(times) || (times as number) < 1) wrong.push('times')
  if (seconds !== undefined && !(typeof seconds === 'number' && seconds >= 0)) wrong.push('seconds')
  if ((kind === 'dies' || kind === 'evicted') && vm === undefined) wrong.push('vm')
  if (wrong.length > 0) throw badRequest('InvalidFault', `These are not right: ${wrong.join(', ')}.`)
  return (isNow ? given : { ...given, on, times }) as unknown as Order
}

export const isImmediate = (order: Order): order is Exclude<Order, Fault> =>
  immediate.some((one) => one === order.kind)
