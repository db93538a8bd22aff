// Sessions: whose they are, how long they last, and that they end everywhere when they should.
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../shared/core/random.ts'
import { createProtect } from '../../shared/protect/index.ts'
import { defaultTtlSeconds } from '../../shared/protect/sessions.ts'
import * as ports from './ports.ts'

const { tenantId, otherTenant, assetId } = ports
const asset = { id: assetId, durationSeconds: 60 }
const origins = ['https://www.example.com']

function setUp(shared: { keys?: ReturnType<typeof ports.keyDocuments>; seed?: string } = {}) {
  const sessions = ports.sessionDocuments()
  const clock = ports.settableClock()
  const keys = shared.keys ?? ports.keyDocuments()
  const node = () =>
    createProtect({
      countSession: async () => {},
      keys,
      sessions,
      kek: ports.countingKek().kek,
      clock,
      random: ports.testRandom(shared.seed),
      allowedOrigins: async (id) => (id === tenantId ? origins : undefined),
    })
  return { sessions, clock, keys, node, protect: node() }
}

describe('openSession', () => {
  test('gives a token that grants this title to this tenant, and nothing else', async () => {
    const { protect, sessions } = setUp()
    const opened = await protect.openSession({ tenantId, asset, viewer: 'anna@example.com' })
    expect(await protect.authorise(opened.token)).toEqual({
      sessionId: opened.sessionId,
      tenantId,
      assetId,
      allowedOrigins: origins,
    })
    expect(opened.token.length).toBeLessThanOrEqual(160)
    expect(opened.token.startsWith(`${opened.sessionId}.`)).toBe(true)
    expect(JSON.stringify([...sessions.all.values()])).not.toContain('anna')
  })

  test('one viewer of a tenant always has one key; of another tenant another', async () => {
    const { protect } = setUp()
    const keyOf = async (tenant: typeof tenantId, viewer?: string) =>
      (await protect.openSession({ tenantId: tenant, asset, viewer })).sessionId.slice(0, 16)
    const anna = await keyOf(tenantId, 'anna')
    expect(await keyOf(tenantId, 'anna')).toBe(anna)
    const others = [
      await keyOf(otherTenant, 'anna'),
      await keyOf(tenantId, 'ben'),
      await keyOf(tenantId),
      await keyOf(tenantId),
    ]
    expect(new Set([anna, ...others]).size).toBe(5)
  })

  test('lasts 4 hours or twice the title, at most 7 days; more than that is refused by name', async () => {
    expect([undefined, 0, 7200, 7201.3, 1e7].map((seconds) => defaultTtlSeconds(seconds))).toEqual([
      14_400, 14_400, 14_400, 14_403, 604_800,
    ])
    const { protect, clock } = setUp()
    const { expiresAt } = await protect.openSession({ tenantId, asset, ttlSeconds: 604_800 })
    expect(Date.parse(expiresAt) - clock.now()).toBe(604_800_000)
    for (const ttlSeconds of [0, -1, 604_801, 1.5, Number.NaN])
      await expect(protect.openSession({ tenantId, asset, ttlSeconds })).rejects.toMatchObject({
        code: 'invalid-request',
        options: { errors: [{ pointer: '/ttlSeconds' }] },
      })
  })

  test('the same Idempotency-Key gives the same session and token, later and at once', async () => {
    const { protect, clock, sessions } = setUp()
    const repeat = async (more: { ttlSeconds?: number } = {}, of = asset) => {
      const random = seededRandom(await protect.platformSecret('idempotency'), 'POST playback key-1')
      return protect.openSession({ tenantId, asset: of, ...more }, random)
    }
    const [first, ...others] = await Promise.all([repeat(), repeat(), repeat()])
    clock.advance(60_000)
    expect([...others, await repeat()]).toEqual([first, first, first])
    expect(sessions.all.size).toBe(1)
    expect(await protect.authorise(first?.token ?? '')).toBeDefined()
    const another = { ...asset, id: 'ast_00000000000000000002' as const }
    await expect(repeat({}, another)).rejects.toMatchObject({ code: 'idempotency-mismatch' })
    await expect(repeat({ ttlSeconds: 60 })).rejects.toMatchObject({ code: 'idempotency-mismatch' })
    expect(await repeat({ ttlSeconds: 14_400 }, { ...asset, durationSeconds: 9000 })).toEqual(first)
  })
})

describe('a session ends', () => {
  test('in the second that it was made to expire', async () => {
    const { protect, clock, sessions } = setUp()
    const { token, sessionId } = await protect.openSession({ tenantId, asset, ttlSeconds: 100 })
    clock.advance(99_999)
    expect(await protect.authorise(token)).toBeDefined()
    clock.advance(1)
    expect(await protect.authorise(token)).toBeUndefined()
    expect(sessions.all.get(sessionId)?.ttl, 'Cosmos deletes it later').toBeGreaterThan(100)
  })

  test('by its document alone, on a node that has not seen it yet', async () => {
    const { protect, node, clock, sessions } = setUp()
    const { token, sessionId } = await protect.openSession({ tenantId, asset, ttlSeconds: 100 })
    expect(await node().authorise(token)).toBeDefined()
    const document = sessions.all.get(sessionId)!
    sessions.all.set(sessionId, { ...document, expiresAt: new Date(clock.now()).toISOString() })
    expect(await node().authorise(token)).toBeUndefined()
    sessions.all.delete(sessionId)
    expect(await node().authorise(token)).toBeUndefined()
  })

  test('when it is revoked: here at once, on every other node within 2 s', async () => {
    const { protect, node, clock } = setUp()
    const other = node()
    const { token, sessionId } = await protect.openSession({ tenantId, asset })
    expect(await protect.authorise(token)).toBeDefined()
    expect(await other.authorise(token)).toBeDefined()
    await protect.revokeSession(tenantId, sessionId)
    await protect.revokeSession(tenantId, sessionId)
    expect(await protect.authorise(token)).toBeUndefined()
    expect(await other.authorise(token), 'kept for a moment by design').toBeDefined()
    clock.advance(1999)
    expect(await other.authorise(token)).toBeUndefined()
  })

  test('only by its own tenant: to others it is not there', async () => {
    const { protect, sessions } = setUp()
    const { token, sessionId } = await protect.openSession({ tenantId, asset })
    const unknown = sessionId.replace(/.$/, (c) => (c === '0' ? '1' : '0'))
    for (const [tenant, id] of [
      [otherTenant, sessionId],
      [tenantId, unknown],
      [tenantId, 'nonsense'],
    ] as const)
      await expect(protect.revokeSession(tenant, id)).rejects.toMatchObject({ code: 'not-found' })
    expect(sessions.all.get(sessionId)?.revokedAt).toBeUndefined()
    expect(await protect.authorise(token)).toBeDefined()
  })

  test('with its tenant', async () => {
    const { protect } = setUp()
    const mine = await protect.openSession({ tenantId, asset })
    const theirs = await protect.openSession({ tenantId: otherTenant, asset })
    expect(await protect.authorise(mine.token)).toBeDefined()
    expect(await protect.authorise(theirs.token)).toBeUndefined()
  })
})

describe('a refusal', () => {
  test('costs one read of the store, whatever was wrong', async () => {
    const { protect, sessions, clock } = setUp()
    const good = await protect.openSession({ tenantId, asset })
    const short = await protect.openSession({ tenantId, asset, ttlSeconds: 1 })
    const revoked = await protect.openSession({ tenantId, asset })
    const removed = await protect.openSession({ tenantId, asset })
    for (const { token } of [good, short, revoked, removed])
      expect(await protect.authorise(token)).toBeDefined()
    clock.advance(2000)
    await protect.revokeSession(tenantId, revoked.sessionId)
    sessions.all.delete(removed.sessionId)
    const foreign = await setUp({ seed: 'elsewhere' }).protect.openSession({ tenantId, asset })
    const forged = good.token.replace(/.{43}$/, 'A'.repeat(43))
    const refused = [
      short.token,
      revoked.token,
      removed.token,
      foreign.token,
      forged,
      '',
      'x'.repeat(1 << 20),
    ]
    for (const token of [...refused, ...refused]) {
      sessions.reads.length = 0
      expect(await protect.authorise(token)).toBeUndefined()
      expect([token.slice(0, 60), sessions.reads.length]).toEqual([token.slice(0, 60), 1])
    }
  })

  test('of a forged token never names the session in the store', async () => {
    const { protect, sessions } = setUp()
    const { token, sessionId } = await protect.openSession({ tenantId, asset })
    await protect.authorise(token)
    expect(sessions.reads).toContain(sessionId)
    sessions.reads.length = 0
    await protect.authorise(token.replace(/.{43}$/, 'A'.repeat(43)))
    expect(sessions.reads).not.toContain(sessionId)
  })

  test('a hundred requests of one session at once cost one read', async () => {
    const { protect, sessions } = setUp()
    const { token } = await protect.openSession({ tenantId, asset })
    sessions.reads.length = 0
    const granted = await Promise.all(Array.from({ length: 100 }, () => protect.authorise(token)))
    expect(granted.every(Boolean)).toBe(true)
    expect(sessions.reads).toHaveLength(1)
  })
})
