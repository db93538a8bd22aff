// Keeps items: each in its logical partition, with an ETag that every write renews, for as long as its time to live says.
import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { Container } from './containers.ts'

export type Item = Record<string, unknown> & { id: string; _etag: string; _rid: string; _ts: number }

export interface Place {
  container: Container
  partition: string
  id: string
}

export interface Items {
  find(place: Place): Item | undefined
  /** Writes an item whether there is one or not. */
  write(place: Place, body: Record<string, unknown>): Item
  remove(place: Place): void
  /** All items of a partition, or of the whole container, in the order they came. */
  list(container: Container, partition?: string): Item[]
  removeExpired(): void
  /** All or nothing. */
  together<T>(work: () => T): T
}

const SYSTEM = ['_rid', '_self', '_etag', '_attachments', '_ts'] as const

// An item without a `ttl` has its container's; a container without one has none that ever expire.
const ALIVE = '(:default IS NULL OR COALESCE(ttl, :default) < 0 OR ts + COALESCE(ttl, :default) > :now)'

export const openItems = (store: DatabaseSync, now: () => number): Items => {
  store.exec(`CREATE TABLE IF NOT EXISTS items (
    number INTEGER PRIMARY KEY AUTOINCREMENT, container INTEGER NOT NULL, partition TEXT NOT NULL, id TEXT NOT NULL,
    etag TEXT NOT NULL, ts INTEGER NOT NULL, ttl INTEGER, body TEXT NOT NULL,
    UNIQUE (container, partition, id))`)
  const columns = 'SELECT number, etag, ts, body FROM items WHERE container = :container'
  const one = store.prepare(`${columns} AND partition = :partition AND id = :id AND ${ALIVE}`)
  const inPartition = store.prepare(`${columns} AND partition = :partition AND ${ALIVE} ORDER BY number`)
  const inContainer = store.prepare(`${columns} AND ${ALIVE} ORDER BY number`)
  const put = store.prepare(`INSERT INTO items (container, partition, id, etag, ts, ttl, body)
    VALUES (:container, :partition, :id, :etag, :ts, :ttl, :body)
    ON CONFLICT (container, partition, id) DO UPDATE SET etag = :etag, ts = :ts, ttl = :ttl, body = :body`)
  const drop = store.prepare(
    'DELETE FROM items WHERE container = :container AND partition = :partition AND id = :id',
  )
  const everyContainer = store.prepare(
    "SELECT number, resource ->> 'defaultTtl' AS defaultTtl FROM containers",
  )
  const dropExpired = store.prepare(`DELETE FROM items WHERE container = :container AND NOT ${ALIVE}`)

  const seconds = (): number => Math.floor(now() / 1000)
  const life = ({ defaultTtl }: Container) => ({ default: defaultTtl ?? null, now: seconds() })

  const itemOf = (container: Container, row: Record<string, unknown>): Item => {
    const parent = String(container.resource['_rid'])
    // Of fixed length, so that the order of resource ids is the order of arrival, which paging goes by.
    const rid = `${parent}${String(row['number']).padStart(12, '0')}`
    return {
      ...JSON.parse(String(row['body'])),
      _rid: rid,
      _self: `${container.resource['_self']}docs/${rid}/`,
      _etag: String(row['etag']),
      _attachments: 'attachments/',
      _ts: Number(row['ts']),
    }
  }

  const find: Items['find'] = ({ container, partition, id }) => {
    const row = one.get({ container: container.number, partition, id, ...life(container) })
    return row && itemOf(container, row)
  }

  return {
    find,
    write(place, body) {
      const { container, partition, id } = place
      const own = Object.fromEntries(Object.entries(body).filter(([name]) => !SYSTEM.includes(name as never)))
      // What has expired is gone: an item of the same id is a new one.
      if (!find(place)) drop.run({ container: container.number, partition, id })
      const ttl = Number.isInteger(own['ttl']) ? Number(own['ttl']) : null
      put.run({
        container: container.number,
        partition,
        id,
        etag: `"${randomUUID()}"`,
        ts: seconds(),
        ttl,
        body: JSON.stringify(own),
      })
      const written = find(place)
      if (!written) throw new Error(`the item ${id} was written and is not there`)
      return written
    },
    remove({ container, partition, id }) {
      drop.run({ container: container.number, partition, id })
    },
    list(container, partition) {
      const rows =
        partition === undefined
          ? inContainer.all({ container: container.number, ...life(container) })
          : inPartition.all({ container: container.number, partition, ...life(container) })
      return rows.map((row) => itemOf(container, row))
    },
    removeExpired() {
      for (const { number, defaultTtl } of everyContainer.all()) {
        if (defaultTtl === null) continue
        dropExpired.run({ container: Number(number), default: Number(defaultTtl), now: seconds() })
      }
    },
    together(work) {
      store.exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        store.exec('COMMIT')
        return result
      } catch (error) {
        store.exec('ROLLBACK')
        throw error
      }
    },
  }
}
