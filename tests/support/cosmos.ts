// Starts a Cosmos server for tests, with the database and containers of the application.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { CosmosClient, PartitionKeyKind } from '@azure/cosmos'
import { createHttpServer } from '@vercel/cosmosdb-server'
import stores from '../../infra/stores.json' with { type: 'json' }

export interface CosmosServer {
  readonly endpoint: string
  /** base64 */
  readonly key: string
  readonly database: string
  stop(): Promise<void>
}

interface StoredContainer {
  name: string
  key?: string
  keys?: string[]
  ttlSeconds?: number
}

export async function startCosmos(): Promise<CosmosServer> {
  const server = createHttpServer({ keepAlive: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(64))).toString('base64')
  const { database } = stores.cosmos
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

/** As Bicep does in Azure, from the same list. */
async function provision(account: { endpoint: string; key: string; database: string }): Promise<void> {
  const client = new CosmosClient({ ...account, connectionPolicy: { enableEndpointDiscovery: false } })
  const { database } = await client.databases.createIfNotExists({ id: account.database })
  for (const { name, key, keys, ttlSeconds } of stores.cosmos.containers as StoredContainer[])
    await database.containers.createIfNotExists({
      id: name,
      partitionKey: keys ? { paths: keys, kind: PartitionKeyKind.MultiHash, version: 2 } : { paths: [key!] },
      ...(ttlSeconds === undefined ? {} : { defaultTtl: ttlSeconds }),
    })
  client.dispose()
}
