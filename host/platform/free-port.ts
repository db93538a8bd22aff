// Decides the port of the platform: the one that was asked for if it is free, any free one for 0.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { startProblem } from './options.ts'

/** Below those that the system gives to connections: it is a while until this one is listened on. */
const QUIET_PORTS = [11_000, 32_000] as const
const TRIES = 20

export const freePort = async (asked: number): Promise<number> => {
  if (asked !== 0) return probed(asked)
  for (let n = 0; n < TRIES; n++) {
    const port = await probed(randomInt(...QUIET_PORTS)).catch(() => 0)
    if (port > 0) return port
  }
  return probed(0)
}

const probed = (asked: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${error.code})`
      reject(startProblem(`Port ${asked} ${reason}. Choose another with PORT=… or --port ….`))
    })
    probe.listen(asked, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })

/** The port of the run before, so that addresses given out then still hold; another one where it is gone. */
export const sameOrAnyPort = (before: number | undefined): Promise<number> =>
  before === undefined ? Promise.resolve(0) : freePort(before).catch(() => 0)
