// Decides which request of the Cosmos protocol is which operation, and names those that are not served.
import type { IncomingHttpHeaders } from 'node:http'
import type { Answer } from '../refusal.ts'
import { badRequest, notServed } from './answer.ts'
import { runBatch } from './batch.ts'
import type { Container, Containers } from './containers.ts'
import type { Items } from './items.ts'
import { type ItemRequest, type OperationName, operations } from './operations.ts'
import { partitionFromHeader } from './partition-key.ts'
import { type QuerySpec, runQuery } from './query.ts'

export interface CosmosRequest {
  method: string
  segments: string[]
  headers: IncomingHttpHeaders
  body: unknown
}

export interface Stores {
  containers: Containers
  items: Items
  /** Own address, which clients go on with. */
  endpoint: string
}

const header = (headers: IncomingHttpHeaders, name: string): string | undefined =>
  headers[name] as string | undefined
const isTrue = (headers: IncomingHttpHeaders, name: string): boolean =>
  header(headers, name)?.toLowerCase() === 'true'

const account = (endpoint: string): Answer => {
  const here = [{ name: 'local', databaseAccountEndpoint: endpoint }]
  return {
    status: 200,
    body: {
      id: 'local',
      _self: '',
      _rid: 'local',
      _dbs: '//dbs/',
      media: '//media/',
      addresses: '//addresses/',
      writableLocations: here,
      readableLocations: here,
      enableMultipleWriteLocations: false,
      userConsistencyPolicy: { defaultConsistencyLevel: 'Session' },
    },
  }
}

const partitionRanges = ({ resource }: Container): Answer => {
  const range = { id: '0', _rid: `${resource['_rid']}0`, minInclusive: '', maxExclusive: 'FF', parents: [] }
  return { status: 200, body: { _rid: resource['_rid'], PartitionKeyRanges: [range], _count: 1 } }
}

const partitionOf = (container: Container, headers: IncomingHttpHeaders): string => {
  const named = header(headers, 'x-ms-documentdb-partitionkey')
  if (named === undefined) throw badRequest('The request must name its partition key.')
  return partitionFromHeader(named, container.partitionKey)
}

const query = ({ items }: Stores, container: Container, { headers, body }: CosmosRequest): Answer => {
  const partition = headers['x-ms-documentdb-partitionkey'] ? partitionOf(container, headers) : undefined
  const { results, continuation } = runQuery({
    spec: body as QuerySpec,
    acrossPartitions: partition === undefined,
    items: () => items.list(container, partition),
    pageSize: header(headers, 'x-ms-max-item-count'),
    continuation: header(headers, 'x-ms-continuation'),
  })
  return {
    status: 200,
    body: { _rid: container.resource['_rid'], Documents: results, _count: results.length },
    headers: {
      'x-ms-item-count': String(results.length),
      ...(continuation ? { 'x-ms-continuation': continuation } : {}),
    },
  }
}

/** What headers ask for beyond the plain operation, by the name it is refused with. */
const refuseByHeaders = (headers: IncomingHttpHeaders): void => {
  if (isTrue(headers, 'x-ms-cosmos-is-query-plan-request')) throw notServed('query plans')
  if (headers['a-im']) throw notServed('the change feed')
  if (headers['x-ms-start-epk']) throw notServed('queries by a part of a hierarchical partition key')
  for (const name of Object.keys(headers)) {
    if (/^x-ms-documentdb-(pre|post)-trigger-/.test(name)) throw notServed('triggers')
  }
}

const itemRequest = (container: Container, { headers, body }: CosmosRequest, id?: string): ItemRequest => ({
  container,
  partition: partitionOf(container, headers),
  ...(id === undefined ? {} : { id }),
  ...(body === undefined ? {} : { body: body as Record<string, unknown> }),
  ifMatch: header(headers, 'if-match'),
  ifNoneMatch: header(headers, 'if-none-match'),
})

const run = (stores: Stores, name: OperationName, request: ItemRequest): Answer =>
  stores.items.together(() => operations[name](stores.items, request))

const routeItems = (stores: Stores, container: Container, request: CosmosRequest): Answer => {
  const { method, headers } = request
  if (method === 'GET') throw notServed('reading a container without a query')
  if (method !== 'POST') throw notServed(`${method} on items`)
  if (isTrue(headers, 'x-ms-cosmos-is-batch-request')) {
    if (!isTrue(headers, 'x-ms-cosmos-batch-atomic')) throw notServed('bulk operations')
    const partition = partitionOf(container, headers)
    return runBatch(stores.items, container, { partition, steps: request.body })
  }
  if (isTrue(headers, 'x-ms-documentdb-isquery') || headers['content-type'] === 'application/query+json') {
    return query(stores, container, request)
  }
  const name = isTrue(headers, 'x-ms-documentdb-is-upsert') ? 'Upsert' : 'Create'
  return run(stores, name, itemRequest(container, request))
}

const BY_METHOD: Record<string, OperationName> = { GET: 'Read', PUT: 'Replace', DELETE: 'Delete' }

const routeContainer = (stores: Stores, container: Container, request: CosmosRequest): Answer => {
  const { method, segments } = request
  const [, , , , kind, id, ...deeper] = segments
  if (kind === undefined && method === 'GET') return { status: 200, body: container.resource }
  if (kind === 'pkranges' && id === undefined && method === 'GET') return partitionRanges(container)
  if (kind !== 'docs') throw notServed(kind ? `${method} on ${kind}` : `${method} on a container`)
  if (deeper.length > 0) throw notServed('attachments')
  if (id === undefined) return routeItems(stores, container, request)
  const name = BY_METHOD[method]
  if (!name) throw notServed(method === 'PATCH' ? 'patch' : `${method} on an item`)
  return run(stores, name, itemRequest(container, request, id))
}

export const route = (stores: Stores, request: CosmosRequest): Answer => {
  const { containers } = stores
  const { method, segments, headers } = request
  refuseByHeaders(headers)
  const [root, database, kind, name] = segments
  if (root === undefined && method === 'GET') return account(stores.endpoint)
  if (root !== 'dbs') throw notServed(`${method} on ${root ?? 'the account'}`)
  const isQuery = headers['content-type'] === 'application/query+json'
  const body = (request.body ?? {}) as Record<string, unknown>
  if (database === undefined) {
    if (method !== 'POST' || isQuery)
      throw notServed(isQuery ? 'queries of databases' : `${method} on databases`)
    return { status: 201, body: containers.createDatabase(body) }
  }
  if (kind === undefined) {
    if (method !== 'GET') throw notServed(`${method} on a database`)
    return { status: 200, body: containers.readDatabase(database) }
  }
  if (kind !== 'colls') throw notServed(`${method} on ${kind}`)
  if (name !== undefined) return routeContainer(stores, containers.container(database, name), request)
  if (method !== 'POST' || isQuery)
    throw notServed(isQuery ? 'queries of containers' : `${method} on containers`)
  return { status: 201, body: containers.createContainer(database, body) }
}
