// Which streams this node serves without asking: leases in memory, taken and renewed in one write a viewer, never one a segment.
import type { Clock } from '../core/clock.ts'
import { isUnavailable, within } from '../core/patience.ts'
import { Problem } from '../core/problem.ts'
import {
  createDesks,
  type Desk,
  forget,
  type Lease,
  type LeaseAsk,
  type LeasePurpose,
  nameOf,
  never,
  newLease,
  openedAtMsOf,
  placeOf,
  type Taking,
} from './desks.ts'
import type { SessionStore, Slots } from './ports.ts'
import { acquire, endedBy, isLive, isOf, renew, renewAfterMs, slotsOf } from './streams.ts'

export interface LeaseTerms {
  readonly leaseMs: number
  /** How long known streams go on after their lease when the store can not be reached. */
  readonly cutOffMs: number
}

export interface LeaseDeps extends LeaseTerms {
  readonly sessions: Pick<SessionStore, 'now' | 'changeSlots'>
  readonly clock: Clock
}

/** How long who is known waits for a store that is slow; everybody else waits until it is asked anew. */
const knownPatienceMs = 500
const flightMs = 5000

export type Leases = ReturnType<typeof createLeases>

export function createLeases({ sessions, clock, leaseMs, cutOffMs }: LeaseDeps) {
  const { now } = sessions
  /** The store has not answered lately: nobody who is known waits for it. */
  let away = false

  // Clocks that agree to a second are still not the same: memory is trusted a little less than a lease.
  const trustedMs = leaseMs - leaseMs / 8
  const isTrusted = (lease: Lease, nowMs: number): boolean => nowMs < lease.provenAtMs + trustedMs
  const isOver = (lease: Lease, nowMs: number): boolean => nowMs >= lease.provenAtMs + leaseMs + cutOffMs
  /** What the store was not told of is remembered for as long as it keeps the session open: nobody else has seen it. */
  const isIdle = (lease: Lease, nowMs: number): boolean =>
    isOver(lease, nowMs) &&
    (lease.seenAtMs <= lease.provenAtMs || nowMs >= lease.seenAtMs + lease.place.ttlSeconds * 1000)
  const desks = createDesks((lease) => isIdle(lease, now()))
  const covers = (lease: Lease, purpose: LeasePurpose): boolean => lease.bound || purpose === 'manifest'

  /** Told by the request that finds it old enough; by the timer a little later, where no request comes. */
  function touch(lease: Lease, nowMs: number): void {
    lease.seenAtMs = Math.max(lease.seenAtMs, nowMs)
    const desk = desks.find(lease.viewerKey)
    if (!desk) return
    const afterMs = renewAfterMs(leaseMs, lease.place.ttlSeconds)
    const dueAtMs = lease.provenAtMs + afterMs
    wake(desk, nowMs >= dueAtMs ? nowMs : dueAtMs + afterMs / 2)
  }

  /** The timer of a desk is also the last word of a stream that fell silent: what it has seen is always written. */
  function wake(desk: Desk, atMs: number): void {
    if (atMs >= desk.wakesAtMs) return
    desk.wakesAtMs = atMs
    void clock.wait(Math.max(0, atMs - now())).then(() => {
      if (desk.wakesAtMs !== atMs) return
      desk.wakesAtMs = never
      void write(desk)
    })
  }

  /** Takes what waits and renews what is served, until nobody waits. */
  async function write(desk: Desk): Promise<void> {
    if (desk.writing) return
    desk.writing = true
    do {
      const takings = desk.takings.splice(0)
      try {
        const granted = await change(desk, takings)
        takings.forEach(({ resolve }, n) => {
          resolve(granted[n])
        })
      } catch (error) {
        away ||= isAway(error)
        for (const { reject } of takings) reject(error)
        const nowMs = now()
        for (const lease of desk.leases.values()) if (isIdle(lease, nowMs)) forget(desk, lease)
        const left = [...desk.leases.values()]
        const isPlaying = left.some((lease) => !isOver(lease, nowMs))
        // What was only seen is told half as often as where all is well.
        if (left.length > 0) wake(desk, nowMs + (isPlaying ? leaseMs / 8 : leaseMs))
      }
    } while (desk.takings.length > 0)
    desk.writing = false
  }

  async function change(desk: Desk, takings: readonly Taking[]): Promise<Array<Lease | undefined>> {
    const served = [...desk.leases.values()].filter((lease) => lease.seenAtMs > lease.provenAtMs)
    if (served.length + takings.length === 0) return []
    let granted: boolean[] = []
    let grantedAtMs = 0
    const tenantId = takings[0]?.ask.session.tenantId
    const changing = sessions
      .changeSlots(desk.viewerKey, (current) => {
        const time = { nowMs: now(), leaseMs }
        const before = current?.streams ?? []
        let streams = before
        for (const { place, seenAtMs, openedAtMs } of served)
          if (!endedBy(current, openedAtMs)) streams = renew(streams, { ...place, seenAtMs }, time)
        grantedAtMs = time.nowMs
        granted = takings.map(({ ask }) => {
          const next = endedBy(current, openedAtMsOf(ask)) ? undefined : acquire(streams, placeOf(ask), time)
          streams = next ?? streams
          return next !== undefined
        })
        const owner = current ?? (tenantId && { viewerKey: desk.viewerKey, tenantId })
        if (!owner || streams === before) return 'unchanged'
        return slotsOf(current, owner, { streams, time })
      })
      .catch(unavailable)
    const slots = await within(clock, flightMs, changing)
    away = false
    return learn(desk, slots, { takings, granted, grantedAtMs })
  }

  /** The store's word is what holds: a stream that it does not know, or whose lease it saw end, is forgotten. */
  function learn(
    desk: Desk,
    slots: Slots | undefined,
    {
      takings,
      granted,
      grantedAtMs,
    }: { takings: readonly Taking[]; granted: readonly boolean[]; grantedAtMs: number },
  ): Array<Lease | undefined> {
    const time = { nowMs: now(), leaseMs }
    const taken = takings.map(({ ask }, n) => {
      if (!granted[n]) return undefined
      const name = nameOf(ask.session.id, ask.client)
      const known = desk.leases.get(name)
      const lease = known ?? newLease(ask)
      // Nothing was written where another node had just done so: then it is for this one to remember.
      lease.seenAtMs = Math.max(lease.seenAtMs, grantedAtMs)
      desk.leases.set(name, lease)
      return lease
    })
    for (const lease of [...desk.leases.values()]) {
      const stream = slots?.streams.find((one) => isOf(one, lease.place))
      if (!stream || !isLive(stream, time) || endedBy(slots, lease.openedAtMs)) forget(desk, lease)
      else {
        lease.bound = stream.bound
        lease.provenAtMs = stream.seenAtMs
        lease.seenAtMs = Math.max(lease.seenAtMs, stream.seenAtMs)
        if (lease.seenAtMs > lease.provenAtMs) touch(lease, lease.seenAtMs)
      }
    }
    return taken.map((lease) => (lease?.gone ? undefined : lease))
  }

  function take(desk: Desk, ask: LeaseAsk): Promise<Lease | undefined> {
    const name = `${ask.purpose}\0${nameOf(ask.session.id, ask.client)}`
    let flight = desk.flights.get(name)
    if (!flight) {
      flight = new Promise<Lease | undefined>((resolve, reject) => {
        desk.takings.push({ ask, resolve, reject })
      }).finally(() => desk.flights.delete(name))
      desk.flights.set(name, flight)
      void write(desk)
    }
    return flight
  }

  /** Goes on with a stream that this node may still serve without asking. */
  function use(lease: Lease, purpose: LeasePurpose, nowMs: number): boolean {
    if (lease.gone || !covers(lease, purpose) || !isTrusted(lease, nowMs)) return false
    touch(lease, nowMs)
    return true
  }

  return {
    now,
    use,

    find: (viewerKey: string, sessionId: string, client: string): Lease | undefined =>
      desks.find(viewerKey)?.leases.get(nameOf(sessionId, client)),

    /** When this node last served that session. */
    seenAtMs(viewerKey: string, sessionId: string): number {
      let latestMs = 0
      for (const { place, seenAtMs } of desks.find(viewerKey)?.leases.values() ?? [])
        if (place.sessionId === sessionId) latestMs = Math.max(latestMs, seenAtMs)
      return latestMs
    },

    /** Undefined when there is no place for it; rejects with `unavailable` when nobody can tell. */
    async hold(ask: LeaseAsk): Promise<Lease | undefined> {
      const desk = desks.of(ask.session.viewerKey)
      const known = desk.leases.get(nameOf(ask.session.id, ask.client))
      if (known && use(known, ask.purpose, now())) return known
      const taking = take(desk, ask)
      if (!known) return taking
      try {
        return await within(clock, away ? 0 : knownPatienceMs, taking)
      } catch (error) {
        away ||= isAway(error)
        const goesOn = isUnavailable(error) && covers(known, ask.purpose)
        if (!goesOn || known.gone || isOver(known, now())) throw error
        known.seenAtMs = Math.max(known.seenAtMs, now())
        return known
      }
    },
  }
}

/** The store itself, and not merely one document that too many change. */
const isAway = (error: unknown): boolean =>
  isUnavailable(error) && !(error instanceof Problem && error.options.cause instanceof Problem)

/** Too many who change one viewer's slots at once: they are told to come back, as by a store that is away. */
function unavailable(error: unknown): never {
  if (error instanceof Problem && error.code === 'conflict')
    throw new Problem('unavailable', { cause: error, retryAfterSeconds: 1 })
  throw error
}
