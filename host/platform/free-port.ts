// Decides the port of the platform: the one that was asked for if it is free, any free one for 0.
import { createServer } from 'node:net'
import { startProblem } from './options.ts'

export const freePort = (asked: number): Promise<number> =>
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
