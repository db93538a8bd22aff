// The process of the local resource manager, and of its machines' workers with it: they live and end together.
import { join } from 'node:path'
import { partArguments, runPart } from '../platform/child.ts'
import { openLog } from '../platform/log-file.ts'
import { secretFile } from '../platform/secret-file.ts'
import type { Schedule } from './faults.ts'
import { createGuest } from './guest.ts'
import type { Planned, Times } from './machines.ts'
import { startArm } from './server.ts'

/** In the environment variable `ARM`, as JSON; what workers are to find in theirs stands beside it. */
export interface ArmSettings {
  readonly subscription: string
  readonly group: string
  readonly planned: readonly Planned[]
  readonly times: Times
  readonly schedule?: Schedule | undefined
  /** Run for each machine, with `--directory` and `--state`. */
  readonly program: string
  /** Root of the project. */
  readonly folder: string
  readonly stateDirectory: string
}

/** Longer than a worker takes to give back what it holds. */
const GRACE_MS = 3_000

const { directory, port } = partArguments()
const { ARM, ...env } = process.env
const settings = JSON.parse(ARM ?? '{}') as ArmSettings
const { folder, stateDirectory, program } = settings

const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

await runPart(() =>
  startArm({
    ...settings,
    directory,
    port,
    token: secretFile(join(directory, 'token'), 32),
    mark: stateDirectory,
    // A line for whoever started this: what happened to which machine, and its worker's process.
    tell: (machine, is, worker) => say({ machine, is, ...worker }),
    log: (message) => process.stderr.write(`${message}\n`),
    guestOf(name, tell, onStart) {
      const log = openLog(join(stateDirectory, 'logs', `${name}.log`))
      const spec = () => ({
        name,
        script: program,
        arguments: ['--directory', folder, '--state', stateDirectory],
        env: { ...env, NODE_ID: name },
        folder,
        graceMs: GRACE_MS,
        log,
      })
      return createGuest({
        spec,
        onStart,
        onReady: (at) => tell('works', at),
        onDeath(manner) {
          process.stderr.write(`${name} ended (${manner})\n`)
          tell('died')
        },
      })
    },
  }),
)
