// What is the local Cosmos server's own: who may speak to it, how long items live, what it refuses by name, what a kill leaves.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  type Container,
  CosmosClient,
  type CosmosClientOptions,
  type Next,
  PluginOn,
  type RequestContext,
} from '@azure/cosmos'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CosmosOptions, type CosmosServer, startCosmos } from '../../host/cosmos/server.ts'
import { seeded } from '../support/seeded.ts'
import { KEY, makeContainer } from './cosmos-targets.ts'
import { endAllParts, startPart } from './part-process.ts'

const KILLS = Number(process.env['KILLS'] ?? 20)
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

let directory: string
let server: CosmosServer | undefined
let clients: CosmosClient[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'movidone-cosmos-'))
})
afterEach(async () => {
  for (const client of clients) client.dispose()
  clients = []
  await server?.close()
  server = undefined
  rmSync(directory, { recursive: true })
})
afterAll(endAllParts)

const start = async (options: Partial<CosmosOptions> = {}): Promise<CosmosServer> => {
  server = await startCosmos({ directory, port: 0, auth: { kind: 'key', key: KEY }, ...options })
  return server
}

const client = (options: CosmosClientOptions): CosmosClient => {
  const made = new CosmosClient(options)
  clients.push(made)
  return made
}

const containerOf = async (endpoint: string, defaultTtl?: number, key = KEY): Promise<Container> => {
  const { database } = await client({ endpoint, key }).databases.createIfNotExists({ id: 'movidone' })
  return makeContainer(database, 'things', defaultTtl)
}

describe('authorization', () => {
  it('takes the key, and no other', async () => {
    const { endpoint } = await start()
    await expect(client({ endpoint, key: KEY }).databases.create({ id: 'mine' })).resolves.toBeDefined()
    const wrong = Buffer.from('another key, of the same length as it is').toString('base64')
    await expect(client({ endpoint, key: wrong }).databases.create({ id: 'other' })).rejects.toMatchObject({
      code: 401,
    })
    expect((await fetch(endpoint)).status).toBe(401)
  })

  it('takes no signature that is old, or of another request', async () => {
    let ahead = 0
    const { endpoint } = await start({ now: () => Date.now() + ahead })
    let headers: Record<string, string> = {}
    const remember = async (context: RequestContext, _: unknown, next: Next<unknown>) => {
      if (context.path === '/dbs') headers = { ...context.headers } as Record<string, string>
      return next(context)
    }
    const plugins = [{ on: PluginOn.request, plugin: remember }]
    await client({ endpoint, key: KEY, plugins } as CosmosClientOptions).databases.create({ id: 'first' })

    const repeat = async (path: string, id: string): Promise<number> => {
      const body = JSON.stringify({ id, partitionKey: { paths: ['/id'] } })
      return (await fetch(new URL(path, endpoint), { method: 'POST', headers, body })).status
    }
    expect(await repeat('dbs', 'second')).toBe(201)
    expect(await repeat('dbs/first/colls', 'third')).toBe(401)
    ahead = 16 * 60_000
    expect(await repeat('dbs', 'fourth')).toBe(401)
  })

  it('takes bearer tokens over https where it is told which', async () => {
    const certificates = dirname(
      createRequire(import.meta.url).resolve('@vercel/cosmosdb-server/package.json'),
    )
    const pem = (name: string) => readFileSync(join(certificates, name), 'utf8')
    const { endpoint } = await start({
      auth: { kind: 'bearer', accepts: (token) => token === 'the token' },
      tls: { cert: pem('cert.pem'), key: pem('key.pem') },
    })
    const { Agent } = await import('node:https')
    const bearing = (token: string) =>
      client({
        endpoint,
        agent: new Agent({ rejectUnauthorized: false }),
        aadCredentials: { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) },
      })
    expect((await bearing('the token').databases.create({ id: 'mine' })).statusCode).toBe(201)
    await expect(bearing('a token').databases.create({ id: 'other' })).rejects.toMatchObject({ code: 401 })
    await expect(
      client({ endpoint, key: KEY, agent: new Agent({ rejectUnauthorized: false }) })
        .database('mine')
        .read(),
    ).rejects.toMatchObject({ code: 401 })
  })
})

describe('time to live', () => {
  it('deletes what has outlived the default of its container, or its own', async () => {
    // It stands still: a second of the machine is none here.
    const startMs = Date.now()
    let ahead = 0
    const { endpoint } = await start({ now: () => startMs + ahead })
    const container = await containerOf(endpoint, 60)
    const seen = async (id: string) => (await container.item(id, 'a').read()).statusCode
    const count = async () => (await container.items.query('SELECT c.id FROM c').fetchAll()).resources.length
    for (const [id, ttl] of [
      ['default', undefined],
      ['short', 10],
      ['long', 100],
      ['ever', -1],
    ] as const) {
      await container.items.create({ id, tenantId: 'a', ...(ttl === undefined ? {} : { ttl }) })
    }
    const states = async () => Promise.all(['default', 'short', 'long', 'ever'].map(seen))
    expect(await states()).toEqual([200, 200, 200, 200])
    ahead = 12_000
    expect(await states()).toEqual([200, 404, 200, 200])
    ahead = 62_000
    expect(await states()).toEqual([404, 404, 200, 200])
    ahead = 102_000
    expect(await states()).toEqual([404, 404, 404, 200])
    expect(await count()).toBe(1)

    // An id whose item has expired is free, and an update starts the time anew.
    const { etag } = await container.items.create({ id: 'short', tenantId: 'a', ttl: 10 })
    ahead = 108_000
    const renewed = { accessCondition: { type: 'IfMatch', condition: etag } }
    await container.item('short', 'a').replace({ id: 'short', tenantId: 'a', ttl: 10 }, renewed)
    ahead = 116_000
    expect(await seen('short')).toBe(200)
    await expect(
      container.item('default', 'a').replace({ id: 'default', tenantId: 'a' }),
    ).rejects.toMatchObject({ code: 404 })
  })

  it('needs a container that has it switched on', async () => {
    let ahead = 0
    const { endpoint } = await start({ now: () => Date.now() + ahead })
    const container = await containerOf(endpoint)
    await container.items.create({ id: 'kept', tenantId: 'a', ttl: 1 })
    ahead = 500_000
    expect((await container.item('kept', 'a').read()).statusCode).toBe(200)
    await expect(container.items.create({ id: 'odd', tenantId: 'a', ttl: 0 })).rejects.toMatchObject({
      code: 400,
    })
  })
})

describe('what is not served', () => {
  it('is refused by name', async () => {
    const { endpoint } = await start()
    const container = await containerOf(endpoint)
    await container.items.create({ id: 'one', tenantId: 'a', n: 1 })
    const refused = async (name: string, work: () => Promise<unknown>): Promise<void> => {
      await expect(work(), name).rejects.toThrow(`does not serve ${name}`)
    }
    const item = container.item('one', 'a')
    await refused('patch', () => item.patch([{ op: 'incr', path: '/n', value: 1 }]))
    await refused('bulk operations', () =>
      container.items.bulk([{ operationType: 'Read', id: 'one', partitionKey: 'a' }]),
    )
    await refused('Patch in a batch', () =>
      container.items.batch(
        [{ operationType: 'Patch', id: 'one', resourceBody: [{ op: 'incr', path: '/n', value: 1 }] }],
        'a',
      ),
    )
    await refused('POST on sprocs', () =>
      container.scripts.storedProcedures.create({ id: 's', body: 'function () {}' }),
    )
    await refused('POST on udfs', () =>
      container.scripts.userDefinedFunctions.create({ id: 'u', body: 'function () {}' }),
    )
    await refused('the change feed', () => container.items.getChangeFeedIterator({}).readNext())
    await refused('DELETE on a container', () => container.delete())
    await refused('containers with uniqueKeyPolicy', () =>
      container.database.containers.create({
        id: 'u',
        partitionKey: '/a',
        uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/b'] }] },
      }),
    )
    expect((await item.read()).resource).toMatchObject({ n: 1 })
  })
})

describe('a kill', () => {
  it(`leaves everything that was acknowledged, ${KILLS} times straight after an answer (SEED=${SEED})`, async () => {
    const random = seeded(SEED)
    const acknowledged = new Map<string, number>()
    // At a port of its own each time: the one of before may be another's meanwhile.
    const launch = () => startPart('host/cosmos/child.ts', '--directory', directory)
    let part = await launch()
    const key = readFileSync(join(directory, 'account-key'), 'utf8')
    expect(statSync(join(directory, 'account-key')).mode & 0o777).toBe(0o600)
    for (let round = 0; round < KILLS; round++) {
      const container = await containerOf(`http://127.0.0.1:${part.port}/`, undefined, key)
      for (const [id, n] of acknowledged) {
        const { resource } = await container.item(id, 'a').read<{ n: number }>()
        expect(resource?.n, `SEED=${SEED} round ${round}: ${id}`).toBe(n)
      }
      const first = Math.floor(random() * 30)
      // Of two writes of one item at once either may be the last.
      const writes = Array.from({ length: 1 + Math.floor(random() * 8) }, async (_, at) => {
        const id = `i${(first + at) % 30}`
        const n = Math.floor(random() * 1e9)
        acknowledged.delete(id)
        await container.items.upsert({ id, tenantId: 'a', n })
        return { id, n }
      })
      for (const { id, n } of await Promise.all(writes)) acknowledged.set(id, n)
      await part.end('SIGKILL')
      part = await launch()
    }
    await part.end('SIGTERM')
    expect(acknowledged.size).toBeGreaterThan(5)
  })
})
