// Several nodes on one real Cosmos server: one secret, one set of keys, one session, and a revocation that reaches all.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AssetDocument } from '../../shared/assets/model.ts'
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { createKek } from '../../shared/azure/vault.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { seededRandom, systemRandom } from '../../shared/core/random.ts'
import { createProtect } from '../../shared/protect/index.ts'
import { TenantDocument } from '../../shared/tenants/model.ts'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { assetId, tenantId } from './ports.ts'

const pace = { clock: systemClock, random: systemRandom }
const asset = { id: assetId, durationSeconds: 60 }
let cosmos: CosmosServer
let directory = ''
let nodes: Array<ReturnType<typeof createProtect>>

beforeAll(async () => {
  cosmos = await startCosmos()
  directory = await mkdtemp(join(tmpdir(), 'movidone-nodes-'))
  nodes = Array.from({ length: 6 }, () => {
    const stores = createCosmosStores(cosmos, {
      ...pace,
      schemas: { asset: AssetDocument, tenant: TenantDocument },
    })
    const kek = createKek({ kind: 'file', path: join(directory, 'kek.pem') }, pace)
    return createProtect({ ...stores, countSession: async () => {}, kek, ...pace, allowedOrigins: async () => [] })
  })
})
afterAll(async () => {
  await cosmos?.stop()
  await rm(directory, { recursive: true, force: true })
})

test('six nodes that start at once make one KEK file, one secret and one set of content keys', async () => {
  const target = { tenantId, assetId, version: 1 }
  const secrets = await Promise.all(nodes.map((node) => node.platformSecret('session-token')))
  expect(new Set(secrets.map((secret) => Buffer.from(secret).toString('hex'))).size).toBe(1)
  const ids = await Promise.all(nodes.map((node) => node.sealer.prepare(target, ['v720', 'audio'])))
  expect(new Set(ids.map((each) => JSON.stringify(each))).size).toBe(1)
  const keys = await Promise.all(nodes.map((node) => node.contentKey(target, ids[0]?.['v720'] ?? '')))
  expect(new Set(keys.map((key) => Buffer.from(key ?? []).toString('hex'))).size).toBe(1)
  expect(keys[0]).toHaveLength(16)
  await nodes[0]?.sealer.forget(assetId)
  expect(await nodes[0]?.contentKey(target, ids[0]?.['v720'] ?? '')).toBeUndefined()
})

test('one Idempotency-Key at six nodes at once opens one session, which all of them grant', async () => {
  const opened = await Promise.all(
    nodes.map(async (node) =>
      node.openSession({ tenantId, asset }, seededRandom(await node.platformSecret('idempotency'), 'key-1')),
    ),
  )
  expect(new Set(opened.map(({ token }) => token)).size).toBe(1)
  const granted = await Promise.all(nodes.map((node) => node.authorise(opened[0]?.token ?? '')))
  expect(granted.map((grant) => grant?.sessionId)).toEqual(nodes.map(() => opened[0]?.sessionId))
})

test('a revocation is effective on every node within 2 s of its answer', async () => {
  const [first, ...others] = nodes
  const { token, sessionId } = await first!.openSession({ tenantId, asset })
  expect(await Promise.all(nodes.map((node) => node.authorise(token)))).not.toContain(undefined)
  await first!.revokeSession(tenantId, sessionId)
  const revokedAtMs = performance.now()
  expect(await first!.authorise(token)).toBeUndefined()
  const lastGrants = await Promise.all(
    others.map(async (node) => {
      let lastMs = 0
      // Asked all the time, as a player does: what is kept must not be prolonged by being used.
      while (performance.now() - revokedAtMs < 2500) {
        if (await node.authorise(token)) lastMs = performance.now() - revokedAtMs
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
      return lastMs
    }),
  )
  expect(Math.max(...lastGrants)).toBeLessThan(2000)
})
