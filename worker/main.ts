// The program on a woken VM: does units of encode's work in the role `encoder`, until it is told to drain or to leave.
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createApp } from '../shared/app.ts'
import { configFromEnvironment, workerFromEnvironment } from '../shared/config/index.ts'
import { createTell } from './tell.ts'

export interface Worker {
  /** Takes nothing new; resolves once what it holds is done. */
  drain(): Promise<void>
  /** Gives back what it holds. */
  leave(): Promise<void>
}

/** A picture and the sound at a time: the sound takes little of a machine, and all of a title's length. */
export function startWorker(): Worker {
  const app = createApp(configFromEnvironment())
  const { node, ...place } = workerFromEnvironment()
  const draining = new AbortController()
  const leaving = new AbortController()
  const duty = { node, tell: createTell(place), drain: draining.signal, leave: leaving.signal }
  const kinds = ['chunk', 'audio'] as const
  const ended = Promise.all(kinds.map((kind) => app.encode.worker.serve({ ...duty, kind })))
  app.log('info', 'fleet.worker-started', { node })
  return {
    async drain() {
      draining.abort()
      await ended
    },
    async leave() {
      leaving.abort()
      await ended
    },
  }
}

/** As a service of its own; SIGTERM drains, a second one leaves. */
function main(): void {
  const worker = startWorker()
  let asked = false
  process.on('SIGTERM', () => {
    const ending = asked ? worker.leave() : worker.drain()
    asked = true
    void ending.then(() => process.exit(0))
  })
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main()
