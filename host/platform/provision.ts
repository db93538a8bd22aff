// Makes what Bicep makes in Azure, from the same list: Blob containers with CORS, the Cosmos database and its containers.
import stores from '../../infra/stores.json' with { type: 'json' }
import { startProblem } from './options.ts'
import { blobRequests, cosmosRequests } from './store-requests.ts'

interface ListedContainer {
  name: string
  key?: string
  keys?: string[]
  ttlSeconds?: number
}

export const COSMOS_DATABASE = stores.cosmos.database

const partitionKeyOf = ({ key, keys }: ListedContainer) =>
  keys ? { paths: keys, kind: 'MultiHash', version: 2 } : { paths: [key ?? '/id'], kind: 'Hash' }

export const provisionCosmos = async (account: { endpoint: string; key: string }): Promise<void> => {
  const cosmos = cosmosRequests(account)
  await cosmos.make('dbs', { id: COSMOS_DATABASE })
  for (const listed of stores.cosmos.containers as ListedContainer[]) {
    const partitionKey = partitionKeyOf(listed)
    const ttl = listed.ttlSeconds === undefined ? {} : { defaultTtl: listed.ttlSeconds }
    const there = await cosmos.make(`dbs/${COSMOS_DATABASE}/colls`, { id: listed.name, partitionKey, ...ttl })
    // A container is never changed here: what an older version left behind would answer wrongly.
    const same =
      there['defaultTtl'] === listed.ttlSeconds &&
      JSON.stringify((there['partitionKey'] as { paths?: string[] }).paths) ===
        JSON.stringify(partitionKey.paths)
    if (!same)
      throw startProblem(`The container ${listed.name} is one of another version: remove the state folder.`)
  }
}

export interface BlobAccount {
  url: string
  name: string
  key: string
  /** Sites whose pages may put blocks with an upload URL. */
  uploadOrigins: string[]
}

const element = (name: string, text: string): string =>
  `<${name}>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</${name}>`

export const provisionBlobs = async ({ uploadOrigins, ...account }: BlobAccount): Promise<void> => {
  const { methods, requestHeaders, responseHeaders, maxAgeSeconds } = stores.uploadCors
  const blobs = blobRequests(account)
  await Promise.all(
    stores.blobs.map((name) => blobs.put(name, { restype: 'container' }, { expected: [201, 409] })),
  )
  const rule = [
    element('AllowedOrigins', uploadOrigins.join(',')),
    element('AllowedMethods', methods.join(',')),
    element('MaxAgeInSeconds', String(maxAgeSeconds)),
    element('ExposedHeaders', responseHeaders.join(',')),
    element('AllowedHeaders', requestHeaders.join(',')),
  ].join('')
  const body = `<StorageServiceProperties><Cors><CorsRule>${rule}</CorsRule></Cors></StorageServiceProperties>`
  await blobs.put('', { restype: 'service', comp: 'properties' }, { body, expected: [202] })
}
