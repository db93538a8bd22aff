// Which sessions were ended before their time: a feed that every node reads every 2 s while somebody plays, and never believes when it is old.
import type { Clock } from '../core/clock.ts'
import { isUnavailable, within } from '../core/patience.ts'
import type { Revocation, RevocationStore } from './ports.ts'

export interface RevocationDeps {
  readonly revocations: RevocationStore
  readonly clock: Clock
  /** By the store's clock. */
  readonly now: () => number
  /** A view that is older than this is none. */
  readonly viewMaxAgeMs: number
  /** What is kept of sessions elsewhere in this process is never older than this. */
  readonly sessionAgeMs: number
}

interface Opened {
  readonly sessionId: string
  readonly viewerKey: string
  readonly openedAtMs: number
}

export type Revocations = ReturnType<typeof createRevocations>

const shard = '0'
const everyMs = 2000
/** A poll that is under way may take this long before requests wait for it. */
const slackMs = 1000
/** For requests that may go by an older view; without any they can only wait, though not for a store that is known to be away. */
const patience = { withViewMs: 500, withoutMs: 5000, whenAwayMs: 1000 }
/** What has no answer by then is asked anew. */
const flightMs = 5000
const asleepAfterMs = 10_000
/** Read again each time, should answers of the store ever come out of order. */
const overlapSeconds = 5

export function createRevocations(deps: RevocationDeps) {
  const { revocations, clock, now, viewMaxAgeMs, sessionAgeMs } = deps
  const endedAtMs = new Map<string, number>()
  let epoch = 0
  let sinceSeconds = 0
  let viewedAtMs = Number.NEGATIVE_INFINITY
  let askedForAtMs = Number.NEGATIVE_INFINITY
  let awake = false
  let away = false
  let flight: Promise<void> | undefined

  const nameOf = ({ kind, subject }: Pick<Revocation, 'kind' | 'subject'>): string => `${kind}\0${subject}`

  function learn(revocation: Revocation): void {
    const name = nameOf(revocation)
    if ((endedAtMs.get(name) ?? 0) >= revocation.atMs) return
    endedAtMs.set(name, revocation.atMs)
    epoch++
  }

  /** Documents themselves say it to whoever reads them later. */
  function forgetOld(): void {
    const oldestMs = now() - lifeMs
    for (const [name, atMs] of endedAtMs) if (atMs < oldestMs) endedAtMs.delete(name)
  }
  const lifeMs = 3_600_000 + sessionAgeMs

  async function read(): Promise<void> {
    const askedAtMs = clock.now()
    const { found, latestSeconds } = await revocations.since(shard, sinceSeconds)
    for (const revocation of found) learn(revocation)
    sinceSeconds = Math.max(0, latestSeconds - overlapSeconds)
    viewedAtMs = askedAtMs
    away = false
    forgetOld()
  }

  /** One at a time; whoever asks while one is under way waits for that one. */
  function poll(): Promise<void> {
    flight ??= within(clock, flightMs, read()).finally(() => {
      flight = undefined
    })
    return flight
  }

  async function stayAwake(): Promise<void> {
    awake = true
    while (clock.now() - askedForAtMs < asleepAfterMs) {
      // A store that is away is asked again two seconds later.
      await poll().catch((error: unknown) => {
        away ||= isUnavailable(error)
      })
      await clock.wait(everyMs)
    }
    awake = false
  }

  /** A clock that was set back makes a view of the future: nobody knows how old that is. */
  const ageMs = (): number => {
    const passedMs = clock.now() - viewedAtMs
    return passedMs < 0 ? Number.POSITIVE_INFINITY : passedMs
  }

  return {
    /** Grows with everything that is learnt. */
    epoch: (): number => epoch,

    /** The store has not answered lately. */
    isAway: (): boolean => away,

    /** Whether the view is young enough to go by without waiting. Keeps the feed awake. */
    isCurrent(): boolean {
      askedForAtMs = clock.now()
      if (!awake) void stayAwake()
      return ageMs() < everyMs + slackMs
    },

    /** Resolves when there is a view to go by; rejects with `unavailable` when there is none. */
    async current(): Promise<void> {
      if (this.isCurrent()) return
      const usable = ageMs() < viewMaxAgeMs
      if (usable && away) return
      try {
        const withoutMs = away ? patience.whenAwayMs : patience.withoutMs
        await within(clock, usable ? patience.withViewMs : withoutMs, poll())
      } catch (error) {
        away ||= isUnavailable(error)
        if (!isUnavailable(error) || ageMs() >= viewMaxAgeMs) throw error
      }
    },

    isOver: ({ sessionId, viewerKey, openedAtMs }: Opened): boolean =>
      endedAtMs.has(nameOf({ kind: 'session', subject: sessionId })) ||
      openedAtMs <= (endedAtMs.get(nameOf({ kind: 'viewer', subject: viewerKey })) ?? 0),

    /** Effective here at once, and wherever somebody plays with the next poll. */
    async add(kind: Revocation['kind'], subject: string): Promise<void> {
      const revocation: Revocation = {
        id: `${kind}-${subject}`,
        shard,
        type: 'revocation',
        schema: 1,
        kind,
        subject,
        atMs: now(),
        ttl: Math.ceil(lifeMs / 1000),
      }
      learn(revocation)
      await revocations.add(revocation)
    },
  }
}
