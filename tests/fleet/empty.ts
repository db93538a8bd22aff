// Takes away all documents of the fleet between two tests, which share one server.
import { CosmosClient } from '@azure/cosmos'
import type { CosmosServer } from '../support/cosmos.ts'

export async function emptyFleet({ endpoint, key, database }: Omit<CosmosServer, 'stop'>): Promise<void> {
  const client = new CosmosClient({ endpoint, key, connectionPolicy: { enableEndpointDiscovery: false } })
  const fleet = client.database(database).container('fleet')
  const { resources } = await fleet.items.readAll<{ id: string; pool: string }>().fetchAll()
  for (const { id, pool } of resources) await fleet.item(id, pool).delete()
  client.dispose()
}
