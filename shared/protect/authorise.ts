// Who may play what: a genuine token, a session that is neither over nor revoked, and nothing else.
import type { Clock } from '../core/clock.ts'
import { type AssetId, base32, type TenantId } from '../core/ids.ts'
import type { Random } from '../core/random.ts'
import { createRecent } from '../core/recent.ts'
import { type PlatformSecret, platformKeyId } from './platform-secret.ts'
import type { Session, SessionStore } from './ports.ts'
import { verifyToken } from './session-token.ts'

/** Below the 2 s within which a revocation must be effective, by the time that a slow read may take. */
const sessionAgeMs = 1500

export interface Grant {
  readonly sessionId: string
  readonly tenantId: TenantId
  readonly assetId: AssetId
  readonly allowedOrigins: readonly string[]
  readonly openedAtMs: number
}

export interface AuthoriseDeps {
  readonly sessions: SessionStore
  readonly clock: Clock
  readonly random: Random
  readonly platformSecret: PlatformSecret
  /** Asked for on every request, so it keeps what it knows; undefined for a tenant that is gone. */
  readonly allowedOrigins: (tenantId: TenantId) => Promise<readonly string[] | undefined>
}

export function createAuthorise(deps: AuthoriseDeps) {
  const { sessions, clock, random, platformSecret, allowedOrigins } = deps
  const active = (session: Session | undefined): session is Session =>
    session !== undefined && !session.revokedAt && clock.now() < Date.parse(session.endsAt)
  // Only sessions that are good are kept, so that every refusal costs the same: one HMAC and one point read.
  const known = createRecent<Session | undefined>({
    clock,
    maxAgeMs: sessionAgeMs,
    maxWeight: 50_000,
    keep: active,
  })

  async function authorise({ token }: { token: string }): Promise<Grant | undefined> {
    const key = { keyId: platformKeyId, secret: await platformSecret('session-token') }
    const claim = verifyToken(token, key, Math.floor(clock.now() / 1000))
    if (!claim) {
      const nobody = base32(random.bytes(36))
      await sessions.get(nobody.slice(0, 16), `${nobody.slice(0, 16)}-${nobody.slice(16)}`)
      return undefined
    }
    const { sessionId, viewerKey } = claim
    const session = await known.get(sessionId, () => sessions.get(viewerKey, sessionId))
    if (!active(session)) return undefined
    const { tenantId, assetId } = session
    const allowed = await allowedOrigins(tenantId)
    return (
      allowed && {
        sessionId,
        tenantId,
        assetId,
        allowedOrigins: allowed,
        openedAtMs: Date.parse(session.createdAt),
      }
    )
  }

  return { authorise, forgetSession: (sessionId: string): void => known.drop(sessionId) }
}
