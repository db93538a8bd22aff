// Grants: which open a session and which do not, that a refusal costs the same whatever was wrong, and what its tenant is told.
import * as crypto from 'node:crypto'
import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { Problem } from '../../shared/core/problem.ts'
import { grantFaults } from '../../shared/protect/grant.ts'
import type { Session } from '../../shared/protect/ports.ts'
import { createGrantStage, type GrantStage } from './grant-stage.ts'
import { assetId, clientOf, otherTenant, tenantId } from './ports.ts'
import { algorithms, makeSigner, signGrant } from './signers.ts'

vi.mock('node:crypto', async (original) => {
  const actual = await original<typeof crypto>()
  return { ...actual, verify: vi.fn(actual.verify) }
})
const verify = vi.mocked(crypto.verify)

let stage: GrantStage
beforeEach(async () => {
  stage = await createGrantStage()
})
const idOf = (token = '') => token.split('.')[0] ?? ''
const seconds = () => stage.clock.now() / 1000

describe('a good grant', () => {
  test.each(algorithms)('of %s opens a session with what it says', async (algorithm) => {
    const policy = { maxStreams: 2, networks: ['203.0.113.0/24'] }
    const client = { ...clientOf(), address: '203.0.113.7' }
    const signer = stage.signers[algorithm]
    const grant = stage.grant(signer, { sub: 'anna', ttl: 60, policy, nbf: seconds() - 5 })
    const redeemed = await stage.redeem(grant, { client })
    expect(redeemed?.allowedOrigins).toEqual(['https://www.example.com'])
    const [session] = [...stage.sessions.all.values()]
    expect(session).toMatchObject({ tenantId, assetId, ttlSeconds: 60, policy, signingKeyId: signer.key.id })
    expect(idOf(redeemed?.token)).toBe(session?.id)
    expect(JSON.stringify(session)).not.toContain('anna')
  })

  test('opens one session, however often it is used, at once or later, with a token that is fresh', async () => {
    const grant = stage.grant(stage.signers.EdDSA, { ttl: 600 })
    const many = await Promise.all(Array.from({ length: 20 }, () => stage.redeem(grant)))
    stage.clock.advance(60_000)
    const later = await stage.redeem(grant)
    expect(new Set([...many, later].map((one) => idOf(one?.token))).size).toBe(1)
    expect(stage.sessions.all.size).toBe(1)
    expect(later?.token).not.toBe(many[0]?.token)
  })

  test('of another `jti`, viewer or tenant opens another one', async () => {
    const grants = [{}, { jti: 'visit-2' }, { sub: 'anna' }, { sub: 'ben' }].map((changes) =>
      stage.grant(stage.signers.EdDSA, changes),
    )
    const tokens = await Promise.all(grants.map((grant) => stage.redeem(grant)))
    expect(new Set(tokens.map((one) => idOf(one?.token))).size).toBe(4)
    expect(new Set(tokens.map((one) => idOf(one?.token).slice(0, 16))).size).toBe(4)
  })

  test('counts as a session once, however many come with it at once', async () => {
    const grant = stage.grant()
    const many = await Promise.all(Array.from({ length: 20 }, () => stage.redeem(grant)))
    expect(new Set(many.map((one) => idOf(one?.token))).size).toBe(1)
    await stage.redeem(stage.grant())
    expect(stage.calls.counted).toBe(1)
    await stage.redeem(stage.grant(stage.signers.EdDSA, { jti: 'visit-2' }))
    expect(stage.calls.counted).toBe(2)
  })

  test('opens nothing when it is only asked for, but tells who may read the answer', async () => {
    const asked = await stage.redeem(stage.grant(), { open: false })
    expect(asked).toEqual({ allowedOrigins: ['https://www.example.com'] })
    expect(stage.sessions.all.size).toBe(0)
    expect(await stage.redeem('e30.e30.c2ln', { open: false })).toBeUndefined()
  })

  test('is good from 60 s before its `iat` and 10 s before its `nbf`, and never at its `exp`', async () => {
    const at = (changes: Record<string, number>) => stage.check(stage.grant(stage.signers.EdDSA, changes))
    const now = seconds()
    expect(await at({ iat: now + 60 })).toMatchObject({ accepted: true })
    expect(await at({ iat: now + 61 })).toMatchObject({ reason: 'issued-in-the-future' })
    expect(await at({ nbf: now + 10 })).toMatchObject({ accepted: true })
    expect(await at({ nbf: now + 11 })).toMatchObject({ reason: 'not-yet' })
    expect(await at({ iat: now - 10, exp: now + 1 })).toMatchObject({ accepted: true })
    expect(await at({ iat: now - 10, exp: now })).toMatchObject({ reason: 'expired' })
    expect(await at({ exp: now + 7 * 86_400 })).toMatchObject({ accepted: true })
    expect(await at({ exp: now + 7 * 86_400 + 1 })).toMatchObject({ reason: 'wrong-times' })
  })

  test('is over at its `exp` also for a node that has just begun, with a clock that is late', async () => {
    const late = await createGrantStage({ behindMs: 3_600_000 })
    const now = late.clock.now() / 1000
    const grant = (jti: string, exp: number) => late.grant(late.signers.EdDSA, { jti, iat: now - 4000, exp })
    expect(await late.redeem(grant('over', now - 60))).toBeUndefined()
    expect(await late.redeem(grant('good', now + 60))).toBeDefined()
    expect(late.sessions.all.size).toBe(1)
  })

  test('of the platform is good like those of tenants', async () => {
    const minted = await stage.grants.mint({
      tenantId,
      assetId,
      jti: 'ours',
      expiresInSeconds: 60,
      viewer: 'anna',
      ttlSeconds: 30,
      policy: { maxResolution: 720 },
    })
    expect(minted.expiresAtMs).toBe(stage.clock.now() + 60_000)
    expect((await stage.redeem(minted.grant))?.token).toBeDefined()
    const [session] = [...stage.sessions.all.values()] as [Session]
    expect(session).toMatchObject({ ttlSeconds: 30, policy: { maxResolution: 720 } })
    expect(session.signingKeyId).toBeUndefined()
    const long = { tenantId, assetId, jti: 'x', expiresInSeconds: 1, viewer: '𝄞'.repeat(1500) }
    await expect(stage.grants.mint(long)).rejects.toMatchObject({ code: 'too-large' })
  })

  test('has a second signature under ES256, as ECDSA has, and opens the same session with either', async () => {
    const grant = stage.grant(stage.signers.ES256)
    const signature = Buffer.from(grant.split('.')[2] ?? '', 'base64url')
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
    const s = BigInt(`0x${signature.subarray(32).toString('hex')}`)
    const other = Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex')
    const twin = `${grant.slice(0, grant.lastIndexOf('.'))}.${Buffer.concat([signature.subarray(0, 32), other]).toString('base64url')}`
    expect(twin).not.toBe(grant)
    expect(idOf((await stage.redeem(twin))?.token)).toBe(idOf((await stage.redeem(grant))?.token))
  })
})

/** Each makes a grant that is refused for the one reason of its name; the stage is its own. */
const refusals: Record<string, (stage: GrantStage) => string | Promise<string>> = {
  'too-long': ({ grant, signers }) => grant(signers.EdDSA, { sub: 'a'.repeat(5000) }),
  'not-a-jws': ({ grant }) => `${grant()}=`,
  'wrong-header': ({ claims, signers: { EdDSA } }) =>
    signGrant({ alg: 'EdDSA', kid: EdDSA.key.id, crit: ['exp'] }, claims(), EdDSA),
  'wrong-claims': ({ grant, signers }) => grant(signers.EdDSA, { admin: true }),
  'wrong-issuer': ({ grant, signers }) => grant(signers.EdDSA, { iss: 'ten_00000000000000000009' }),
  'unknown-key': ({ claims, signers, foreign }) =>
    signGrant({ alg: 'EdDSA', kid: foreign.EdDSA.key.id }, claims(), signers.EdDSA),
  'wrong-algorithm': ({ claims, signers }) =>
    signGrant({ alg: 'ES256', kid: signers.EdDSA.key.id }, claims(), signers.ES256),
  'wrong-signature': ({ claims, signers }) =>
    signGrant({ alg: 'EdDSA', kid: signers.EdDSA.key.id }, claims(), makeSigner('EdDSA')),
  'wrong-audience': ({ grant, signers }) => grant(signers.EdDSA, { aud: 'elsewhere' }),
  'wrong-times': ({ grant, signers, clock }) =>
    grant(signers.EdDSA, { exp: clock.now() / 1000 + 8 * 86_400 }),
  'issued-in-the-future': ({ grant, signers, clock }) =>
    grant(signers.EdDSA, { iat: clock.now() / 1000 + 3000 }),
  'not-yet': ({ grant, signers, clock }) => grant(signers.EdDSA, { nbf: clock.now() / 1000 + 60 }),
  expired: ({ grant, signers, clock }) => {
    const now = clock.now() / 1000
    return grant(signers.EdDSA, { iat: now - 60, exp: now })
  },
  'retired-key': ({ grant, signers, changeTenant }) => {
    const retiredAt = '2029-12-31T00:00:00.000Z'
    changeTenant({ signingKeys: Object.values(signers).map(({ key }) => ({ ...key, retiredAt })) })
    return grant()
  },
  'revoked-key': ({ grant, signers, changeTenant }) => {
    const at = '2029-12-31T00:00:00.000Z'
    const ended = { retiredAt: at, revokedAt: at }
    changeTenant({ signingKeys: Object.values(signers).map(({ key }) => ({ ...key, ...ended })) })
    return grant()
  },
  suspended: ({ grant, changeTenant, clock }) => {
    changeTenant({ suspendedAt: new Date(clock.now()).toISOString() })
    return grant()
  },
  'unknown-title': ({ grant, signers }) => grant(signers.EdDSA, { asset: 'ast_00000000000000000009' }),
  'failed-title': ({ grant, changeAsset }) => {
    changeAsset({ state: 'failed' })
    return grant()
  },
  'not-playable-yet': ({ grant, changeAsset }) => {
    changeAsset({ state: 'encoding', timeline: undefined })
    return grant()
  },
  'title-revoked': ({ grant, changeAsset, clock }) => {
    changeAsset({ sessionsEndedAt: new Date(clock.now()).toISOString() })
    return grant()
  },
  'viewer-revoked': async ({ grant, redeem, sessions, signers, clock }) => {
    const anna = grant(signers.EdDSA, { sub: 'anna' })
    const viewerKey = idOf((await redeem(anna))?.token).slice(0, 16)
    await revokeViewer(sessions, viewerKey, clock.now() + 10)
    return anna
  },
  'session-revoked': async ({ grant, redeem, sessions, clock }) => {
    const id = idOf((await redeem(grant()))?.token)
    const revokedAt = new Date(clock.now()).toISOString()
    await sessions.update(id.slice(0, 16), id, (session) => ({ ...session, revokedAt }))
    return grant()
  },
}

const revokeViewer = (sessions: GrantStage['sessions'], viewerKey: string, atMs: number) =>
  sessions.changeSlots(viewerKey, () => ({
    id: 'slots',
    viewerKey,
    type: 'slots',
    schema: 1,
    tenantId,
    streams: [],
    seenAtMs: 0,
    revokedAt: new Date(atMs).toISOString(),
    ttl: 3600,
  }))

/** Refused by what the request is, or by what the tenant may; there is no word for these at `check`. */
const others: Record<string, (stage: GrantStage) => string> = {
  'a policy that this client does not meet': ({ grant, signers }) =>
    grant(signers.EdDSA, { policy: { countries: ['FR'] } }),
  'a default of the tenant that this client does not meet': ({ grant, changeTenant }) => {
    changeTenant({ policy: { referrers: ['https://www.example.com'] } })
    return grant()
  },
  'a policy whose time is over': ({ grant, signers }) =>
    grant(signers.EdDSA, { policy: { notAfter: '2029-01-01T00:00:00Z' } }),
  'no grant at all': () => '',
  'a megabyte': () => 'a.'.repeat(1 << 19),
  'a grant of another tenant’s title': ({ grant, foreign }) => grant(foreign.EdDSA, { iss: otherTenant }),
}

describe('a refusal', () => {
  test.each(Object.entries({ ...refusals, ...others }))(
    '%s costs one tenant, one signature, one title, one session and its slots, and writes nothing',
    async (_, make) => {
      expect((await stage.redeem(stage.grant(stage.signers.EdDSA, { jti: 'good' })))?.token).toBeDefined()
      const grant = await make(stage)
      const written = JSON.stringify([[...stage.sessions.all], [...stage.sessions.viewers]])
      for (const list of [stage.calls.tenants, stage.calls.assets, stage.sessions.reads]) list.length = 0
      stage.calls.counted = 0
      verify.mockClear()
      expect(await stage.redeem(grant)).toBeUndefined()
      expect([verify.mock.calls.length, stage.calls.tenants.length, stage.calls.assets.length]).toEqual([
        1, 1, 1,
      ])
      expect(stage.sessions.reads.toSorted()).toEqual([
        expect.stringMatching(/^.{16}$/),
        expect.stringMatching(/^.{16}-.{20}$/),
      ])
      expect(stage.calls.counted).toBe(0)
      expect(JSON.stringify([[...stage.sessions.all], [...stage.sessions.viewers]])).toBe(written)
    },
  )

  test('of a grant that is not genuine looks nothing up that it names', async () => {
    const grant = await refusals['wrong-signature']!(stage)
    expect((await stage.redeem(stage.grant()))?.token).toBeDefined()
    expect(stage.calls.assets).toEqual([assetId])
    stage.calls.assets.length = 0
    await stage.redeem(grant)
    expect(stage.calls.assets).not.toContain(assetId)
  })

  test('by a limit of the tenant is no news for a player; by a store that is away it is no refusal', async () => {
    const [first, second, third] = ['a', 'b', 'c'].map((jti) => stage.grant(stage.signers.EdDSA, { jti }))
    expect((await stage.redeem(first!))?.token).toBeDefined()
    stage.refuse.session = new Problem('limit-reached')
    expect(await stage.redeem(second!)).toBeUndefined()
    expect((await stage.redeem(first!))?.token, 'it is open already').toBeDefined()
    stage.refuse.session = new Problem('unavailable')
    await expect(stage.redeem(third!)).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('a revocation that comes while a grant is redeemed', () => {
  test('ends the session all the same', async () => {
    const redeeming = stage.redeem(stage.grant(stage.signers.EdDSA, { sub: 'anna' }))
    const judgedAtMs = stage.clock.now()
    stage.clock.advance(500)
    const viewerKey = idOf((await redeeming)?.token).slice(0, 16)
    const [session] = [...stage.sessions.all.values()] as [Session]
    expect(session.viewerKey).toBe(viewerKey)
    // Whatever was opened at or before the moment of a revocation is over.
    expect(Date.parse(session.createdAt)).toBe(judgedAtMs)
  })
})

describe('its tenant is told', () => {
  test.each(Object.entries(refusals))('%s, and a sentence that says what to do', async (reason, make) => {
    expect(await stage.check(stage.grant())).toEqual({ accepted: true, detail: expect.any(String) })
    const told = await stage.check(await make(stage))
    expect(told).toMatchObject({ accepted: false, reason })
    expect(told.detail).toMatch(/^[A-Z`].{20,}/)
  })

  test('every reason there is, and the docs list them', () => {
    const page = readFileSync('docs/2-grants.md', 'utf8')
    expect(Object.keys(grantFaults).filter((reason) => !page.includes(`\`${reason}\``))).toEqual([])
    const told = [...Object.keys(refusals), 'outside-its-window']
    expect(told.toSorted()).toEqual(Object.keys(grantFaults).toSorted())
  })

  test('which claim is wrong, and that the window of a policy is not now', async () => {
    const wrong = await stage.check(stage.grant(stage.signers.EdDSA, { iat: 'now', admin: true }))
    expect(wrong.detail).toMatch(/claims\.iat: .*claims: .*admin/s)
    const over = { policy: { notAfter: '2029-01-01T00:00:00Z' } }
    expect(await stage.check(stage.grant(stage.signers.EdDSA, over))).toMatchObject({
      reason: 'outside-its-window',
    })
  })

  test('nothing of another tenant’s grant but that the issuer is wrong', async () => {
    const theirs = stage.grant(stage.foreign.EdDSA, { iss: otherTenant })
    expect(await stage.check(theirs)).toMatchObject({ reason: 'wrong-issuer' })
    expect(stage.calls.tenants).toEqual([])
  })
})
