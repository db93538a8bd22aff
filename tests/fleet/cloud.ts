// A resource manager that misbehaves by a seed, and what runs on its machines: workers that register and beat, never do, or die.
import type { Asked, MachineLook, Machines, Power } from '../../shared/fleet/ports.ts'

/** Of a hundred requests each. */
export interface Faults {
  readonly later: number
  readonly noCapacity: number
  readonly refused: number
  /** Begun, and then without capacity. */
  readonly failsLater: number
  /** Not done, and nobody is told. */
  readonly throws: number
  /** Done, and nobody is told. */
  readonly lostAnswers: number
  /** Machines that run, and whose worker is never heard. */
  readonly dumb: number
}
const noFaults: Faults = {
  ...{ later: 0, noCapacity: 0, refused: 0, failsLater: 0, throws: 0, lostAnswers: 0, dumb: 0 },
}

export interface Machine {
  readonly name: string
  power: Power
  failure?: string
  /** Counts starts of its operating system. */
  boots: number
  isDumb: boolean
  operation?: { readonly what: 'start' | 'deallocate'; readonly endsAtMs: number; readonly fails?: string }
}

export interface CloudOptions {
  readonly names: readonly string[]
  readonly now: () => number
  readonly random: () => number
  readonly bootMs: number
  readonly stopMs: number
}

export function createCloud({ names, now, random, bootMs, stopMs }: CloudOptions) {
  const machines = new Map<string, Machine>(
    names.map((name) => [name, { name, power: 'deallocated', boots: 0, isDumb: false }]),
  )
  let faults = noFaults
  const requests: Array<{ atMs: number; what: string; vm: string; is: string }> = []
  const happens = (share: number): boolean => random() * 100 < share

  /** What ended by itself since anybody looked. */
  function settled(vm: string): Machine | undefined {
    const machine = machines.get(vm)
    const operation = machine?.operation
    if (!machine || !operation || operation.endsAtMs > now()) return machine
    delete machine.operation
    if (operation.what === 'deallocate') machine.power = 'deallocated'
    else if (operation.fails) Object.assign(machine, { power: 'deallocated', failure: operation.fails })
    else if (machine.power !== 'running') {
      machine.power = 'running'
      machine.boots++
      machine.isDumb = happens(faults.dumb)
    }
    return machine
  }

  function begin(machine: Machine, what: 'start' | 'deallocate'): Asked {
    delete machine.failure
    if (what === 'start' && machine.power === 'running') return { is: 'begun' }
    if (what === 'deallocate' && machine.power === 'deallocated') return { is: 'begun' }
    const fails = what === 'start' && happens(faults.failsLater) ? { fails: 'AllocationFailed' } : {}
    const tookMs = (what === 'start' ? bootMs : stopMs) * (0.5 + random())
    machine.power = what === 'start' ? 'starting' : 'deallocating'
    machine.operation = { what, endsAtMs: now() + tookMs, ...fails }
    return { is: 'begun' }
  }

  function answer(vm: string, what: 'start' | 'deallocate'): Asked {
    const machine = settled(vm)
    if (!machine) return { is: 'refused', code: 'ResourceNotFound' }
    if (happens(faults.throws)) throw new Error('the resource manager can not be reached')
    if (machine.operation || happens(faults.later)) return { is: 'later', waitSeconds: 5 }
    if (what === 'start' && happens(faults.noCapacity)) return { is: 'no-capacity', code: 'AllocationFailed' }
    if (happens(faults.refused)) return { is: 'refused', code: 'AuthorizationFailed' }
    const asked = begin(machine, what)
    if (happens(faults.lostAnswers)) throw new Error('the answer was lost')
    return asked
  }

  async function ask(vm: string, what: 'start' | 'deallocate'): Promise<Asked> {
    try {
      const asked = answer(vm, what)
      requests.push({ atMs: now(), what, vm, is: asked.is })
      return asked
    } catch (error) {
      requests.push({ atMs: now(), what, vm, is: 'threw' })
      throw error
    }
  }

  const lookOf = ({ power, failure }: Machine): MachineLook => ({ power, ...(failure ? { failure } : {}) })
  const api: Machines = {
    start: (vm) => ask(vm, 'start'),
    deallocate: (vm) => ask(vm, 'deallocate'),
    async look(vm) {
      if (happens(faults.throws)) throw new Error('the resource manager can not be reached')
      const machine = settled(vm)
      requests.push({ atMs: now(), what: 'look', vm, is: machine?.power ?? 'none' })
      return machine && lookOf(machine)
    },
    async all() {
      if (happens(faults.throws)) throw new Error('the resource manager can not be reached')
      return new Map(
        names.flatMap((vm) => {
          const machine = settled(vm)
          return machine ? [[vm, lookOf(machine)] as const] : []
        }),
      )
    },
  }

  return {
    api,
    requests,
    find: (vm: string): Machine | undefined => settled(vm),
    all: (): Machine[] => names.flatMap((vm) => settled(vm) ?? []),
    setFaults: (next: Partial<Faults>): void => {
      faults = { ...noFaults, ...next }
    },
    /** By somebody's hand. */
    force(vm: string, power: 'running' | 'deallocated'): void {
      const machine = settled(vm) as Machine
      delete machine.operation
      if (power === 'running' && machine.power !== 'running') machine.boots++
      machine.power = power
    },
    remove: (vm: string): boolean => machines.delete(vm),
  }
}
export type Cloud = ReturnType<typeof createCloud>
