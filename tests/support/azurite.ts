// Starts a Blob server for tests: the one of the local platform, in a child, its files in a temporary folder.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import stores from '../../infra/stores.json' with { type: 'json' }
import type { Certificate } from './certificate.ts'
import { startPart } from './part.ts'

export interface BlobServer {
  /** Service endpoint, the account in its path as emulators have it. */
  readonly url: string
  readonly account: string
  /** base64 */
  readonly key: string
  stop(): Promise<void>
}

/** With a certificate it speaks https and takes Entra ID tokens besides the key. Containers are made in any case. */
export async function startBlobs(tls?: Certificate): Promise<BlobServer> {
  const part = await startPart(
    'host/storage/child.ts',
    tls ? [`--cert=${tls.certFile}`, `--key=${tls.keyFile}`] : [],
  )
  const account = 'movidone'
  const key = (await readFile(join(part.directory, 'account-key'), 'utf8')).trim()
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${part.port}/${account}`
  const service = new BlobServiceClient(url, new StorageSharedKeyCredential(account, key))
  await Promise.all(stores.blobs.map((name) => service.getContainerClient(name).create()))
  return { url, account, key, stop: part.stop }
}
