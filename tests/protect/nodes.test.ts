// Several nodes on one real Cosmos server: one secret, one set of keys, one count of streams, whatever their clocks say.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CosmosClient } from '@azure/cosmos'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AssetDocument } from '../../shared/assets/model.ts'
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { createKek } from '../../shared/azure/vault.ts'
import { type Clock, systemClock } from '../../shared/core/clock.ts'
import { isUnavailable } from '../../shared/core/patience.ts'
import { seededRandom, systemRandom } from '../../shared/core/random.ts'
import { createProtect } from '../../shared/protect/index.ts'
import { TenantDocument } from '../../shared/tenants/model.ts'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { sampleTenant } from '../support/documents.ts'
import { assetId, clientOf, tenantId } from './ports.ts'
import { copycat } from './session-stage.ts'

const random = systemRandom
const asset = { id: assetId, durationSeconds: 60 }
let cosmos: CosmosServer
let directory = ''

interface NodeOptions {
  readonly aheadMs?: number
  readonly leaseMs?: number
}

function startNode({ aheadMs = 0, leaseMs = 30_000 }: NodeOptions = {}) {
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs }
  const schemas = { asset: AssetDocument, tenant: TenantDocument }
  const protect = createProtect({
    ...createCosmosStores(cosmos, { clock, random, schemas }),
    kek: createKek({ kind: 'file', path: join(directory, 'kek.pem') }, { clock }),
    ...{ clock, random, leaseMs, cutOffMs: leaseMs },
    tenant: async (id) => sampleTenant({ id }),
    countSession: async () => {},
  })
  /** As players do, who is told to come back comes back: a busy machine says so where its store is slow. */
  const plays = async (token: string, client = clientOf()): Promise<boolean> => {
    try {
      return (await protect.authorise({ token, client, purpose: 'media' })) !== undefined
    } catch (error) {
      if (!isUnavailable(error)) throw error
      return plays(token, client)
    }
  }
  return { ...protect, plays }
}

beforeAll(async () => {
  cosmos = await startCosmos()
  directory = await mkdtemp(join(tmpdir(), 'movidone-nodes-'))
})
afterAll(async () => {
  await cosmos?.stop()
  await rm(directory, { recursive: true, force: true })
})

test('six nodes that start at once make one KEK file, one secret and one set of content keys', async () => {
  const nodes = Array.from({ length: 6 }, () => startNode())
  const target = { tenantId, assetId, version: 1, generation: 0 }
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
  const nodes = Array.from({ length: 6 }, () => startNode())
  const opened = await Promise.all(
    nodes.map(async (node) =>
      node.openSession({ tenantId, asset }, seededRandom(await node.platformSecret('idempotency'), 'key-1')),
    ),
  )
  expect(new Set(opened.map(({ sessionId }) => sessionId)).size).toBe(1)
  expect(await Promise.all(nodes.map((node) => node.plays(opened[0]?.token ?? '')))).not.toContain(false)
})

test('a race of 100 for k places at one node and at six is won by exactly k', async () => {
  const six = Array.from({ length: 6 }, () => startNode())
  for (const nodes of [six.slice(0, 1), six])
    for (const k of [1, 2, 5]) {
      const { token } = await six[0]!.openSession({ tenantId, asset, policy: { maxClients: k } })
      const race = await Promise.all(
        Array.from({ length: 100 }, (_, n) => nodes[n % nodes.length]!.plays(token, clientOf(`client ${n}`))),
      )
      expect([nodes.length, race.filter(Boolean).length]).toEqual([nodes.length, k])
    }
})

describe('clocks that are 40 s wrong let nobody in beside who plays, and keep nobody out', () => {
  const leaseMs = 4000
  // What a second of HTTP tells of a clock is all that they may differ by.
  const trustedMs = leaseMs - 1500

  /** What happened, and for how long it was silent at most on the way: for a lease, and the place may be another's. */
  async function play(aheadMs: number) {
    // Each as it is on its first request: nothing has told it the time yet.
    const skews = [0, 40_000, -40_000].map((skew) => ({ aheadMs: skew, leaseMs }))
    const originals = [startNode({ aheadMs, leaseMs }), ...skews.map(startNode)]
    const copies = skews.map(startNode)
    const { token } = await originals[0]!.openSession({ tenantId, asset, ttlSeconds: 10 })
    const rounds: boolean[][] = []
    let silentMs = 0
    let saidMs = performance.now()
    const passed = () => {
      silentMs = Math.max(silentMs, performance.now() - saidMs)
    }
    for (let n = 0; n < 12; n++) {
      passed()
      saidMs = performance.now()
      const original = await originals[n % originals.length]!.plays(token)
      const got = await Promise.all(copies.map((node) => node.plays(token, copycat)))
      passed()
      rounds.push([original, ...got])
      await sleep(500)
    }
    saidMs = performance.now()
    await sleep(leaseMs + 1000)
    const raceMs = performance.now()
    const race = await Promise.all(copies.map((node, n) => node.plays(token, clientOf(`copy ${n}`))))
    const wonMs = performance.now() - raceMs
    return { rounds, race, wasHeldUp: silentMs > trustedMs || wonMs > trustedMs || raceMs - saidMs > 9000 }
  }

  test.concurrent.each([0, 40_000, -40_000])('opened %i ms ahead', async (aheadMs) => {
    let played = await play(aheadMs)
    while (played.wasHeldUp) played = await play(aheadMs)
    expect(played.rounds).toEqual(Array(12).fill([true, false, false, false]))
    expect(played.race.filter(Boolean), 'then one of them has it').toHaveLength(1)
  })
})

test('a session of a former version that still lies in the store is gone, not an error', async () => {
  const node = startNode()
  const { token, sessionId } = await node.openSession({ tenantId, asset })
  const client = new CosmosClient({ endpoint: cosmos.endpoint, key: cosmos.key })
  const item = client.database(cosmos.database).container('sessions').item(sessionId, sessionId.slice(0, 16))
  const { resource } = await item.read()
  expect(await startNode().plays(token)).toBe(true)
  const { endsAt, policy: _, ttlSeconds: __, ...rest } = resource
  await item.replace({ ...rest, schema: 1, expiresAt: endsAt })
  client.dispose()
  expect(await startNode().plays(token)).toBe(false)
  await expect(node.revokeSession(tenantId, sessionId)).rejects.toMatchObject({ code: 'not-found' })
})
