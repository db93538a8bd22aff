// The program on a woken VM: a node of the fleet by the name of its machine, encoder or edge, until it is told to drain or to leave.
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import packageJson from '../package.json' with { type: 'json' }
import { type App, createApp } from '../shared/app.ts'
import {
  type Config,
  configFromEnvironment,
  type WorkerConfig,
  workerFromEnvironment,
} from '../shared/config/index.ts'
import { systemClock as clock } from '../shared/core/clock.ts'
import { consoleLog as log } from '../shared/core/log.ts'
import { systemRandom as random } from '../shared/core/random.ts'
import { createEdge } from './edge.ts'
import { createEncoder } from './encoder.ts'
import { createLife, type Life } from './life.ts'
import { createCpu } from './load.ts'
import type { Role } from './role.ts'
import { createTell } from './tell.ts'

export interface Worker {
  /** That an edge serves on; 0 for an encoder, which nobody calls. */
  readonly port: number
  /** Takes nothing new; resolves once what it holds is done. */
  drain(): Promise<void>
  /** Gives back what it holds. */
  leave(): Promise<void>
}

const { version } = packageJson

/** Resolves before the platform knows of it: it goes on making itself known for as long as that takes. */
export async function startWorker(): Promise<Worker> {
  const config = configFromEnvironment()
  const place = workerFromEnvironment()
  const { node } = place
  const app = createApp(config, { isNode: true, clock, random, log })
  const role = await roleOf(app, place, () => life)
  const life: Life = createLife({
    ...{ node, version, role, clock, random, log, ...config.beat },
    fleet: app.fleet.nodes,
    cpu: createCpu(),
  })
  life.start()
  log('info', 'fleet.worker-started', { node, version })
  return { port: role.port, drain: () => life.end('drain'), leave: () => life.end('leave') }
}

async function roleOf(
  app: App,
  { node, role, fleetUrl, edge }: WorkerConfig,
  life: () => Life,
): Promise<Role & { readonly port: number }> {
  const isReady = () => life().wish() === 'work'
  if (role === 'edge')
    return createEdge({ app, clock, version, ...edge, isReady, isServing: () => life().told() !== 'leave' })
  const tell = createTell({ fleetUrl, credential: () => life().credential() })
  const { serve } = app.encode.worker
  return { ...createEncoder({ serve, node, tell, isReady, slots: slotsOf(app.config, node) }), port: 0 }
}

/** As the fleet's plan sizes its machine. */
function slotsOf({ fleet }: Config, node: string): number {
  const [pool, group] = node.split('-')
  const groups = fleet?.pools.find(({ name }) => name === pool)?.groups
  return groups?.find(({ name }) => name === group)?.slots ?? 1
}

/** As a service of its own; SIGTERM drains, a second one leaves. */
async function main(): Promise<void> {
  const worker = await startWorker()
  let asked = false
  process.on('SIGTERM', () => {
    const ending = asked ? worker.leave() : worker.drain()
    asked = true
    void ending.then(() => process.exit(0))
  })
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  main().catch((error: unknown) => {
    log('error', 'fleet.worker-refused', { cause: error instanceof Error ? error.message : String(error) })
    process.exitCode = 1
  })
