// Who may play what: a genuine token, a session that is neither idle, over nor revoked, its policy, and a place in the count.
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { Client } from '../core/client.ts'
import type { Clock } from '../core/clock.ts'
import { type AssetId, base32, type TenantId } from '../core/ids.ts'
import { lazy } from '../core/lazy.ts'
import { within } from '../core/patience.ts'
import type { Random } from '../core/random.ts'
import { createRecent } from '../core/recent.ts'
import type { Tenant } from '../tenants/model.ts'
import { type Lease, type LeaseAsk, type LeasePurpose, placeOf } from './desks.ts'
import type { Leases, LeaseTerms } from './leases.ts'
import { type PlatformSecret, platformKeyId } from './platform-secret.ts'
import { type CountryOf, letsIn } from './policy.ts'
import type { Session, SessionStore, Slots } from './ports.ts'
import type { Revocations } from './revocations.ts'
import { type SessionClaim, type SigningKey, verifyToken } from './session-token.ts'
import { acquire, endedBy } from './streams.ts'
import { createVerdicts } from './verdicts.ts'

export interface AuthoriseAsk {
  readonly token: string
  readonly client: Client
  readonly purpose: 'image' | LeasePurpose
}

export interface Grant {
  readonly sessionId: string
  readonly tenantId: TenantId
  readonly assetId: AssetId
  readonly allowedOrigins: readonly string[]
  readonly maxResolution?: number
  readonly openedAtMs: number
}

export interface AuthoriseDeps extends LeaseTerms {
  readonly sessions: Pick<SessionStore, 'get' | 'slots'>
  readonly leases: Leases
  readonly revocations: Revocations
  /** Asked for with every new verdict, so it keeps what it knows. */
  readonly tenant: (tenantId: TenantId, isEnough?: (known: Tenant) => boolean) => Promise<Tenant | undefined>
  /** Where an address is, for policies that ask for it and no proxy that tells. */
  readonly countryOf?: CountryOf | undefined
  readonly platformSecret: PlatformSecret
  readonly clock: Clock
  readonly random: Random
}

/** Sessions change by revocation alone, and the feed tells of those: this bounds what a feed may be trusted with. */
export const sessionAgeMs = (terms: LeaseTerms): number => 600_000 + terms.leaseMs + terms.cutOffMs
/** Of what is read to see whether there is a place; the place itself is taken in the store. */
const slotsAgeMs = 1000
const mostSessions = 50_000
/** For a store that answers, and for one that has not answered lately. */
const patience = { ms: 5000, whenAwayMs: 1000 }
/** Every refusal reads the session and the slots, or what stands in for them. */
const readsOfRefusal = 2

/** How many point reads one request has cost so far. */
interface Spent {
  reads: number
  /** Whether the slots were among them, or are what was known of a moment ago. */
  slots: boolean
}

export function createAuthorise(deps: AuthoriseDeps) {
  const { sessions, leases, revocations, clock, random, leaseMs, platformSecret } = deps
  const { now } = leases
  const inTime = <T>(answer: Promise<T>): Promise<T> =>
    within(clock, revocations.isAway() ? patience.whenAwayMs : patience.ms, answer)
  const verdicts = createVerdicts<Grant>({ leases, revocations })
  const isActive = (session: Session | undefined): session is Session =>
    session !== undefined && !session.revokedAt && now() < Date.parse(session.endsAt)
  const known = createRecent<Session | undefined>({
    clock,
    maxAgeMs: sessionAgeMs(deps),
    maxWeight: mostSessions,
    keep: isActive,
  })
  const slotsSeen = createRecent<{ slots: Slots | undefined }>({
    clock,
    maxAgeMs: slotsAgeMs,
    maxWeight: mostSessions,
  })

  const keys = lazy(async (): Promise<{ token: SigningKey; client: KeyObject }> => {
    const [token, client] = await Promise.all([platformSecret('session-token'), platformSecret('client')])
    return {
      token: { keyId: platformKeyId, secret: createSecretKey(token) },
      client: createSecretKey(client),
    }
  })

  const sessionOf = ({ viewerKey, sessionId }: SessionClaim, spent: Spent) =>
    known.get(sessionId, () => {
      spent.reads++
      return inTime(sessions.get(viewerKey, sessionId))
    })
  const slotsOf = async ({ viewerKey }: SessionClaim, spent: Spent): Promise<Slots | undefined> => {
    const read = async () => {
      spent.reads++
      spent.slots = true
      return { slots: await inTime(sessions.slots(viewerKey)) }
    }
    return (await slotsSeen.get(viewerKey, read)).slots
  }

  function prove({ token, client }: AuthoriseAsk, secrets: { token: SigningKey; client: KeyObject }) {
    const hash = createHmac('sha256', secrets.client).update(`${client.network}\0${client.userAgent}`)
    return { claim: verifyToken(token, secrets.token), client: hash.digest('base64url').slice(0, 22) }
  }

  /** As much work as for a session that is there, whatever was wrong. */
  async function refuse(spent: Spent): Promise<undefined> {
    const nobody = base32(random.bytes(36))
    const viewerKey = nobody.slice(0, 16)
    const reads = [
      () => sessions.slots(viewerKey),
      () => sessions.get(viewerKey, `${viewerKey}-${nobody.slice(16)}`),
    ].slice(0, Math.max(0, readsOfRefusal - spent.reads))
    await inTime(Promise.all(reads.map((read) => read())))
  }

  /** Until when a session that was last seen as these say may go on without being seen again; in the past when it is idle. */
  function freshUntilMs(session: Session, claim: SessionClaim, slots: Slots | undefined): number {
    const seenAtMs = Math.max(
      leases.seenAtMs(session.viewerKey, session.id),
      ...(slots?.streams ?? []).filter((one) => one.sessionId === session.id).map((one) => one.seenAtMs),
    )
    const idleAtMs = seenAtMs + session.ttlSeconds * 1000
    return Math.min(Math.max(claim.expiresAtSeconds * 1000, idleAtMs), Date.parse(session.endsAt))
  }

  /** What the tenant says now: it is there and not suspended, and the key that signed the grant was not revoked. */
  async function tenantOf({ tenantId, signingKeyId }: Session): Promise<Tenant | undefined> {
    const keyOf = (tenant: Tenant) => tenant.signingKeys.find(({ id }) => id === signingKeyId)
    // What is known of a tenant may be older than a key that was registered a moment ago.
    const isEnough = (known: Tenant) => signingKeyId === undefined || keyOf(known) !== undefined
    const tenant = await deps.tenant(tenantId, isEnough)
    if (!tenant || tenant.suspendedAt || !isEnough(tenant)) return undefined
    return keyOf(tenant)?.revokedAt ? undefined : tenant
  }

  const isAllowed = ({ policy }: Session, client: Client): Promise<boolean> =>
    letsIn(policy, { client, nowMs: now(), countryOf: deps.countryOf })

  /** Most who find no place are told so by what was read; only who may have one goes on to the store. */
  async function place(ask: LeaseAsk, slots: Slots | undefined, held: Lease | undefined) {
    const time = { nowMs: now(), leaseMs }
    if (!held && !acquire(slots?.streams ?? [], placeOf(ask), time)) return undefined
    const lease = await leases.hold(ask)
    if (lease !== held) slotsSeen.drop(ask.session.viewerKey)
    return lease
  }

  async function judge(ask: AuthoriseAsk, name: string): Promise<Grant | undefined> {
    const { client, purpose } = ask
    const spent: Spent = { reads: 0, slots: false }
    const { claim, client: clientKey } = verdicts.proofOf(name) ?? prove(ask, await keys())
    await revocations.current()
    const epoch = revocations.epoch()
    if (!claim) return refuse(spent)

    const held = leases.find(claim.viewerKey, claim.sessionId, clientKey)
    let [session, slots] = await Promise.all([
      sessionOf(claim, spent),
      held ? undefined : slotsOf(claim, spent),
    ])
    if (!isActive(session)) return refuse(spent)
    const openedAtMs = Date.parse(session.createdAt)
    if (revocations.isOver({ ...claim, openedAtMs }) || endedBy(slots, openedAtMs)) return refuse(spent)
    let untilMs = freshUntilMs(session, claim, slots)
    if (now() >= untilMs && !spent.slots) {
      // Another node may have seen it since.
      slotsSeen.drop(claim.viewerKey)
      slots = await slotsOf(claim, spent)
      untilMs = freshUntilMs(session, claim, slots)
    }
    if (now() >= untilMs) return refuse(spent)

    const tenant = await tenantOf(session)
    if (!tenant || !(await isAllowed(session, client))) return refuse(spent)
    const lease =
      purpose === 'image' ? undefined : await place({ session, client: clientKey, purpose }, slots, held)
    if (purpose !== 'image' && !lease) return refuse(spent)

    const grant: Grant = {
      sessionId: session.id,
      tenantId: session.tenantId,
      assetId: session.assetId,
      allowedOrigins: tenant.allowedOrigins,
      ...(session.policy.maxResolution === undefined ? {} : { maxResolution: session.policy.maxResolution }),
      openedAtMs,
    }
    verdicts.keep(name, {
      grant,
      proof: { claim, client: clientKey },
      lease,
      purpose,
      policy: session.policy,
      untilMs,
      epoch,
    })
    return grant
  }

  return async function authorise(ask: AuthoriseAsk): Promise<Grant | undefined> {
    const name = verdicts.nameOf(ask)
    const known = verdicts.find(name)
    if (known) return known
    const granted = await judge(ask, name)
    if (!granted) verdicts.drop(name)
    return granted
  }
}
