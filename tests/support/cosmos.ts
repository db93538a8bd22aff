// Starts a Cosmos server for tests, with the database and containers that Bicep makes in Azure.
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CosmosClient, type CosmosClientOptions, PartitionKeyKind } from '@azure/cosmos'
import { createHttpServer } from '@vercel/cosmosdb-server'
import { startCosmos as startServer } from '../../host/cosmos/server.ts'
import stores from '../../infra/stores.json' with { type: 'json' }
import type { Certificate } from './certificate.ts'
import type { Entra } from './entra.ts'
import { startPart } from './part.ts'

export interface CosmosServer {
  readonly endpoint: string
  /** base64 */
  readonly key: string
  readonly database: string
  stop(): Promise<void>
}

const { database } = stores.cosmos

/** The one of the local platform, in a child, its files in a temporary folder. */
export async function startCosmos(): Promise<CosmosServer> {
  const part = await startPart('host/cosmos/child.ts')
  const key = (await readFile(join(part.directory, 'account-key'), 'utf8')).trim()
  const endpoint = `http://127.0.0.1:${part.port}/`
  await provision({ endpoint, key }, database)
  return { endpoint, key, database, stop: part.stop }
}

/** The same over https, taking no key but the tokens of one Entra ID. */
export async function startCosmosEntra(tls: Certificate, entra: Entra): Promise<Omit<CosmosServer, 'key'>> {
  const directory = await mkdtemp(join(tmpdir(), 'movidone-test-'))
  let origin = ''
  const accepts = (token: string) => entra.accepts(token, origin)
  const server = await startServer({ directory, port: 0, tls, auth: { kind: 'bearer', accepts } })
  const { endpoint } = server
  origin = new URL(endpoint).origin
  await provision({ endpoint, aadCredentials: entra.credential }, database)
  const stop = async () => {
    await server.close()
    await rm(directory, { recursive: true })
  }
  return { endpoint, database, stop }
}

/** An independent implementation of the protocol, in memory: what both agree on is not ours alone. */
export async function startCosmosOracle(): Promise<CosmosServer> {
  const server = createHttpServer({ keepAlive: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const key = Buffer.alloc(64).toString('base64')
  await provision({ endpoint, key }, database)
  const stop = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { endpoint, key, database, stop }
}

/** The server that COSMOS_ENDPOINT names, in a database of this run. */
export async function useCosmos(endpoint: string, key: string): Promise<CosmosServer> {
  const name = `${database}-test-${process.pid}-${Date.now()}`
  await provision({ endpoint, key }, name)
  const stop = async () => {
    const client = new CosmosClient({ endpoint, key })
    await client.database(name).delete()
    client.dispose()
  }
  return { endpoint, key, database: name, stop }
}

interface StoredContainer {
  name: string
  key?: string
  keys?: string[]
  ttlSeconds?: number
}

async function provision(account: CosmosClientOptions, id: string): Promise<void> {
  const client = new CosmosClient({ ...account, connectionPolicy: { enableEndpointDiscovery: false } })
  const { database } = await client.databases.createIfNotExists({ id })
  for (const { name, key, keys, ttlSeconds } of stores.cosmos.containers as StoredContainer[])
    await database.containers.createIfNotExists({
      id: name,
      partitionKey: keys ? { paths: keys, kind: PartitionKeyKind.MultiHash, version: 2 } : { paths: [key!] },
      ...(ttlSeconds === undefined ? {} : { defaultTtl: ttlSeconds }),
    })
  client.dispose()
}
