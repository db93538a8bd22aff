// What a platform that runs has stored, for tests that look behind its API.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CosmosClient } from '@azure/cosmos'
import stores from '../../infra/stores.json' with { type: 'json' }
import type { PlatformProcess } from './platform-process.ts'
import { blobsOf } from './portrait.ts'

type Running = Pick<PlatformProcess, 'local' | 'stateDirectory'>

/** Where a part listens, and the key of its account in base64. */
function account({ local, stateDirectory }: Running, part: 'cosmos' | 'storage') {
  const port = local().processes.find(({ name }) => name === part)?.port
  const key = readFileSync(join(stateDirectory, part, 'account-key'), 'utf8').trim()
  return { origin: `http://127.0.0.1:${port}`, key }
}

/** Names of all blobs of a title of the platform's own tenant. */
export function storedBlobs(platform: Running, assetId: string): Promise<string[]> {
  const { origin, key } = account(platform, 'storage')
  const { tenant } = platform.local()
  return blobsOf({ url: `${origin}/movidone`, key }, { tenantId: tenant.id, assetId })
}

/** The documents of one partition. */
export async function storedDocuments<T extends { id: string }>(
  platform: Running,
  container: string,
  partitionKey: string,
): Promise<T[]> {
  const { origin, key } = account(platform, 'cosmos')
  const connectionPolicy = { enableEndpointDiscovery: false }
  const client = new CosmosClient({ endpoint: `${origin}/`, key, connectionPolicy })
  try {
    const { items } = client.database(stores.cosmos.database).container(container)
    return (await items.readAll<T>({ partitionKey }).fetchAll()).resources
  } finally {
    client.dispose()
  }
}
