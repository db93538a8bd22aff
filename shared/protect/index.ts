// Protect: content keys that never leave in clear, and sessions whose tokens open exactly one title.
import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import { type AuthoriseDeps, createAuthorise, sessionAgeMs } from './authorise.ts'
import { createContentKeys } from './content-keys.ts'
import { segmentIv } from './iv.ts'
import { createLeases, type LeaseTerms } from './leases.ts'
import { createPlatformSecret } from './platform-secret.ts'
import type { Kek, KeyStore, RevocationStore, SessionStore } from './ports.ts'
import { createRevocations } from './revocations.ts'
import { createRevoke } from './revoke.ts'
import { createSessions, type SessionDeps } from './sessions.ts'

export interface ProtectDeps extends LeaseTerms {
  readonly keys: KeyStore
  readonly sessions: SessionStore
  readonly revocations: RevocationStore
  readonly kek: Kek
  readonly clock: Clock
  readonly random: Random
  readonly tenant: AuthoriseDeps['tenant']
  readonly countSession: SessionDeps['countSession']
  readonly countryOf?: AuthoriseDeps['countryOf']
}

export type Protect = ReturnType<typeof createProtect>

export function createProtect(deps: ProtectDeps) {
  const { now } = deps.sessions
  const platformSecret = createPlatformSecret(deps)
  const { contentKey, ...sealer } = createContentKeys(deps)
  const openSession = createSessions({ ...deps, platformSecret })
  const leases = createLeases(deps)
  const revocations = createRevocations({
    ...deps,
    now,
    viewMaxAgeMs: deps.leaseMs + deps.cutOffMs,
    sessionAgeMs: sessionAgeMs(deps),
  })
  const authorise = createAuthorise({ ...deps, leases, revocations, platformSecret })
  return {
    platformSecret,
    sealer,
    contentKey,
    segmentIv,
    openSession,
    authorise,
    /** By the clock that sessions are opened and ended by. */
    now,
    ...createRevoke({ ...deps, revocations, platformSecret }),
  }
}
