// Decides how Azurite's Blob service runs here: in this process, and silent about a write until that write is on disk.
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createRequire, Module } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type StorageAccount, storageAccount } from './account.ts'
import { type LokiDatabase, openJournal } from './journal.ts'

export interface StorageOptions {
  directory: string
  port: number
  /** Entra tokens need https: with it the service takes bearer tokens too (`--oauth basic` of Azurite). */
  tls?: { certFile: string; keyFile: string; oauth: boolean }
  /** The disk refuses: nothing more may be acknowledged. */
  onFailure: (error: Error) => void
}

export interface Storage {
  readonly port: number
  readonly account: StorageAccount
  close(): Promise<void>
}

/** What of Azurite's internals is used here (3.36, pinned). */
interface BlobServer {
  httpServer: Server
  metadataStore: { db: LokiDatabase }
  extentMetadataStore: { db: LokiDatabase & { getCollection(name: string): { data: { id: string }[] } } }
  extentStore: { deleteExtents(ids: Iterable<string>): Promise<number> }
  /** Loads the databases; listening comes after it. */
  beforeStart(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

type BlobConfiguration = new (...options: unknown[]) => object

const require = createRequire(import.meta.url)
const KEEP_ALIVE_SECONDS = 75
const WRITERS = 16

/** Azurite reports its use by default. Here the library for that is not even loaded, which halves the time to start. */
const withoutTelemetry = (): void => {
  const azurite = createRequire(require.resolve('azurite/dist/src/common/Telemetry.js'))
  const id = azurite.resolve('applicationinsights')
  require.cache[id] ??= Object.assign(new Module(id), { exports: {}, loaded: true })
  azurite('./Telemetry.js').AzuriteTelemetryClient.enableTelemetry = false
}

const createBlobServer = (options: StorageOptions, extents: string): BlobServer => {
  withoutTelemetry()
  const Configuration: BlobConfiguration = require('azurite/dist/src/blob/BlobConfiguration.js').default
  const Server = require('azurite/dist/src/blob/BlobServer.js').default
  const { tls } = options
  const configuration = new Configuration(
    '127.0.0.1',
    options.port,
    KEEP_ALIVE_SECONDS,
    join(options.directory, 'metadata'),
    join(options.directory, 'extents'),
    [{ locationId: 'Default', locationPath: extents, maxConcurrency: WRITERS }],
    false, // access log
    undefined,
    false, // debug log
    undefined,
    false, // loose
    true, // skipApiVersionCheck: the SDK speaks newer versions than the emulator knows
    tls?.certFile ?? '',
    tls?.keyFile ?? '',
    '',
    tls?.oauth ? 'basic' : undefined,
  )
  return new Server(configuration)
}

/** Every answer starts by writing its head, so that is where what it may tell of is made safe. */
const answerOnlyWhatIsSaved = (server: Server, save: () => void, onFailure: (error: Error) => void): void => {
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    const writeHead = response.writeHead.bind(response) as (...head: unknown[]) => ServerResponse
    response.writeHead = (...head: unknown[]) => {
      try {
        save()
      } catch (error) {
        response.destroy()
        onFailure(error as Error)
        return response
      }
      return writeHead(...head)
    }
  })
}

/** Extents whose metadata was never saved belong to writes that nobody was told of. */
const removeStrayExtents = (server: BlobServer, extents: string): void => {
  const { data } = server.extentMetadataStore.db.getCollection('$EXTENTS_COLLECTION$')
  const known = new Set(data.map((extent) => extent.id))
  for (const file of readdirSync(extents)) if (!known.has(file)) rmSync(join(extents, file))
}

export const startStorage = async (options: StorageOptions): Promise<Storage> => {
  const extents = join(options.directory, 'blobs')
  mkdirSync(extents, { recursive: true, mode: 0o700 })
  const account = storageAccount(options.directory)
  process.env['AZURITE_ACCOUNTS'] = `${account.name}:${account.key}`

  const journal = openJournal(join(options.directory, 'metadata.db'))
  const server = createBlobServer(options, extents)
  journal.adopt('metadata', server.metadataStore.db)
  journal.adopt('extents', server.extentMetadataStore.db)
  answerOnlyWhatIsSaved(server.httpServer, journal.flush, options.onFailure)
  // The collector unlinks the bytes of deleted blobs: the deletion has to be on disk before.
  const deleteExtents = server.extentStore.deleteExtents.bind(server.extentStore)
  server.extentStore.deleteExtents = (ids) => {
    journal.flush()
    return deleteExtents(ids)
  }

  const beforeStart = server.beforeStart.bind(server)
  server.beforeStart = async () => {
    await beforeStart()
    removeStrayExtents(server, extents)
  }

  await server.start()
  return {
    port: (server.httpServer.address() as AddressInfo).port,
    account,
    async close() {
      await server.close()
      journal.close()
    },
  }
}
