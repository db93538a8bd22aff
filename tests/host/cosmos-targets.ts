// The servers that speak the Cosmos protocol, each with a database of its own, for the cases that all must answer alike.
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Container, CosmosClient, type Database, PartitionKeyKind } from '@azure/cosmos'
import { createHttpServer } from '@vercel/cosmosdb-server'
import { startCosmos } from '../../host/cosmos/server.ts'

export interface Target {
  name: string
  /** The in-memory server is an independent witness of the protocol, but knows no time to live and no unknowns. */
  isOracle: boolean
  open(): Promise<{ database: Database; close(): Promise<void> }>
}

export const KEY = Buffer.from('a key for tests, long enough to be one').toString('base64')

const databaseOf = async (client: CosmosClient): Promise<Database> => {
  const id = `contract-${process.pid}-${Date.now()}`
  return (await client.databases.createIfNotExists({ id })).database
}

const local: Target = {
  name: 'the local server',
  isOracle: false,
  async open() {
    const directory = mkdtempSync(join(tmpdir(), 'movidone-cosmos-'))
    const server = await startCosmos({ directory, port: 0, auth: { kind: 'key', key: KEY } })
    const client = new CosmosClient({ endpoint: server.endpoint, key: KEY })
    return {
      database: await databaseOf(client),
      async close() {
        client.dispose()
        await server.close()
        rmSync(directory, { recursive: true })
      },
    }
  },
}

const oracle: Target = {
  name: '@vercel/cosmosdb-server',
  isOracle: true,
  async open() {
    const server = createHttpServer({ keepAlive: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    // It tells clients to go on over https, which it does not speak here.
    const client = new CosmosClient({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      key: KEY,
      connectionPolicy: { enableEndpointDiscovery: false },
    })
    return {
      database: await databaseOf(client),
      async close() {
        client.dispose()
        server.closeAllConnections()
        server.close()
        await once(server, 'close')
      },
    }
  },
}

const { COSMOS_ENDPOINT, COSMOS_KEY } = process.env
const real: Target = {
  name: COSMOS_ENDPOINT ?? '',
  isOracle: false,
  async open() {
    const client = new CosmosClient({ endpoint: COSMOS_ENDPOINT ?? '', key: COSMOS_KEY ?? '' })
    const database = await databaseOf(client)
    return {
      database,
      async close() {
        await database.delete()
        client.dispose()
      },
    }
  },
}

export const targets: Target[] = COSMOS_ENDPOINT && COSMOS_KEY ? [local, oracle, real] : [local, oracle]

export const makeContainer = async (
  database: Database,
  id: string,
  defaultTtl?: number,
): Promise<Container> => {
  const partitionKey = { paths: ['/tenantId'], kind: PartitionKeyKind.Hash }
  const ttl = defaultTtl === undefined ? {} : { defaultTtl }
  return (await database.containers.createIfNotExists({ id, partitionKey, ...ttl })).container
}
