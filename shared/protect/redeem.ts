// How a grant becomes a session: opened once, found again ever after; a player is told yes or no, its tenant is told why.
import type { Client } from '../core/client.ts'
import type { TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { createRecent } from '../core/recent.ts'
import type { Tenant } from '../tenants/model.ts'
import { effectivePolicy } from '../tenants/policy.ts'
import { type GrantFault, grantFaults } from './grant.ts'
import { createJudge, type GoodGrant, type JudgeDeps } from './judge.ts'
import { allows, type CountryOf, letsIn } from './policy.ts'
import type { OpenedSession, OpenSession } from './sessions.ts'

export interface RedeemDeps extends JudgeDeps {
  /** Asked anew for each grant: a key that was revoked a moment ago opens nothing. */
  readonly tenants: { get(id: TenantId): Promise<Tenant | undefined> }
  /** Opens the session of this grant, or finds it. */
  readonly openSession: (ask: OpenSession) => Promise<OpenedSession>
  /** Throws `limit-reached` when the tenant may open no more. */
  readonly countSession: (tenantId: TenantId) => Promise<void>
  readonly countryOf?: CountryOf | undefined
}

export interface RedeemAsk {
  readonly grant: string
  readonly client: Client
  /** False for a preflight, which opens nothing. */
  readonly open: boolean
}

export interface Redeemed {
  readonly token?: string
  readonly allowedOrigins: readonly string[]
}

export interface GrantCheck {
  readonly accepted: boolean
  readonly reason?: GrantFault
  readonly detail: string
}

const nobody: Client = { network: 'unknown', userAgent: '' }
/** Longer than it takes from the look for a session to its making. */
const openingMs = 2000
const mostOpenings = 1000
const acceptedDetail = 'This grant opens a session for every player that its policy lets in.'

export function createRedeem(deps: RedeemDeps) {
  const judge = createJudge(deps)
  // Many who come at once with one grant find no session yet: one of them opens it, and it is counted once.
  const openings = createRecent<string | undefined>({
    clock: { now: deps.now },
    maxAgeMs: openingMs,
    maxWeight: mostOpenings,
  })

  async function open(good: GoodGrant): Promise<string | undefined> {
    const { claims, tenant, asset, signingKey, isOpen, judgedAtMs } = good
    try {
      if (!isOpen) await deps.countSession(tenant.id)
      const { token } = await deps.openSession({
        tenantId: tenant.id,
        asset,
        viewer: claims.sub,
        ttlSeconds: claims.ttl,
        policy: claims.policy,
        grant: {
          jti: claims.jti,
          judgedAtMs,
          expiresAtMs: claims.exp * 1000,
          signingKeyId: signingKey?.id,
        },
      })
      return token
    } catch (error) {
      // A limit of the tenant, or a revocation that came in between: no news for a player.
      if (error instanceof Problem && error.status < 500) return undefined
      throw error
    }
  }

  return {
    async redeem({ grant, client, open: opens }: RedeemAsk): Promise<Redeemed | undefined> {
      const { good } = await judge(grant, (id) => deps.tenants.get(id))
      if (!good) return undefined
      const { tenant, claims } = good
      const policy = effectivePolicy(tenant.policy, claims.policy)
      if (!(await letsIn(policy, { client, nowMs: deps.now(), countryOf: deps.countryOf }))) return undefined
      const { allowedOrigins } = tenant
      if (!opens) return { allowedOrigins }
      const token = await (good.isOpen ? open(good) : openings.get(grant, () => open(good)))
      return token === undefined ? undefined : { token, allowedOrigins }
    },

    /** Of the tenant's own grants alone: another one's is a grant with a wrong issuer. */
    async checkGrant(tenant: Tenant, grant: string): Promise<GrantCheck> {
      const judged = await judge(grant, async (id) => (id === tenant.id ? tenant : undefined))
      if (judged.fault)
        return {
          accepted: false,
          reason: judged.fault,
          detail: [grantFaults[judged.fault], ...(judged.hint ? [judged.hint] : [])].join(' '),
        }
      const { notBefore, notAfter } = effectivePolicy(tenant.policy, judged.good.claims.policy)
      const window = { ...(notBefore && { notBefore }), ...(notAfter && { notAfter }) }
      if (!allows(window, { client: nobody, nowMs: deps.now() }))
        return { accepted: false, reason: 'outside-its-window', detail: grantFaults['outside-its-window'] }
      return { accepted: true, detail: acceptedDetail }
    },
  }
}
