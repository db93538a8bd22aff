// The Cosmos process: the local server on loopback, in the folder that --directory names, with a key of its own.
import { join } from 'node:path'
import { partArguments, runPart } from '../platform/child.ts'
import { secretFile } from '../platform/secret-file.ts'
import { startCosmos } from './server.ts'

const { directory, port } = partArguments()
const log = (message: string): void => {
  process.stderr.write(`${message}\n`)
}

await runPart(() =>
  startCosmos({
    directory,
    port,
    log,
    auth: { kind: 'key', key: secretFile(join(directory, 'account-key'), 64) },
  }),
)
