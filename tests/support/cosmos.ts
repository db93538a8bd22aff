// Starts a Cosmos server for tests, with the database and containers of the application.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { CosmosClient } from '@azure/cosmos'
import { createHttpServer } from '@vercel/cosmosdb-server'

export interface CosmosServer {
  readonly endpoint: string
  /** base64 */
  readonly key: string
  readonly database: string
  stop(): Promise<void>
}

/** Container, its partition key, and its default TTL (-1: only documents that name one expire). */
const containers: ReadonlyArray<readonly [id: string, partitionKey: string, defaultTtl?: number]> = [
  ['tenants', '/id'],
  ['assets', '/tenantId'],
  ['keys', '/assetId'],
  ['sessions', '/viewerKey', -1],
  ['units', '/jobId'],
]

export async function startCosmos(): Promise<CosmosServer> {
  const server = createHttpServer({ keepAlive: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(64))).toString('base64')
  const database = 'movidone'
  await provision({ endpoint, key, database })
  return {
    endpoint,
    key,
    database,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function provision(account: { endpoint: string; key: string; database: string }): Promise<void> {
  const client = new CosmosClient({ ...account, connectionPolicy: { enableEndpointDiscovery: false } })
  const { database } = await client.databases.createIfNotExists({ id: account.database })
  for (const [id, path, defaultTtl] of containers)
    await database.containers.createIfNotExists({
      id,
      partitionKey: { paths: [path] },
      ...(defaultTtl === undefined ? {} : { defaultTtl }),
    })
  client.dispose()
}
