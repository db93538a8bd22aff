// Decides the workers of the platform: who each is, how the app knows it, and how it runs as a part.
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { LogFile } from './log-file.ts'
import type { StartOptions } from './options.ts'
import type { PartSpec } from './part-process.ts'

export interface Worker {
  readonly name: string
  readonly node: string
  readonly secret: string
}

const READY_MS = 30_000
/** Longer than a worker takes to give back what it holds. */
const GRACE_MS = 5_000

/** New ones at each start; the app forgets those of the run before. */
export const makeWorkers = (count: number): Worker[] =>
  Array.from({ length: count }, (_, n) => ({
    name: `worker-${n + 1}`,
    node: `node_${randomBytes(10).toString('hex')}`,
    secret: randomBytes(32).toString('base64url'),
  }))

const hashOf = ({ secret }: Worker): string => createHash('sha256').update(secret).digest('hex')

/** What the app is told of them: their hashes alone. */
export const workerSettings = (workers: readonly Worker[]): Record<string, string> =>
  workers.length === 0
    ? {}
    : {
        ENCODE_EXECUTOR: 'fleet',
        LOCAL_NODES: workers.map((worker) => `${worker.node}=${hashOf(worker)}`).join(','),
      }

export interface WorkerSurroundings {
  options: StartOptions
  settings: Record<string, string>
  log: LogFile
  worker: Worker
}

export const workerSpec =
  ({ options: { folder }, settings, log, worker }: WorkerSurroundings) =>
  (): PartSpec => ({
    name: worker.name,
    script: join(folder, 'host', 'worker', 'child.ts'),
    arguments: ['--directory', folder],
    env: {
      ...process.env,
      ...settings,
      FLEET_URL: settings['PUBLIC_URL'],
      NODE_CREDENTIAL: `${worker.node}.${worker.secret}`,
    },
    folder,
    readyMs: READY_MS,
    graceMs: GRACE_MS,
    log,
  })
