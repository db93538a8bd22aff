// The storage process: Blob storage on loopback, in the folder that --directory names.
import { partArguments, runPart } from '../platform/child.ts'
import { startStorage } from './server.ts'

const { directory, port, options } = partArguments()
const { cert, key } = options

await runPart((onFailure) =>
  startStorage({
    directory,
    port,
    onFailure,
    ...(cert && key ? { tls: { certFile: cert, keyFile: key, oauth: true } } : {}),
  }),
)
