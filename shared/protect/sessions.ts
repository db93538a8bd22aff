// How a session is opened: whose it is, under which policy, how long it lasts, and the token that stands for it.
import { isDeepStrictEqual } from 'node:util'
import type { Asset } from '../assets/model.ts'
import { isoTime } from '../core/clock.ts'
import { base32, type SigningKeyId, type TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { Random } from '../core/random.ts'
import type { Tenant } from '../tenants/model.ts'
import { effectivePolicy, type Policy } from '../tenants/policy.ts'
import { ttlMaxSeconds } from './grant.ts'
import { type PlatformSecret, platformKeyId } from './platform-secret.ts'
import type { Session, SessionStore } from './ports.ts'
import { sessionOfGrant, viewerKeyOfName } from './session-id.ts'
import { mintToken } from './session-token.ts'

const ttlDefaultSeconds = 3600
/** However active it is. */
const lifeSeconds = 7 * 24 * 3600
/** The document outlives whatever names it, so that a session which was revoked never comes back. */
const spareSeconds = 3600

export interface OpenSession {
  readonly tenantId: TenantId
  readonly asset: Pick<Asset, 'id'>
  /** The tenant's own name for its viewer; kept only as a keyed hash. Without it each session has a viewer of its own. */
  readonly viewer?: string | undefined
  readonly ttlSeconds?: number | undefined
  readonly policy?: Policy | undefined
  /** The grant that opens it, which was found good: it opens this one session, again and again. */
  readonly grant?: SessionGrant | undefined
}

export interface SessionGrant {
  readonly jti: string
  /** When it was looked up whether anything was revoked: what is revoked from then on ends the session. */
  readonly judgedAtMs: number
  readonly expiresAtMs: number
  /** Absent for the platform's own key. */
  readonly signingKeyId?: SigningKeyId | undefined
}

export interface OpenedSession {
  readonly sessionId: string
  readonly token: string
  readonly expiresAt: string
}

export interface SessionDeps {
  readonly sessions: Pick<SessionStore, 'now' | 'create' | 'get'>
  readonly tenant: (tenantId: TenantId) => Promise<Pick<Tenant, 'policy'> | undefined>
  readonly random: Random
  readonly platformSecret: PlatformSecret
  /** Throws `limit-reached` when the tenant may open no more. */
  readonly countSession: (tenantId: TenantId) => Promise<void>
}

function checkedTtl(ttlSeconds: number): number {
  if (Number.isInteger(ttlSeconds) && ttlSeconds >= 1 && ttlSeconds <= ttlMaxSeconds) return ttlSeconds
  const message = `must be whole seconds from 1 to ${ttlMaxSeconds}`
  throw new Problem('invalid-request', { errors: [{ pointer: '/ttlSeconds', message }] })
}

export function createSessions({ sessions, tenant, random, platformSecret, countSession }: SessionDeps) {
  async function nameOf(request: OpenSession, drawn: Random): Promise<{ viewerKey: string; id: string }> {
    const { tenantId, asset, viewer, grant } = request
    if (grant) {
      const of = { tenantId, assetId: asset.id, viewer, jti: grant.jti }
      const { viewerKey, sessionId } = await sessionOfGrant(platformSecret, of)
      return { viewerKey, id: sessionId }
    }
    const viewerKey =
      viewer === undefined
        ? base32(drawn.bytes(16))
        : await viewerKeyOfName(platformSecret, { tenantId, viewer })
    return { viewerKey, id: `${viewerKey}-${base32(drawn.bytes(20))}` }
  }

  async function ticket(session: Session, grant: SessionGrant | undefined): Promise<OpenedSession> {
    // The token of a grant is fresh each time, since the grant says who may come; that of a request is repeated with it.
    const fromMs = grant ? sessions.now() : Date.parse(session.createdAt)
    const endMs = Math.min(fromMs + session.ttlSeconds * 1000, grant?.expiresAtMs ?? Number.POSITIVE_INFINITY)
    const expiresAtSeconds = Math.ceil(endMs / 1000)
    const key = { keyId: platformKeyId, secret: await platformSecret('session-token') }
    const token = mintToken({ sessionId: session.id, expiresAtSeconds }, key)
    return { sessionId: session.id, token, expiresAt: isoTime(expiresAtSeconds * 1000) }
  }

  /** `drawn` is that of a request with an Idempotency-Key: it draws the same session again. */
  return async function openSession(request: OpenSession, drawn: Random = random): Promise<OpenedSession> {
    const { tenantId, asset, grant } = request
    const ttlSeconds = checkedTtl(request.ttlSeconds ?? ttlDefaultSeconds)
    const { viewerKey, id } = await nameOf(request, drawn)
    // A grant's session was looked for and counted where the grant was judged.
    const known = grant ? undefined : await sessions.get(viewerKey, id)
    // The store has answered by now, which is what sets its clock.
    const nowMs = Math.min(sessions.now(), grant?.judgedAtMs ?? Number.POSITIVE_INFINITY)
    const endsAtMs = nowMs + lifeSeconds * 1000
    const lastMs = Math.max(endsAtMs, grant?.expiresAtMs ?? 0)
    const session: Session = {
      id,
      viewerKey,
      type: 'session',
      schema: 2,
      tenantId,
      assetId: asset.id,
      createdAt: isoTime(nowMs),
      ttlSeconds,
      endsAt: isoTime(endsAtMs),
      policy: effectivePolicy((await tenant(tenantId))?.policy, request.policy),
      ...(grant?.signingKeyId === undefined ? {} : { signingKeyId: grant.signingKeyId }),
      ttl: Math.ceil((lastMs - nowMs) / 1000) + spareSeconds,
    }
    if (!known && !grant) await countSession(tenantId)
    if (!known && (await sessions.create(session))) return ticket(session, grant)
    const existing = known ?? (await sessions.get(viewerKey, id))
    if (!existing) throw new Problem('conflict')
    if (grant) {
      // Its id comes from the grant: what it was opened with is what the grant says.
      if (existing.revokedAt) throw new Problem('playback-refused')
      return ticket(existing, grant)
    }
    const { assetId, policy } = session
    const asked = { tenantId, assetId, ttlSeconds, policy }
    const was = {
      tenantId: existing.tenantId,
      assetId: existing.assetId,
      ttlSeconds: existing.ttlSeconds,
      policy: existing.policy,
    }
    if (!isDeepStrictEqual(asked, was)) throw new Problem('idempotency-mismatch')
    return ticket(existing, undefined)
  }
}
