// The local resource manager as a part of the platform: how it is started, and what its lines about machines mean.
import { join } from 'node:path'
import type { ArmSettings } from '../arm/child.ts'
import type { Happening, Times } from '../arm/machines.ts'
import { openState } from '../arm/state.ts'
import { LOCAL_PLACE, type LocalFleet } from './fleet.ts'
import type { LogFile } from './log-file.ts'
import type { StartOptions } from './options.ts'
import type { Output } from './output.ts'
import type { PartSpec } from './part-process.ts'
import { secretFile } from './secret-file.ts'
import { workerEnvironment } from './worker-environment.ts'

interface ArmSurroundings {
  readonly options: StartOptions
  readonly fleet: LocalFleet
  /** The application's, of which its workers need most. */
  readonly settings: Readonly<Record<string, string>>
  readonly log: LogFile
  readonly onLine: (line: string) => void
}

/** Longer than its workers are given. */
const GRACE_MS = 5_000
const STOP_MS = 500

/** Until a machine runs is a part of its boot. */
const timesOf = (bootSeconds: number): Times => ({
  startMs: bootSeconds * 400,
  bootMs: bootSeconds * 600,
  stopMs: STOP_MS,
})

export const armSpec = ({ options, fleet, settings, log, onLine }: ArmSurroundings) => {
  const { folder, stateDirectory, bootSeconds } = options
  const arm: ArmSettings = {
    ...LOCAL_PLACE,
    planned: fleet.planned,
    times: timesOf(bootSeconds),
    schedule: fleet.schedule,
    program: join(folder, 'host', 'worker', 'child.ts'),
    folder,
    stateDirectory,
  }
  return (port: number): PartSpec => ({
    name: 'arm',
    script: join(folder, 'host', 'arm', 'child.ts'),
    arguments: ['--directory', join(stateDirectory, 'arm'), '--port', String(port)],
    env: {
      ...workerEnvironment({
        ...process.env,
        ...settings,
        FLEET_URL: settings['PUBLIC_URL'],
        EDGE_HOST: '127.0.0.1',
        EDGE_PORT: '0',
      }),
      ARM: JSON.stringify(arm),
    },
    folder,
    graceMs: GRACE_MS,
    log,
    echo: onLine,
  })
}

/** Where the app finds it; its workers have no business there. */
export const armSettings = (stateDirectory: string, port: number): Record<string, string> => ({
  FLEET_ARM_URL: `http://127.0.0.1:${port}`,
  FLEET_ARM_TOKEN: secretFile(join(stateDirectory, 'arm', 'token'), 32),
})

/** Machines that are awake, or on their way: those of an earlier run, too. */
export const awakeIn = (stateDirectory: string): ReadonlySet<string> =>
  new Set(
    openState(join(stateDirectory, 'arm'))
      .machines()
      .flatMap(({ name, power }) => (power === 'running' || power === 'starting' ? [name] : [])),
  )

const words: Partial<Record<Happening, string>> = {
  waking: 'is waking',
  works: 'works',
  scarce: 'could not be woken: there is no capacity for it',
  failed: 'could not do what was asked of it',
  asleep: 'sleeps again',
}

interface Register {
  /** What is not told stays as it was. */
  list(name: string, worker: { pid?: number | undefined; port?: number | undefined }): void
  unlist(name: string): void
}

/** Lists the workers that run, and shows wakes as they happen. */
export const followMachines =
  (output: Output, { list, unlist }: Register) =>
  (line: string): void => {
    const { machine, is, pid, port } = happeningOf(line)
    if (!machine || !is) return
    if (is === 'begun' || is === 'works') list(machine, { pid, port })
    if (is === 'asleep') unlist(machine)
    if (is === 'died') output.problem(`${machine} ended; it is started again`)
    // An edge's port is any that was free.
    else if (is === 'works' && port) output.line(`  ${machine} serves at http://127.0.0.1:${port}`)
    else if (words[is]) output.line(`  ${machine} ${words[is]}`)
  }

function happeningOf(line: string): { machine?: string; is?: Happening; pid?: number; port?: number } {
  try {
    return line.startsWith('{"machine":') ? JSON.parse(line) : {}
  } catch {
    return {}
  }
}
