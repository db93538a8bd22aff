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
  /** Workers that encode in the app's place; with none the app does it itself. */
  readonly encodeWorkers: number
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

const workersOf = (text: string): number => {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 0 && count <= 64) return count
  throw startProblem(`ENCODE_WORKERS must be a number from 0 to 64, not '${text}'.`)
}

export const startOptions = (argv: string[], env: NodeJS.ProcessEnv, folder: string): StartOptions => {
  const { values } = parseArgs({
    args: argv,
    options: {
      port: { type: 'string' },
      state: { type: 'string' },
      watch: { type: 'boolean', default: false },
    },
  })
  return {
    folder,
    port: portOf(values.port ?? env['PORT'] ?? '7071'),
    stateDirectory: resolve(folder, values.state ?? env['STATE_DIRECTORY'] ?? '.movidone'),
    sample: env['MOVIDONE_SAMPLE'] !== 'off',
    uploadOrigins: (env['MOVIDONE_UPLOAD_ORIGINS'] ?? '').split(',').filter(Boolean),
    watch: values.watch,
    encodeWorkers: workersOf(env['ENCODE_WORKERS'] ?? '0'),
  }
}
