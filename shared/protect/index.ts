// Protect: content keys that never leave in clear, and sessions whose tokens open exactly one title.
import type { Clock } from '../core/clock.ts'
import type { TenantId } from '../core/ids.ts'
import type { Random } from '../core/random.ts'
import { type AuthoriseDeps, createAuthorise } from './authorise.ts'
import { createContentKeys } from './content-keys.ts'
import { segmentIv } from './iv.ts'
import { createPlatformSecret } from './platform-secret.ts'
import type { Kek, KeyStore, SessionStore } from './ports.ts'
import { createSessions } from './sessions.ts'

export interface ProtectDeps {
  readonly keys: KeyStore
  readonly sessions: SessionStore
  readonly kek: Kek
  readonly clock: Clock
  readonly random: Random
  readonly allowedOrigins: AuthoriseDeps['allowedOrigins']
}

export type Protect = ReturnType<typeof createProtect>

export function createProtect(deps: ProtectDeps) {
  const platformSecret = createPlatformSecret(deps)
  const { contentKey, ...sealer } = createContentKeys(deps)
  const { openSession, revokeSession } = createSessions({ ...deps, platformSecret })
  const { authorise, forgetSession } = createAuthorise({ ...deps, platformSecret })
  return {
    platformSecret,
    sealer,
    contentKey,
    segmentIv,
    openSession,
    authorise,
    /** Effective here at once and within 2 s everywhere. */
    async revokeSession(tenantId: TenantId, sessionId: string): Promise<void> {
      await revokeSession(tenantId, sessionId)
      forgetSession(sessionId)
    },
  }
}
