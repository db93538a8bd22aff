// The process of one worker: the built program as it runs on a VM, which here ends with its machine.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { partArguments, runPart } from '../platform/child.ts'

interface Program {
  startWorker(): Promise<{ port: number; leave(): Promise<void> }>
}

const { directory } = partArguments()

await runPart(async () => {
  const file = pathToFileURL(join(directory, 'dist', 'worker.mjs')).href
  const { startWorker } = (await import(file)) as Program
  const worker = await startWorker()
  return { port: worker.port, close: () => worker.leave() }
})
