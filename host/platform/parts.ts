// Decides the three processes of the platform beside the supervisor: storage, cosmos, functions.
import { join } from 'node:path'
import type { LogFile } from './log-file.ts'
import type { StartOptions } from './options.ts'
import type { PartSpec } from './part-process.ts'

export type StoreName = 'storage' | 'cosmos'

const STORE_GRACE_MS = 5_000
/** Requests in flight and the write of a checkpoint; what an activity loses is done again. */
const FUNCTIONS_GRACE_MS = 8_000

export const storeSpec = (name: StoreName, { folder, stateDirectory }: StartOptions, log: LogFile) => {
  const directory = join(stateDirectory, name)
  return (port: number): PartSpec => ({
    name,
    script: join(folder, 'host', name, 'child.ts'),
    arguments: ['--directory', directory, '--port', String(port)],
    env: process.env,
    folder,
    graceMs: STORE_GRACE_MS,
    log,
  })
}

export interface FunctionsSurroundings {
  options: StartOptions
  settings: Record<string, string>
  log: LogFile
  echo: ((line: string) => void) | undefined
}

export const functionsSpec = ({ options, settings, log, echo }: FunctionsSurroundings) => {
  const { folder, stateDirectory } = options
  const state = join(stateDirectory, 'functions')
  return (port: number): PartSpec => ({
    name: 'functions',
    script: join(folder, 'host', 'main.ts'),
    arguments: ['functions', '--folder', folder, '--port', String(port), '--state', state],
    env: { ...process.env, ...settings },
    folder,
    graceMs: FUNCTIONS_GRACE_MS,
    log,
    echo,
  })
}
