// How a session is opened and revoked: whose it is, how long it lasts, and the token that stands for it.
import { createHmac } from 'node:crypto'
import type { Asset } from '../assets/model.ts'
import { type Clock, isoTime } from '../core/clock.ts'
import { base32, type TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { Random } from '../core/random.ts'
import { type PlatformSecret, platformKeyId } from './platform-secret.ts'
import type { Session, SessionStore } from './ports.ts'
import { mintToken, viewerKeyOf } from './session-token.ts'

const ttlMaxSeconds = 7 * 24 * 3600
const ttlMinSeconds = 4 * 3600
/** The document outlives its session by this, so that clocks that differ never cut one short. */
const graceSeconds = 60

export interface OpenSession {
  readonly tenantId: TenantId
  readonly asset: Pick<Asset, 'id' | 'durationSeconds'>
  /** The tenant's own name for its viewer; kept only as a keyed hash. Without it each session has a viewer of its own. */
  readonly viewer?: string | undefined
  readonly ttlSeconds?: number | undefined
}

export interface OpenedSession {
  readonly sessionId: string
  readonly token: string
  readonly expiresAt: string
}

export interface SessionDeps {
  readonly sessions: SessionStore
  readonly clock: Clock
  readonly random: Random
  readonly platformSecret: PlatformSecret
}

/** The greater of 4 hours and twice the title, at most 7 days. */
export const defaultTtlSeconds = (durationSeconds = 0): number =>
  Math.min(ttlMaxSeconds, Math.max(ttlMinSeconds, Math.ceil(2 * durationSeconds)))

function checkedTtl(ttlSeconds: number): number {
  if (Number.isInteger(ttlSeconds) && ttlSeconds >= 1 && ttlSeconds <= ttlMaxSeconds) return ttlSeconds
  const message = `must be whole seconds from 1 to ${ttlMaxSeconds}`
  throw new Problem('invalid-request', { errors: [{ pointer: '/ttlSeconds', message }] })
}

export function createSessions({ sessions, clock, random, platformSecret }: SessionDeps) {
  async function viewerKey(tenantId: TenantId, viewer: string | undefined, drawn: Random): Promise<string> {
    if (viewer === undefined) return base32(drawn.bytes(16))
    const digest = createHmac('sha256', await platformSecret('viewer'))
      .update(`${tenantId}\0${viewer}`)
      .digest()
    return base32(digest.subarray(0, 16))
  }

  async function ticket(session: Session): Promise<OpenedSession> {
    const expiresAtSeconds = Date.parse(session.createdAt) / 1000 + session.ttlSeconds
    const key = { keyId: platformKeyId, secret: await platformSecret('session-token') }
    const token = mintToken({ sessionId: session.id, expiresAtSeconds }, key)
    return { sessionId: session.id, token, expiresAt: isoTime(expiresAtSeconds * 1000) }
  }

  return {
    /** `drawn` is that of a request with an Idempotency-Key: it draws the same session again. */
    async openSession(request: OpenSession, drawn: Random = random): Promise<OpenedSession> {
      const { tenantId, asset, viewer } = request
      const ttlSeconds = checkedTtl(request.ttlSeconds ?? defaultTtlSeconds(asset.durationSeconds))
      const owner = await viewerKey(tenantId, viewer, drawn)
      const id = `${owner}-${base32(drawn.bytes(20))}`
      const nowSeconds = Math.floor(clock.now() / 1000)
      const session: Session = {
        id,
        viewerKey: owner,
        type: 'session',
        schema: 2,
        tenantId,
        assetId: asset.id,
        createdAt: isoTime(nowSeconds * 1000),
        ttlSeconds,
        endsAt: isoTime((nowSeconds + ttlSeconds) * 1000),
        policy: {},
        ttl: ttlSeconds + graceSeconds,
      }
      if (await sessions.create(session)) return ticket(session)
      const existing = await sessions.get(owner, id)
      if (!existing) throw new Problem('conflict')
      // A default grows with a title that is still being encoded; only a length that was asked for can differ.
      const sameLength = request.ttlSeconds === undefined || existing.ttl === session.ttl
      const same = existing.tenantId === tenantId && existing.assetId === asset.id && sameLength
      if (!same) throw new Problem('idempotency-mismatch')
      return ticket(existing)
    },

    /** Repeatable; another tenant's session is as absent as one that never was. */
    async revokeSession(tenantId: TenantId, sessionId: string): Promise<void> {
      const owner = viewerKeyOf(sessionId)
      if (!owner) throw new Problem('not-found')
      const revokedAt = isoTime(clock.now())
      await sessions.update(owner, sessionId, (current) => {
        if (current.tenantId !== tenantId) throw new Problem('not-found')
        return current.revokedAt ? 'unchanged' : { ...current, revokedAt }
      })
    },
  }
}
