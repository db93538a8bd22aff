// The state machine of virtual machines: what may be asked of one as it is, how long that takes, and how it ends.
import { randomUUID } from 'node:crypto'
import { badRequest, conflict, notFound, tooMany } from './answer.ts'
import type { ArmClock } from './clock.ts'
import type { Fault, Faults, Immediate, Request } from './faults.ts'
import type { Guest } from './guest.ts'
import type { Operation } from './operations.ts'
import type { Failure, Machine, State, Work } from './state.ts'

export interface Planned {
  readonly name: string
  readonly size: string
  readonly zone: string
  /** Powered on with the resource manager itself. */
  readonly on?: boolean
}

export interface Times {
  /** From its start until a machine runs, and from then until its worker begins. */
  readonly startMs: number
  readonly bootMs: number
  /** Of a deallocation, at least. */
  readonly stopMs: number
}

/** What happens to a machine, for people to read. */
export type Happening = 'waking' | 'begun' | 'works' | 'died' | 'scarce' | 'failed' | 'stopping' | 'asleep'

export type GuestOf = (
  name: string,
  tell: (is: 'works' | 'died', port?: number) => void,
  onStart: (pid: number) => void,
) => Guest

export interface MachinesDeps {
  readonly state: State
  readonly planned: readonly Planned[]
  readonly guestOf: GuestOf
  readonly faults: Faults
  readonly times: Times
  readonly clock: ArmClock
  readonly tell: (name: string, is: Happening, worker?: { pid?: number; port?: number }) => void
}

export type Machines = ReturnType<typeof createMachines>

const hangSeconds = 120
const throttledSeconds = 5

export const createMachines = ({ state, planned, guestOf, faults, times, clock, tell }: MachinesDeps) => {
  const { now } = clock
  const guests = new Map<string, Guest>()
  /** Each calls off what is to come of its machine. */
  const timers = new Map<string, () => void>()
  const leaving = new Map<string, Promise<void>>()

  const find = (name: string): Machine => {
    const machine = state.machine(name)
    if (!machine) throw notFound('ResourceNotFound', `virtual machine as ${name}`)
    return machine
  }
  const change = (name: string, to: Partial<Machine>, operation?: Operation): Machine => {
    const machine = { ...find(name), ...to }
    state.write(machine, operation)
    return machine
  }
  const guest = (name: string): Guest => {
    const known = guests.get(name)
    if (known) return known
    const made = guestOf(
      name,
      (is, port) => tell(name, is, port === undefined ? {} : { port }),
      (pid) => {
        change(name, { pid })
        tell(name, 'begun', { pid })
      },
    )
    guests.set(name, made)
    return made
  }
  const later = (name: string, atMs: number, run: () => void): void => {
    timers.get(name)?.()
    timers.set(name, clock.after(Math.max(0, atMs - now()), run))
  }
  const boot = (name: string): void => {
    const { guestAtMs } = find(name)
    if (guestAtMs !== undefined) later(name, guestAtMs, () => guest(name).begin())
  }

  const finish = async (name: string): Promise<void> => {
    await leaving.get(name)
    leaving.delete(name)
    const { work } = find(name)
    if (!work) return
    const { kind, failure, bootMs } = work
    const begun = state.operations().find(({ id }) => id === work.operation)
    const over = begun && { ...begun, endedAtMs: now(), ...(failure ? { failure } : {}) }
    const runs = (kind === 'start') !== (failure !== undefined)
    const atMs = kind === 'start' && runs && bootMs !== undefined ? now() + bootMs : undefined
    change(
      name,
      {
        power: runs ? 'running' : 'deallocated',
        changedAtMs: now(),
        work: undefined,
        failure,
        // One whose deallocation failed keeps the worker that it has.
        ...(kind === 'start' || !runs ? { guestAtMs: atMs } : {}),
        ...(runs ? {} : { pid: undefined }),
      },
      over,
    )
    if (failure) tell(name, failure.code === hung.code ? 'failed' : 'scarce')
    else if (!runs) tell(name, 'asleep')
    if (runs) boot(name)
  }
  const schedule = (name: string, { untilMs }: Work): void => later(name, untilMs, () => void finish(name))

  const begin = (name: string, work: Omit<Work, 'operation'>): Operation => {
    const operation: Operation = { id: randomUUID(), vm: name, startedAtMs: now() }
    const whole = { ...work, operation: operation.id }
    const power = work.kind === 'start' ? 'starting' : 'deallocating'
    change(name, { power, changedAtMs: now(), work: whole, failure: undefined }, operation)
    schedule(name, whole)
    return operation
  }
  /** Nothing was to be done: over as it begins. */
  const noted = (name: string): Operation => {
    const operation = { id: randomUUID(), vm: name, startedAtMs: now(), endedAtMs: now() }
    change(name, {}, operation)
    return operation
  }
  const refuseBusy = ({ name, work }: Machine): void => {
    if (work) throw conflict('Conflict', `${name} is busy with an operation: ${work.kind}.`)
  }
  const struck = (on: Request, machine: Machine): Fault | undefined => {
    const fault = faults.strike(on, machine)
    if (fault?.kind === 'throttled') throw tooMany(fault.seconds ?? throttledSeconds)
    if (fault?.kind === 'busy') throw conflict('Conflict', `${machine.name} is busy with another operation.`)
    if (fault?.kind === 'scarce-now') {
      const { code, message } = scarceOf(fault)
      tell(machine.name, 'scarce')
      throw conflict(code, message)
    }
    return fault
  }

  return {
    list: (): Machine[] => state.machines(),

    look(name: string): Machine {
      struck('look', find(name))
      return find(name)
    },

    start(name: string): Operation {
      const machine = find(name)
      refuseBusy(machine)
      if (machine.power === 'running') return noted(name)
      const fault = struck('start', machine)
      const hangs = fault?.kind === 'hangs'
      const bootMs = fault?.kind === 'slow-boot' ? (fault.seconds ?? 60) * 1000 : times.bootMs
      tell(name, 'waking')
      return begin(name, {
        kind: 'start',
        untilMs: now() + (hangs ? (fault.seconds ?? hangSeconds) * 1000 : times.startMs),
        failure: hangs ? hung : fault?.kind === 'scarce-later' ? scarceOf(fault) : undefined,
        bootMs: fault?.kind === 'no-boot' ? undefined : bootMs,
      })
    },

    deallocate(name: string): Operation {
      const machine = find(name)
      refuseBusy(machine)
      if (machine.power === 'deallocated') return noted(name)
      const fault = struck('deallocate', machine)
      if (fault)
        return begin(name, {
          kind: 'deallocate',
          untilMs: now() + (fault.seconds ?? hangSeconds) * 1000,
          failure: hung,
        })
      tell(name, 'stopping')
      const operation = begin(name, { kind: 'deallocate', untilMs: now() + times.stopMs })
      leaving.set(name, guest(name).end())
      return operation
    },

    /** What happens to a machine without being asked for. */
    befall(kind: Exclude<Immediate, 'away'>, name: string): void {
      const machine = find(name)
      if (machine.power !== 'running' || machine.work)
        throw badRequest('InvalidFault', `${name} is not running.`)
      timers.get(name)?.()
      guest(name).cut()
      const gone = { guestAtMs: undefined, pid: undefined }
      change(name, kind === 'dies' ? gone : { ...gone, power: 'deallocated', changedAtMs: now() })
      tell(name, kind === 'dies' ? 'died' : 'asleep')
    },

    /** Takes up what there was: machines that ran run again, operations go on. */
    resume(): void {
      for (const { name, size, zone, on } of planned) {
        const before = state.machine(name) ?? { name, size, zone, power: 'deallocated', changedAtMs: now() }
        const machine = { ...before, size, zone }
        const wakes = on && machine.power === 'deallocated'
        state.write(wakes ? { ...machine, power: 'running', changedAtMs: now(), guestAtMs: now() } : machine)
      }
      for (const { name, power, work } of state.machines()) {
        // One that is planned no more is there as long as it costs something.
        if (power === 'deallocated' && !planned.some((one) => one.name === name)) state.forget(name)
        else if (work) schedule(name, work)
        else boot(name)
      }
    },

    async close(): Promise<void> {
      for (const callOff of timers.values()) callOff()
      await Promise.all([...guests.values()].map((one) => one.end()))
    },
  }
}

const hung: Failure = { code: 'InternalExecutionError', message: 'An internal execution error occurred.' }
const scarceOf = ({ code = 'AllocationFailed' }: Fault): Failure => ({
  code,
  message: 'There is not enough capacity for this size in this region or zone.',
})
