// What is known of the machines, in one file: replaced whole before anything is answered, so that no kill takes it back.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writePrivately } from '../platform/secret-file.ts'
import { keepNewest, type Operation } from './operations.ts'

export type Power = 'starting' | 'running' | 'deallocating' | 'deallocated'

export interface Failure {
  readonly code: string
  readonly message: string
}

/** The operation under way, and when and how it will end. */
export interface Work {
  readonly operation: string
  readonly kind: 'start' | 'deallocate'
  readonly untilMs: number
  readonly failure?: Failure | undefined
  /** From the machine's start until its worker's; none where it never comes. */
  readonly bootMs?: number | undefined
}

export interface Machine {
  readonly name: string
  readonly size: string
  readonly zone: string
  readonly power: Power
  readonly changedAtMs: number
  readonly failure?: Failure | undefined
  readonly work?: Work | undefined
  /** When its worker begins, or began; none where it never comes. */
  readonly guestAtMs?: number | undefined
  /** The worker's process, to find it again when whoever started it was killed. */
  readonly pid?: number | undefined
}

interface Content {
  readonly machines: readonly Machine[]
  readonly operations: readonly Operation[]
}

export type State = ReturnType<typeof openState>

export const openState = (directory: string) => {
  const file = join(directory, 'machines.json')
  const before: Content = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as Content)
    : { machines: [], operations: [] }
  const machines = new Map(before.machines.map((one) => [one.name, one]))
  let operations = [...before.operations]

  return {
    machines: (): Machine[] => [...machines.values()],
    machine: (name: string): Machine | undefined => machines.get(name),
    operations: (): readonly Operation[] => operations,
    /** All of it is on disk when this returns. */
    write(machine: Machine, operation?: Operation): void {
      machines.set(machine.name, machine)
      if (operation)
        operations = keepNewest([...operations.filter(({ id }) => id !== operation.id), operation])
      writePrivately(file, JSON.stringify({ machines: [...machines.values()], operations }, null, 1))
    },
    forget(name: string): void {
      machines.delete(name)
    },
  }
}
