// Keeps databases and containers: what they are called, their partition key, and how long their items live.
import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { badRequest, conflict, notFound, notServed } from './answer.ts'
import type { PartitionKeyDefinition } from './partition-key.ts'

export interface Container {
  /** Number of the container in the store. */
  number: number
  partitionKey: PartitionKeyDefinition
  /** Absent: items live for ever. -1: for as long as their own `ttl` says. */
  defaultTtl?: number
  resource: Record<string, unknown>
}

export interface Containers {
  createDatabase(body: Record<string, unknown>): Record<string, unknown>
  readDatabase(name: string): Record<string, unknown>
  createContainer(database: string, body: Record<string, unknown>): Record<string, unknown>
  container(database: string, name: string): Container
}

const NAME = /^[^/\\?#]{1,255}$/
// Anything else in a definition would change how the container behaves, so it is refused rather than forgotten.
const KNOWN = new Set(['id', 'partitionKey', 'defaultTtl', 'indexingPolicy'])

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || JSON.stringify(value) === '{}' || JSON.stringify(value) === '[]'

const checkDefinition = (body: Record<string, unknown>): void => {
  if (typeof body['id'] !== 'string' || !NAME.test(body['id'])) throw badRequest('A container needs an id.')
  for (const [name, value] of Object.entries(body)) {
    if (!KNOWN.has(name) && !isEmpty(value)) throw notServed(`containers with ${name}`)
  }
  const key = body['partitionKey'] as PartitionKeyDefinition | undefined
  if (!key?.paths?.length || !key.paths.every((path) => /^\/[^/]/.test(path))) {
    throw badRequest('A container needs a partition key with paths such as /tenantId.')
  }
  const ttl = body['defaultTtl']
  if (ttl !== undefined && !(Number.isInteger(ttl) && (ttl === -1 || (ttl as number) > 0))) {
    throw badRequest('defaultTtl must be -1 or a positive number of seconds.')
  }
}

const rid = (...numbers: number[]): string => {
  const bytes = Buffer.alloc(4 * numbers.length)
  for (const [at, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * at)
  return bytes.toString('base64')
}

const systemProperties = (resourceId: string, self: string, now: number): Record<string, unknown> => ({
  _rid: resourceId,
  _self: self,
  _etag: `"${randomUUID()}"`,
  _ts: Math.floor(now / 1000),
})

export const openContainers = (store: DatabaseSync, now: () => number): Containers => {
  store.exec(`
    CREATE TABLE IF NOT EXISTS databases (number INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, resource TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS containers (
      number INTEGER PRIMARY KEY, database TEXT NOT NULL, name TEXT NOT NULL, resource TEXT NOT NULL,
      UNIQUE (database, name))`)
  const nextDatabase = store.prepare('SELECT COALESCE(MAX(number), 0) + 1 AS number FROM databases')
  const nextContainer = store.prepare('SELECT COALESCE(MAX(number), 0) + 1 AS number FROM containers')
  const insertDatabase = store.prepare('INSERT OR IGNORE INTO databases VALUES (?, ?, ?)')
  const insertContainer = store.prepare('INSERT OR IGNORE INTO containers VALUES (?, ?, ?, ?)')
  const selectDatabase = store.prepare('SELECT number, resource FROM databases WHERE name = ?')
  const selectContainer = store.prepare(
    'SELECT number, resource FROM containers WHERE database = ? AND name = ?',
  )
  const cache = new Map<string, Container>()

  const databaseRow = (name: string): { number: number; resource: Record<string, unknown> } => {
    const row = selectDatabase.get(name)
    if (!row) throw notFound('database')
    return { number: Number(row['number']), resource: JSON.parse(String(row['resource'])) }
  }

  return {
    createDatabase(body) {
      const name = body['id']
      if (typeof name !== 'string' || !NAME.test(name)) throw badRequest('A database needs an id.')
      const number = Number(nextDatabase.get()?.['number'])
      const resource = { id: name, ...systemProperties(rid(number), `dbs/${rid(number)}/`, now()) }
      if (!insertDatabase.run(number, name, JSON.stringify(resource)).changes) throw conflict('database')
      return resource
    },
    readDatabase: (name) => databaseRow(name).resource,
    createContainer(database, body) {
      const { number: parent } = databaseRow(database)
      checkDefinition(body)
      const number = Number(nextContainer.get()?.['number'])
      const resourceId = rid(parent, number)
      const resource = {
        indexingPolicy: {
          indexingMode: 'consistent',
          automatic: true,
          includedPaths: [{ path: '/*' }],
          excludedPaths: [],
        },
        ...body,
        ...systemProperties(resourceId, `dbs/${rid(parent)}/colls/${resourceId}/`, now()),
      }
      const inserted = insertContainer.run(number, database, String(body['id']), JSON.stringify(resource))
      if (!inserted.changes) throw conflict('container')
      return resource
    },
    container(database, name) {
      const known = cache.get(`${database}/${name}`)
      if (known) return known
      databaseRow(database)
      const row = selectContainer.get(database, name)
      if (!row) throw notFound('container')
      const resource = JSON.parse(String(row['resource']))
      const container: Container = { number: Number(row['number']), ...resource, resource }
      cache.set(`${database}/${name}`, container)
      return container
    },
  }
}
