// Decides how `npm start` was asked for: port, folder of its state, sample title or not, watching or not.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

export interface StartOptions {
  /** Root of the project: where the app, its build and its dependencies are. */
  readonly folder: string
  readonly port: number
  readonly stateDirectory: string
  readonly sample: boolean
  /** Sites besides the console whose pages may put films to storage; Bicep has a parameter of that name. */
  readonly uploadOrigins: readonly string[]
  readonly watch: boolean
  /** Encoders that are always awake; 0 is a platform without any, undefined one whose encoders sleep. */
  readonly encodeWorkers: number | undefined
  /** Edges, asleep. */
  readonly edgeNodes: number
  /** From the wake of a machine until its worker begins. */
  readonly bootSeconds: number
}

/** What the user has to change; shown without a stack. */
export const startProblem = (message: string): Error =>
  Object.assign(new Error(message), { isStartProblem: true })
export const isStartProblem = (error: unknown): error is Error =>
  error instanceof Error && 'isStartProblem' in error

const portOf = (text: string): number => {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw startProblem(`The port must be a number from 0 to 65535, not '${text}' (PORT, or --port).`)
}

const nodesOf = (name: string, text: string): number => {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 0 && count <= 64) return count
  throw startProblem(`${name} must be a number from 0 to 64, not '${text}'.`)
}

const bootOf = (text: string): number => {
  const seconds = Number(text)
  if (seconds >= 0 && seconds <= 600) return seconds
  throw startProblem(`MOVIDONE_BOOT_SECONDS must be a number from 0 to 600, not '${text}'.`)
}

const valuesOf = (argv: string[]) => {
  const options = {
    port: { type: 'string' },
    state: { type: 'string' },
    watch: { type: 'boolean', default: false },
  } as const
  try {
    return parseArgs({ args: argv, options }).values
  } catch {
    throw startProblem(
      `What may follow is --port n, --state folder and --watch, not '${argv.join(' ')}'. docs/5-host.md has what the environment sets.`,
    )
  }
}

export const startOptions = (argv: string[], env: NodeJS.ProcessEnv, folder: string): StartOptions => {
  const values = valuesOf(argv)
  return {
    folder,
    port: portOf(values.port ?? env['PORT'] ?? '7071'),
    stateDirectory: resolve(folder, values.state ?? env['STATE_DIRECTORY'] ?? '.movidone'),
    sample: env['MOVIDONE_SAMPLE'] !== 'off',
    uploadOrigins: (env['MOVIDONE_UPLOAD_ORIGINS'] ?? '').split(',').filter(Boolean),
    watch: values.watch,
    encodeWorkers: env['ENCODE_WORKERS'] ? nodesOf('ENCODE_WORKERS', env['ENCODE_WORKERS']) : undefined,
    edgeNodes: nodesOf('EDGE_NODES', env['EDGE_NODES'] || '0'),
    bootSeconds: bootOf(env['MOVIDONE_BOOT_SECONDS'] || '5'),
  }
}
