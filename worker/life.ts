// A worker's life as a node of the fleet: makes itself known, beats, obeys what its document says, and falls silent in time.
import type { Clock } from '../shared/core/clock.ts'
import type { Log } from '../shared/core/log.ts'
import type { Random } from '../shared/core/random.ts'
import { type Boot, makeBoot } from './boot.ts'
import type { Load, Role } from './role.ts'
import { isWokenAnew, type NodeDocument, stricter, type Wish, wishOf } from './wish.ts'

/** What became of the node's document; undefined where there is none. Both may be repeated, and reject while nobody answers. */
export interface Fleet {
  register(
    node: string,
    boot: { id: string; sha256: string; version: string; address?: string },
  ): Promise<NodeDocument | undefined>
  beat(
    node: string,
    bootId: string,
    beat: { holds: readonly string[]; load: Load },
  ): Promise<NodeDocument | undefined>
}

export interface LifeDeps {
  readonly node: string
  readonly version: string
  readonly fleet: Fleet
  readonly role: Role
  /** Of all cores, since it was asked before. */
  readonly cpu: () => number
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly beatMs: number
  readonly deadMs: number
}

/** Unknown to a platform that is away, it asks less and less often. */
const longestPauseMs = 30_000

export function createLife({ node, version, fleet, role, cpu, clock, random, log, ...times }: LifeDeps) {
  // Nobody takes it for dead before; the rest is for clocks that differ and answers that are slow.
  const silentMs = (3 * times.deadMs) / 4
  let boot: Boot = makeBoot(node, random)
  let isKnown = false
  let heardAtMs = Number.NEGATIVE_INFINITY
  let told: Wish = 'leave'
  let asked: Wish = 'work'
  let obeyed: Wish = 'leave'
  let isOver = false
  let failures = 0
  let hurry = () => {}

  /** By the clock, not by a timer: a process that was stopped and goes on must not do what it was about to do. */
  const wish = (): Wish => (clock.now() - heardAtMs >= silentMs ? 'leave' : stricter(told, asked))

  function obey(): void {
    const next = wish()
    if (next === obeyed) return
    obeyed = next
    log('info', 'fleet.obeys', { node, wish: next, heard: told })
    role.obey(next)
    // What it says from now on is said by one who knows; and again once nothing is left in its hands.
    hurry()
    if (next === 'drain') void role.idle().then(() => hurry())
  }

  async function beat(): Promise<void> {
    const askedAtMs = clock.now()
    const { id, sha256 } = boot
    const place = role.address === undefined ? {} : { address: role.address }
    const document = isKnown
      ? await fleet.beat(node, id, { holds: role.holds(), load: { ...role.load(), cpu: cpu() } })
      : await fleet.register(node, { id, sha256, version, ...place })
    heardAtMs = askedAtMs
    told = wishOf(document, id)
    if (!isKnown && told !== 'leave') {
      isKnown = true
      log('info', 'fleet.registered', { node, boot: id })
    } else if (isKnown && isWokenAnew(document)) {
      boot = makeBoot(node, random)
      isKnown = false
      hurry()
    }
  }

  async function live(): Promise<void> {
    while (!isOver) {
      const pause = new Promise<void>((resolve) => {
        hurry = resolve
      })
      try {
        await beat()
        failures = 0
      } catch (error) {
        failures++
        log('warn', 'fleet.no-beat', { node, failures, error: String(error).slice(0, 200) })
      }
      obey()
      if (isOver) return
      const longer = isKnown ? 1 : 2 ** Math.min(failures, 10)
      await Promise.race([clock.wait(Math.min(longestPauseMs, times.beatMs * longer)), pause])
    }
  }

  /** A worker that is not heard leaves, whatever hangs. */
  async function guard(): Promise<void> {
    while (!isOver) {
      await clock.wait(silentMs / 12)
      if (!isOver) obey()
    }
  }

  return {
    wish,
    /** What it heard last, however long ago. */
    told: (): Wish => stricter(told, asked),
    credential: () => boot.credential,
    start(): void {
      void live()
      void guard()
    },
    /** Of its own process: no document takes it back. Resolves once nothing is in hand any more. */
    async end(how: 'drain' | 'leave'): Promise<void> {
      asked = stricter(asked, how)
      obey()
      // Its machine may be on its way down: what the document says of that is worth knowing at once.
      hurry()
      await role.idle()
      isOver = true
      hurry()
      await role.close()
    },
  }
}

export type Life = ReturnType<typeof createLife>
