// Makes what Bicep makes in Azure, from the same list: Blob containers with CORS, the Cosmos database and its containers.
import { CosmosClient, PartitionKeyKind } from '@azure/cosmos'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import stores from '../../infra/stores.json' with { type: 'json' }
import { startProblem } from './options.ts'

interface ListedContainer {
  name: string
  key?: string
  keys?: string[]
  ttlSeconds?: number
}

export const COSMOS_DATABASE = stores.cosmos.database

const partitionKeyOf = ({ key, keys }: ListedContainer) =>
  keys
    ? { paths: keys, kind: PartitionKeyKind.MultiHash, version: 2 }
    : { paths: [key ?? '/id'], kind: PartitionKeyKind.Hash }

export const provisionCosmos = async (account: { endpoint: string; key: string }): Promise<void> => {
  const client = new CosmosClient(account)
  try {
    const { database } = await client.databases.createIfNotExists({ id: COSMOS_DATABASE })
    for (const listed of stores.cosmos.containers as ListedContainer[]) {
      const partitionKey = partitionKeyOf(listed)
      const ttl = listed.ttlSeconds === undefined ? {} : { defaultTtl: listed.ttlSeconds }
      const { resource } = await database.containers.createIfNotExists({
        id: listed.name,
        partitionKey,
        ...ttl,
      })
      // A container is never changed here: what an older version left behind would answer wrongly.
      const same =
        resource?.defaultTtl === listed.ttlSeconds &&
        JSON.stringify(resource?.partitionKey?.paths) === JSON.stringify(partitionKey.paths)
      if (!same)
        throw startProblem(`The container ${listed.name} is one of another version: remove the state folder.`)
    }
  } finally {
    client.dispose()
  }
}

export interface BlobAccount {
  url: string
  name: string
  key: string
  /** Sites whose pages may put blocks with an upload URL. */
  uploadOrigins: string[]
}

export const provisionBlobs = async ({ url, name, key, uploadOrigins }: BlobAccount): Promise<void> => {
  const { methods, requestHeaders, responseHeaders, maxAgeSeconds } = stores.uploadCors
  const service = new BlobServiceClient(url, new StorageSharedKeyCredential(name, key))
  await Promise.all(
    stores.blobs.map((container) => service.getContainerClient(container).createIfNotExists()),
  )
  await service.setProperties({
    cors: [
      {
        allowedOrigins: uploadOrigins.join(','),
        allowedMethods: methods.join(','),
        allowedHeaders: requestHeaders.join(','),
        exposedHeaders: responseHeaders.join(','),
        maxAgeInSeconds: maxAgeSeconds,
      },
    ],
  })
}
