// Killed at any moment, an app leaves no change without its entry in the audit, and no count that is not what there is.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { CosmosClient } from '@azure/cosmos'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Asset, AssetDocument, keptOf } from '../../shared/assets/model.ts'
import { type CosmosStores, createCosmosStores } from '../../shared/azure/cosmos.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { systemRandom } from '../../shared/core/random.ts'
import { makeApiKey } from '../../shared/tenants/api-key.ts'
import { TenantDocument } from '../../shared/tenants/model.ts'
import type { AuditEntry } from '../../shared/tenants/ports.ts'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { newTenantId } from '../support/documents.ts'
import { seeded } from '../support/seeded.ts'

const lives = 4
const program = fileURLToPath(new URL('../support/busy-tenant.ts', import.meta.url))
const tenantId = newTenantId()
let server: CosmosServer
let stores: CosmosStores
let client: CosmosClient
let folder: string

beforeAll(async () => {
  server = await startCosmos()
  folder = await mkdtemp(join(tmpdir(), 'movidone-busy-'))
  const schemas = { asset: AssetDocument, tenant: TenantDocument }
  stores = createCosmosStores(server, { clock: systemClock, random: systemRandom, schemas })
  client = new CosmosClient({ ...server, connectionPolicy: { enableEndpointDiscovery: false } })
})
afterAll(async () => {
  client?.dispose()
  await server?.stop()
  await rm(folder, { recursive: true, force: true })
})

function begin(): ChildProcess {
  const env = {
    BLOB_URL: 'http://127.0.0.1:1/movidone',
    BLOB_ACCOUNT: 'movidone',
    BLOB_KEY: Buffer.alloc(64).toString('base64'),
    COSMOS_ENDPOINT: server.endpoint,
    COSMOS_KEY: server.key,
    COSMOS_DATABASE: server.database,
    KEK_FILE: join(folder, 'kek.pem'),
    ADMIN_KEY: 'an-admin-key-for-these-tests',
    LOCAL_TENANT_ID: tenantId,
    LOCAL_TENANT_KEY: apiKey,
    TENANT_REQUESTS_PER_SECOND: '10000',
  }
  return spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] })
}
const apiKey = makeApiKey(tenantId, systemRandom).text

async function working(child: ChildProcess): Promise<void> {
  if (!child.stdout) throw new Error('the child has no output')
  for await (const line of createInterface({ input: child.stdout })) if (line === 'working') return
  throw new Error('the tenant ended before it worked')
}

async function entries(): Promise<AuditEntry[]> {
  const found: AuditEntry[] = []
  let cursor: string | undefined
  do {
    const page = await stores.audit.list(tenantId, { cursor, limit: 100 })
    found.push(...page.items)
    cursor = page.cursor
  } while (cursor)
  return found
}

/** All titles and what is counted of them at one moment: what a node had asked for when it died may still be on its way. */
async function titlesAndUsage() {
  for (let before = await titles(); ; ) {
    const usage = await stores.usage.read(tenantId)
    const after = await titles()
    if (isDeepStrictEqual(before, after)) return { all: after, usage }
    before = after
  }
}

async function titles(): Promise<Asset[]> {
  const query = {
    query: 'SELECT * FROM c WHERE c.type = @type',
    parameters: [{ name: '@type', value: 'asset' }],
  }
  const container = client.database(server.database).container('assets')
  return (await container.items.query<Asset>(query, { partitionKey: tenantId }).fetchAll()).resources
}

test('killed again and again', async () => {
  const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1e9)
  console.log(`KILL_SEED=${seed}`)
  const random = seeded(seed)
  let before = 0
  for (let life = 0; life < lives; life++) {
    const child = begin()
    const ended = once(child, 'exit')
    await working(child)
    await sleep(random() * 400)
    child.kill('SIGKILL')
    expect(await ended).toEqual([null, 'SIGKILL'])

    const { all, usage } = await titlesAndUsage()
    const audit = await entries()
    expect(all.length).toBeGreaterThan(before)
    before = all.length
    // What is counted is what there is.
    const sum = all.map(keptOf).reduce((a, b) => ({ titles: a.titles + b.titles, bytes: a.bytes + b.bytes }))
    expect(usage).toMatchObject(sum)
    // Every removal and every key that was retired has its entry; every title, or one that was cut off stands for it.
    const told = (action: string, param: string) =>
      new Set(audit.filter((entry) => entry.action === action).map(({ params }) => params[param]))
    const removals = told('assets-delete', 'assetId')
    expect(all.filter(({ id, deletedAt }) => deletedAt && !removals.has(id))).toEqual([])
    const retirements = told('tenants-keys-retire', 'keyId')
    const keys = (await stores.tenants.get(tenantId))?.keys ?? []
    expect(keys.filter(({ id, retiredAt }) => retiredAt && !retirements.has(id))).toEqual([])
    const made = new Set(audit.map(({ outcome }) => outcome?.made))
    const cutOff = (action: string) =>
      audit.filter((entry) => entry.action === action && !entry.outcome).length
    const untold = all.filter(({ id }) => !made.has(id)).length
    expect(untold).toBeLessThanOrEqual(cutOff('upload-create'))
    const untoldKeys = keys.filter(({ id, name }) => name === 'k' && !made.has(id)).length
    expect(untoldKeys).toBeLessThanOrEqual(cutOff('tenants-keys-add'))
  }
  // A kill that never hit between an entry and its outcome would have shown nothing.
  expect((await entries()).filter(({ outcome }) => !outcome).length).toBeGreaterThan(0)
})
