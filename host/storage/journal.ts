// Decides when blob metadata is safe: each change of Azurite's Loki databases reaches one SQLite file before an answer tells of it.
import { DatabaseSync } from 'node:sqlite'

type Stored = Record<string, unknown> & { $loki: number }

/** What of a LokiJS collection is used here. */
interface Collection {
  name: string
  data: Stored[]
  maxId: number
  idIndex: number[] | null
  uniqueNames: string[]
  on(event: 'insert' | 'update' | 'delete', listener: (changed: Stored | Stored[]) => void): void
  ensureAllIndexes(force: boolean): void
  ensureUniqueIndex(field: string): void
}

/** What of a LokiJS database is used here. */
export interface LokiDatabase {
  autosave: boolean
  autosaveDisable(): void
  addCollection(name: string, options?: unknown): Collection
  saveDatabase(callback?: (error: Error | null) => void): void
}

export interface Journal {
  /** Takes over saving and loading of a database whose collections do not exist yet. */
  adopt(store: string, database: LokiDatabase): void
  /** Commits every change since the last call in one transaction: all who wait share it. */
  flush(): void
  close(): void
}

/**
 * Loki writes its whole database every five seconds: a kill loses what was acknowledged since, and
 * the cost of a save grows with the number of blobs. Here a save writes what changed, and nothing else.
 */
export const openJournal = (file: string): Journal => {
  const sqlite = new DatabaseSync(file)
  // WAL without a sync on each commit outlives the death of every process, though not a power cut.
  sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  sqlite.exec(`CREATE TABLE IF NOT EXISTS documents (
    store TEXT, collection TEXT, id INTEGER, body TEXT NOT NULL,
    PRIMARY KEY (store, collection, id)) WITHOUT ROWID`)
  const read = sqlite.prepare('SELECT body FROM documents WHERE store = ? AND collection = ? ORDER BY id')
  const put = sqlite.prepare('INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)')
  const remove = sqlite.prepare('DELETE FROM documents WHERE store = ? AND collection = ? AND id = ?')

  // Documents are kept by reference, so that a flush writes their state of that moment; undefined: deleted.
  const pending = new Map<string, Map<number, Stored | undefined>>()

  const fill = (store: string, collection: Collection): void => {
    for (const row of read.iterate(store, collection.name)) {
      collection.data.push(JSON.parse(String(row['body'])))
    }
    collection.maxId = collection.data.at(-1)?.$loki ?? 0
    collection.idIndex = null
    collection.ensureAllIndexes(true)
    for (const field of collection.uniqueNames) collection.ensureUniqueIndex(field)
  }

  const watch = (store: string, collection: Collection): void => {
    const changes = new Map<number, Stored | undefined>()
    pending.set(`${store}/${collection.name}`, changes)
    const note = (changed: Stored | Stored[]): void => {
      for (const document of [changed].flat()) changes.set(document.$loki, document)
    }
    collection.on('insert', note)
    collection.on('update', note)
    collection.on('delete', (gone) => {
      for (const document of [gone].flat()) changes.set(document.$loki, undefined)
    })
  }

  const flush = (): void => {
    if ([...pending.values()].every((changes) => changes.size === 0)) return
    sqlite.exec('BEGIN IMMEDIATE')
    try {
      for (const [place, changes] of pending) {
        const [store, collection] = place.split('/') as [string, string]
        for (const [id, document] of changes) {
          if (document === undefined) remove.run(store, collection, id)
          else put.run(store, collection, id, JSON.stringify(document))
        }
      }
      sqlite.exec('COMMIT')
    } catch (error) {
      sqlite.exec('ROLLBACK')
      throw error
    }
    for (const changes of pending.values()) changes.clear()
  }

  return {
    adopt(store, database) {
      database.autosaveDisable()
      database.autosave = false
      database.saveDatabase = (callback) => {
        flush()
        callback?.(null)
      }
      const addCollection = database.addCollection.bind(database)
      database.addCollection = (name, options) => {
        const collection = addCollection(name, options)
        if (pending.has(`${store}/${name}`)) return collection
        fill(store, collection)
        watch(store, collection)
        return collection
      }
    },
    flush,
    close() {
      flush()
      sqlite.close()
    },
  }
}
