// What this node remembers of each viewer: the streams that it serves, who waits for a place, and when the store is told.
import type { Session } from './ports.ts'
import type { PlaceAsk } from './streams.ts'

export type LeasePurpose = PlaceAsk['purpose']

export interface LeaseAsk {
  readonly session: Session
  readonly client: string
  readonly purpose: LeasePurpose
}

/** A stream that this node serves. */
export interface Lease {
  readonly viewerKey: string
  readonly place: PlaceAsk
  /** The session was. */
  readonly openedAtMs: number
  bound: boolean
  /** As the store knows it: the lease runs from here. */
  provenAtMs: number
  /** As this node knows it. */
  seenAtMs: number
  /** Forgotten: somebody else has the place, or it was revoked. */
  gone: boolean
}

export interface Taking {
  readonly ask: LeaseAsk
  readonly resolve: (lease: Lease | undefined) => void
  readonly reject: (error: unknown) => void
}

/** One viewer's: everything that changes its slots from here goes through one write at a time. */
export interface Desk {
  readonly viewerKey: string
  readonly leases: Map<string, Lease>
  readonly flights: Map<string, Promise<Lease | undefined>>
  takings: Taking[]
  writing: boolean
  wakesAtMs: number
}

export const never = Number.POSITIVE_INFINITY
const sweptAtOnce = 2

export const nameOf = (sessionId: string, client: string): string => `${sessionId}\0${client}`

export const openedAtMsOf = ({ session }: LeaseAsk): number => Date.parse(session.createdAt)

export const placeOf = ({ session, client, purpose }: LeaseAsk): PlaceAsk => ({
  sessionId: session.id,
  assetId: session.assetId,
  client,
  ttlSeconds: session.ttlSeconds,
  purpose,
  maxClients: session.policy.maxClients,
  maxStreams: session.policy.maxStreams,
})

export const newLease = (ask: LeaseAsk): Lease => ({
  viewerKey: ask.session.viewerKey,
  place: placeOf(ask),
  openedAtMs: openedAtMsOf(ask),
  bound: false,
  provenAtMs: 0,
  seenAtMs: 0,
  gone: false,
})

export function forget(desk: Desk, lease: Lease): void {
  lease.gone = true
  desk.leases.delete(nameOf(lease.place.sessionId, lease.place.client))
}

/** `isIdle` tells of a lease that nothing can bring back, and whose session nobody needs to remember. */
export function createDesks(isIdle: (lease: Lease) => boolean) {
  const desks = new Map<string, Desk>()

  const isEmpty = (desk: Desk): boolean =>
    !desk.writing &&
    desk.takings.length === 0 &&
    desk.wakesAtMs === never &&
    [...desk.leases.values()].every(isIdle)

  /** With each viewer that comes, those who came first are looked at: who is gone is forgotten, the others go to the end. */
  function sweep(): void {
    const eldest: Desk[] = []
    for (const desk of desks.values()) if (eldest.push(desk) === sweptAtOnce) break
    for (const desk of eldest) {
      desks.delete(desk.viewerKey)
      if (!isEmpty(desk)) desks.set(desk.viewerKey, desk)
    }
  }

  return {
    find: (viewerKey: string): Desk | undefined => desks.get(viewerKey),

    of(viewerKey: string): Desk {
      const known = desks.get(viewerKey)
      if (known) return known
      sweep()
      const maps = { leases: new Map(), flights: new Map() }
      const desk: Desk = { viewerKey, ...maps, takings: [], writing: false, wakesAtMs: never }
      desks.set(viewerKey, desk)
      return desk
    },
  }
}
