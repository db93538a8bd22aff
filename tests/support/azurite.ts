// Starts a Blob server for tests: Azurite in a child, an account of its own, its files in a temporary folder.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'

export const containers = ['sources', 'media'] as const

export interface BlobServer {
  /** Service endpoint, the account in its path as emulators have it. */
  readonly url: string
  readonly account: string
  /** base64 */
  readonly key: string
  stop(): Promise<void>
}

export interface BlobServerOptions {
  /** More of Azurite's own flags, such as `--oauth basic`. */
  readonly flags?: readonly string[]
  readonly provision?: boolean
}

const program = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js')

export async function startBlobs({
  flags = [],
  provision = true,
}: BlobServerOptions = {}): Promise<BlobServer> {
  const folder = await mkdtemp(join(tmpdir(), 'movidone-blobs-'))
  const account = 'movidonetest'
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(64))).toString('base64')
  const child = spawn(
    process.execPath,
    [program, '--blobHost', '127.0.0.1', '--blobPort', '0', '--location', folder].concat(
      ['--skipApiVersionCheck', '--disableTelemetry', '--silent'],
      flags,
    ),
    { env: { ...process.env, AZURITE_ACCOUNTS: `${account}:${key}` }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const stop = async () => {
    process.removeListener('exit', kill)
    if (child.exitCode === null && kill()) await once(child, 'exit')
    await rm(folder, { recursive: true, force: true })
  }
  const said: string[] = []
  child.stderr.on('data', (bytes) => said.push(String(bytes)))
  let origin: string | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line)
    origin = line.match(/successfully listens on (\S+)/)?.[1]
    if (origin) break
  }
  if (!origin) {
    await stop()
    throw new Error(`Azurite did not start: ${said.join('\n')}`)
  }
  child.stdout.resume()
  const url = `${origin}/${account}`
  if (provision) {
    const service = new BlobServiceClient(url, new StorageSharedKeyCredential(account, key))
    await Promise.all(containers.map((name) => service.getContainerClient(name).create()))
  }
  return { url, account, key, stop }
}
