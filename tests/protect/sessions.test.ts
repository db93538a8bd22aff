// Sessions: whose they are, how long they last, what stands over them, and that a repeated request opens one.
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../shared/core/random.ts'
import { assetId, clientOf, otherTenant, tenantId } from './ports.ts'
import { asset, createSessionStage, origins } from './session-stage.ts'

describe('openSession', () => {
  test('gives a token that grants this title to this tenant, and nothing else', async () => {
    const { protect, open, sessions, clock } = createSessionStage()
    const opened = await open({ viewer: 'anna@example.com' })
    const ask = { token: opened.token, client: clientOf(), purpose: 'media' as const }
    expect(await protect.authorise(ask)).toEqual({
      sessionId: opened.sessionId,
      tenantId,
      assetId,
      allowedOrigins: origins,
      openedAtMs: clock.now(),
    })
    expect(opened.token.length).toBeLessThanOrEqual(160)
    expect(opened.token.startsWith(`${opened.sessionId}.`)).toBe(true)
    expect(JSON.stringify([...sessions.all.values(), ...sessions.viewers.values()])).not.toMatch(
      /anna|a player|203\.0\.113/,
    )
  })

  test('one viewer of a tenant always has one key; of another tenant another; nobody in particular one each', async () => {
    const { open } = createSessionStage()
    const keyOf = async (tenant: typeof tenantId, viewer?: string) =>
      (await open({ tenantId: tenant, viewer })).sessionId.slice(0, 16)
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

  test('an hour of idleness is allowed unless told otherwise; what is not from 1 s to 7 days is refused by name', async () => {
    const { open, clock, sessions } = createSessionStage()
    const endOf = async (ttlSeconds?: number) =>
      Date.parse((await open({ ttlSeconds })).expiresAt) - clock.now()
    expect(await endOf()).toBe(3_600_000)
    expect(await endOf(604_800)).toBe(604_800_000)
    const week = 7 * 24 * 3_600_000
    for (const { endsAt, ttl } of sessions.all.values()) {
      expect(Date.parse(endsAt) - clock.now(), 'however active').toBe(week)
      expect(ttl * 1000, 'Cosmos deletes it later').toBeGreaterThan(week)
    }
    for (const ttlSeconds of [0, -1, 604_801, 1.5, Number.NaN])
      await expect(open({ ttlSeconds })).rejects.toMatchObject({
        code: 'invalid-request',
        options: { errors: [{ pointer: '/ttlSeconds' }] },
      })
  })

  test('keeps the policy as it was when it was opened: its own fields over the tenant’s', async () => {
    const { open, sessions, home } = createSessionStage({
      tenant: { policy: { maxStreams: 3, maxResolution: 720, countries: ['FR'] } },
    })
    const { sessionId } = await open({ policy: { maxResolution: 480, countries: null } })
    home.policy = { maxStreams: 1 }
    expect(sessions.all.get(sessionId)?.policy).toEqual({ maxStreams: 3, maxResolution: 480 })
  })

  test('the same Idempotency-Key gives the same session and token, later and at once', async () => {
    const { protect, clock, sessions } = createSessionStage()
    const repeat = async (more: { ttlSeconds?: number; policy?: object } = {}, of = asset) => {
      const random = seededRandom(await protect.platformSecret('idempotency'), 'POST playback key-1')
      return protect.openSession({ tenantId, asset: of, ...more }, random)
    }
    const [first, ...others] = await Promise.all([repeat(), repeat(), repeat()])
    clock.advance(60_000)
    expect([...others, await repeat()]).toEqual([first, first, first])
    expect(sessions.all.size).toBe(1)
    const another = { ...asset, id: 'ast_00000000000000000002' as const }
    const mismatch = { code: 'idempotency-mismatch' }
    await expect(repeat({}, another)).rejects.toMatchObject(mismatch)
    await expect(repeat({ ttlSeconds: 60 })).rejects.toMatchObject(mismatch)
    await expect(repeat({ policy: { maxStreams: 1 } })).rejects.toMatchObject(mismatch)
    expect(await repeat({ ttlSeconds: 3600 })).toEqual(first)
  })
})

describe('a session ends', () => {
  test('in the second that it was made to expire, when nobody plays', async () => {
    const { protect, open, clock } = createSessionStage()
    const { token } = await open({ ttlSeconds: 100 })
    clock.advance(99_999)
    expect(await protect.plays(token, { purpose: 'image' })).toBe(true)
    clock.advance(1)
    expect(await protect.plays(token, { purpose: 'image' })).toBe(false)
  })

  test('seven days after it was opened, however active', async () => {
    const { protect, open, clock } = createSessionStage()
    const { token } = await open({ ttlSeconds: 100_000 })
    for (let hours = 0; hours < 7 * 24; hours += 12) {
      expect(await protect.plays(token), `after ${hours} h`).toBe(true)
      await clock.pass(12 * 3_600_000 - (hours === 6 * 24 + 12 ? 1 : 0))
    }
    expect(await protect.plays(token)).toBe(true)
    await clock.pass(1)
    expect(await protect.plays(token)).toBe(false)
  })

  test('with its document, on a node that has not seen it yet', async () => {
    const { node, open, sessions } = createSessionStage()
    const { token, sessionId } = await open()
    expect(await node().plays(token)).toBe(true)
    sessions.all.delete(sessionId)
    expect(await node().plays(token)).toBe(false)
  })

  test('with its tenant, and while the tenant is suspended', async () => {
    const { node, open, home, protect } = createSessionStage()
    const { token } = await open()
    expect(await node().plays(token)).toBe(true)
    home.suspendedAt = '2030-01-01T00:00:00.000Z'
    expect(await node().plays(token)).toBe(false)
    const gone = await open({ tenantId: 'ten_00000000000000000003' })
    expect(await protect.plays(gone.token)).toBe(false)
  })

  test('with the key that signed its grant, not when that is only retired', async () => {
    const key = {
      ...{ id: 'sig_00000000000000000001' as const, name: 'backend', algorithm: 'EdDSA' as const },
      ...{ publicKey: '', createdAt: '2030-01-01T00:00:00.000Z' },
    }
    const { open, home, node, clock } = createSessionStage({ tenant: { signingKeys: [key] } })
    const nowMs = clock.now()
    const grant = { jti: '1', judgedAtMs: nowMs, expiresAtMs: nowMs + 3_600_000, signingKeyId: key.id }
    const { token } = await open({ grant })
    expect(await node().plays(token)).toBe(true)
    home.signingKeys = [{ ...key, retiredAt: '2030-01-01T00:00:00.000Z' }]
    expect(await node().plays(token)).toBe(true)
    home.signingKeys = [{ ...key, revokedAt: '2030-01-01T00:00:00.000Z' }]
    expect(await node().plays(token)).toBe(false)
    home.signingKeys = []
    expect(await node().plays(token)).toBe(false)
  })
})
