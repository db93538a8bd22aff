// Opens the engine's database: its tables, its durability, and the lock that keeps a second process out.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { startupError } from '../functions/startup-error.ts'

const version = 1

const tables = `
CREATE TABLE instances (
  id TEXT PRIMARY KEY, executionId TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL,
  status TEXT NOT NULL, input TEXT NOT NULL, output TEXT, customStatus TEXT,
  createdMs INTEGER NOT NULL, updatedMs INTEGER NOT NULL, isFresh INTEGER NOT NULL,
  parentId TEXT, parentExecutionId TEXT, parentTask INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE history (
  instanceId TEXT NOT NULL, place INTEGER NOT NULL, event TEXT NOT NULL, note TEXT,
  PRIMARY KEY (instanceId, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE inbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, instanceId TEXT NOT NULL, executionId TEXT, event TEXT NOT NULL
) STRICT;
CREATE INDEX inboxByInstance ON inbox (instanceId, id);
CREATE TABLE activities (
  id INTEGER PRIMARY KEY AUTOINCREMENT, instanceId TEXT NOT NULL, executionId TEXT NOT NULL, task INTEGER NOT NULL,
  name TEXT NOT NULL, input TEXT, isRetriable INTEGER NOT NULL, isStarted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE timers (
  instanceId TEXT NOT NULL, executionId TEXT NOT NULL, task INTEGER NOT NULL,
  dueMs INTEGER NOT NULL, fireAt TEXT NOT NULL,
  PRIMARY KEY (instanceId, executionId, task)
) STRICT, WITHOUT ROWID;
CREATE INDEX timersByDue ON timers (dueMs);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`

/**
 * Exclusive locking keeps the file's lock for the life of the process, and a kill frees it. WAL with synchronous=NORMAL
 * survives kill -9 (what is committed is in the page cache), not a loss of power.
 */
export function openDatabase(directory: string): DatabaseSync {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, 'durable.sqlite')
  const database = new DatabaseSync(file)
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 0; PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = NORMAL; BEGIN EXCLUSIVE')
    const found = (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
    if (found === 0) database.exec(`${tables} PRAGMA user_version = ${version}`)
    else if (found !== version)
      throw startupError(`${file} has version ${found}; this engine reads ${version}.`)
    database.exec('COMMIT')
    return database
  } catch (error) {
    database.close()
    if (error instanceof Error && /locked|busy/i.test(error.message)) throw startupError(inUse(file))
    throw error
  }
}

const inUse = (file: string) =>
  `The Durable state ${file} is in use by another process: one folder serves one host at a time. Stop the other one or choose another folder.`
