// Whether a grant counts: every question is asked of every grant, with the same work, and the first that fails is the reason.
import type { Asset } from '../assets/model.ts'
import type { AssetStore } from '../assets/ports.ts'
import { makeId, type TenantId } from '../core/ids.ts'
import type { Random } from '../core/random.ts'
import type { SigningKey, Tenant } from '../tenants/model.ts'
import { GrantClaims, type GrantFault, timeFault } from './grant.ts'
import type { GrantSigner } from './grant-signer.ts'
import { isGenuine, type Jws, readJws } from './jws.ts'
import { nobodysKeys } from './nobodys-keys.ts'
import { type PlatformSecret, platformKeyId } from './platform-secret.ts'
import type { Session, SessionStore, Slots } from './ports.ts'
import { sessionOfGrant } from './session-id.ts'
import { endedBy } from './streams.ts'

export interface JudgeDeps {
  readonly assets: Pick<AssetStore, 'get'>
  readonly sessions: Pick<SessionStore, 'get' | 'slots'>
  readonly signer: Pick<GrantSigner, 'verifyingKey'>
  readonly platformSecret: PlatformSecret
  /** By the clock that revocations are written with. */
  readonly now: () => number
  readonly random: Random
  readonly audience: string
}

export interface GoodGrant {
  readonly claims: GrantClaims
  readonly tenant: Tenant
  readonly asset: Asset
  /** Absent for one that the platform signed. */
  readonly signingKey: SigningKey | undefined
  /** Whether its session is open already. */
  readonly isOpen: boolean
  /** Before anything was looked up. */
  readonly judgedAtMs: number
}

export type Judgement =
  | { readonly fault?: undefined; readonly good: GoodGrant }
  | { readonly fault: GrantFault; readonly hint?: string; readonly good?: undefined }

type FindTenant = (id: TenantId) => Promise<Tenant | undefined>

/** What is verified where there is nothing to verify. */
const blank: Jws = {
  algorithm: 'EdDSA',
  keyId: '',
  payload: {},
  signed: Buffer.alloc(400),
  signature: Buffer.alloc(64, 1),
}

export function createJudge(deps: JudgeDeps) {
  const { assets, sessions, signer, platformSecret, now, random, audience } = deps

  /** Verifies whatever came, with the key that it names or else with nobody's. */
  async function signatureFault(jws: Jws, key: SigningKey | undefined): Promise<GrantFault | undefined> {
    const own = await signer.verifyingKey()
    const named = jws.keyId === platformKeyId ? own : key
    const usable = named !== undefined && !key?.retiredAt && named.algorithm === jws.algorithm
    const nobodys = { algorithm: jws.algorithm, publicKey: nobodysKeys[jws.algorithm] }
    const genuine = isGenuine(jws, usable ? named : nobodys)
    if (usable) return genuine ? undefined : 'wrong-signature'
    if (!named) return 'unknown-key'
    if (key?.revokedAt) return 'revoked-key'
    return key?.retiredAt ? 'retired-key' : 'wrong-algorithm'
  }

  /** Of a grant that is not genuine nothing is looked up: names that nobody has take the place of its own. */
  async function lookUp(trusted: GrantClaims | undefined) {
    const tenantId = trusted?.iss ?? makeId('ten', random)
    const assetId = trusted?.asset ?? makeId('ast', random)
    const jti = trusted?.jti ?? assetId
    const viewer = trusted ? trusted.sub : assetId
    const { viewerKey, sessionId } = await sessionOfGrant(platformSecret, { tenantId, assetId, viewer, jti })
    const [asset, session, slots] = await Promise.all([
      assets.get(tenantId, assetId),
      sessions.get(viewerKey, sessionId),
      sessions.slots(viewerKey),
    ])
    return { asset, session, slots }
  }

  return async function judge(text: string, findTenant: FindTenant): Promise<Judgement> {
    const judgedAtMs = now()
    const read = readJws(text)
    const jws = typeof read === 'string' ? blank : read
    const parsed = GrantClaims.safeParse(jws.payload)
    const claims = parsed.data
    const tenant = await findTenant(claims?.iss ?? makeId('ten', random))
    const signingKey = tenant?.signingKeys.find(({ id }) => id === jws.keyId)
    const forged = await signatureFault(jws, signingKey)

    const trusted = typeof read !== 'string' && tenant && !forged ? claims : undefined
    const { asset, session, slots } = await lookUp(trusted)

    if (typeof read === 'string') return { fault: read }
    if (!claims) return { fault: 'wrong-claims', hint: hintOf(parsed.error) }
    if (!tenant) return { fault: 'wrong-issuer' }
    const fault =
      forged ??
      (claims.aud === audience ? undefined : 'wrong-audience') ??
      // By now the store has answered, which is what sets its clock on a node that has just begun.
      timeFault(claims, now()) ??
      (tenant.suspendedAt ? 'suspended' : undefined) ??
      titleFault(claims, asset) ??
      sessionFault(claims, session, slots)
    if (fault || !asset) return { fault: fault ?? 'unknown-title' }
    return { good: { claims, tenant, asset, signingKey, isOpen: session !== undefined, judgedAtMs } }
  }
}

function titleFault({ iat }: GrantClaims, asset: Asset | undefined): GrantFault | undefined {
  if (!asset || asset.deletedAt) return 'unknown-title'
  if (asset.state === 'failed') return 'failed-title'
  if (!asset.timeline) return 'not-playable-yet'
  return isAfter(iat, asset.sessionsEndedAt) ? undefined : 'title-revoked'
}

function sessionFault(
  { iat }: GrantClaims,
  session: Session | undefined,
  slots: Slots | undefined,
): GrantFault | undefined {
  if (!isAfter(iat, slots?.revokedAt)) return 'viewer-revoked'
  // Its clock may have been ahead: what it opened before the viewer was revoked is over all the same.
  const over = session && (session.revokedAt ?? endedBy(slots, Date.parse(session.createdAt)))
  return over ? 'session-revoked' : undefined
}

/** `iat` counts whole seconds: within the one of the revocation the grant is taken for older. */
const isAfter = (iat: number, at: string | undefined): boolean =>
  at === undefined || iat * 1000 > Date.parse(at)

const hintOf = (
  error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } | undefined,
) =>
  (error?.issues ?? [])
    .map(({ path, message }) => `${['claims', ...path].map(String).join('.')}: ${message}`)
    .join('; ')
