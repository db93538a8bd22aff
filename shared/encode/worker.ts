// A worker's loop: claims a unit, does it as the activity would, renews the claim meanwhile, and says what became of it.
import type { LogFields } from '../core/log.ts'
import { logLine } from '../core/log.ts'
import { encodeAudio } from './audio.ts'
import { encodeChunk } from './chunk.ts'
import { claimed, inRanks, isHeldBy, renewed, spread } from './claims.ts'
import type { EncodeDeps } from './deps.ts'
import { behind, createFence, type Fence } from './fence.ts'
import { createIdle, type Idle } from './idle.ts'
import type { Holder, Offer, Report, UnitResult } from './ports.ts'
import type { Outcome } from './work.ts'

/** `refused`: the node does not hold the unit any more. Throws while nobody can be told. */
export type Tell = (unitId: string, claim: number, report: Report) => Promise<'heard' | 'refused'>

export interface Duty {
  readonly node: string
  /** What it does at once: a unit of each entry. */
  readonly slots: readonly Offer['kind'][]
  readonly tell: Tell
  /** Asked before each claim: a process that was asleep may not be a node any more when it goes on. */
  readonly isReady: () => boolean
  /** Takes nothing new, and ends what it has. */
  readonly drain: AbortSignal
  /** Gives back what it has, at once. */
  readonly leave: AbortSignal
  /** Kept up to date: the units that it has, and that it is just reaching for. */
  readonly hands: Set<string>
  /** Told how fast a unit's pictures were made. */
  readonly measured: (work: { pixels: number; ms: number }) => void
}

const mostTries = 8
const logMost = 4000
const detailMost = 1000

export function createWorker(deps: EncodeDeps) {
  const { clock, offers, limits } = deps
  // A quarter of a claim to renew it in, a quarter to fall silent before it is another's.
  const renewMs = limits.claimMs / 4
  const silentMs = (3 * limits.claimMs) / 4

  /** The first of the best that nobody else was faster with, and until when it is surely ours by this clock. */
  async function claim(duty: Duty, kind: Offer['kind']): Promise<Held | undefined> {
    const all = inRanks(await offers.open(kind), offers.now())
    // Another slot of this worker has it, or is about to.
    const ranks = all.map((rank) => rank.filter(({ unitId }) => !duty.hands.has(unitId)))
    let best = ranks.flat()
    for (let tries = 0; tries < mostTries; tries++) {
      const [next, ...others] = best
      if (!next || isOver(duty) || !duty.isReady()) return undefined
      const { jobId, id, unitId } = next
      duty.hands.add(unitId)
      let held: Held | undefined
      try {
        held = await take(duty.node, jobId, id)
      } finally {
        if (!held) duty.hands.delete(unitId)
      }
      if (held) return held
      // Whoever was faster looks at the same list, and may not be alone.
      best = tries === 0 ? await elsewhere(duty, kind, ranks) : others
    }
    return undefined
  }

  async function elsewhere({ node, slots }: Duty, kind: Offer['kind'], ranks: Offer[][]): Promise<Offer[]> {
    const many = (await deps.crew.awake()) * slots.filter((one) => one === kind).length
    const [lost] = ranks.flat()
    const left = ranks.map((rank) => rank.filter((offer) => offer !== lost))
    return spread(left, { node, many })
  }

  async function take(node: string, jobId: string, id: string): Promise<Held | undefined> {
    let holder: Holder | undefined
    const askedAtMs = clock.now()
    const offer = await offers.change(jobId, id, (current) => {
      const next = current && claimed(current, { node, nowMs: offers.now(), leaseMs: limits.claimMs })
      holder = next && { node, number: next.claims }
      return next ?? 'unchanged'
    })
    return offer && holder && { offer, holder, fence: createFence(clock.now, askedAtMs + silentMs) }
  }

  async function keep(offer: Offer, holder: Holder, fence: Fence): Promise<void> {
    const askedAtMs = clock.now()
    const isOurs = (current: Offer | undefined): current is Offer =>
      current !== undefined && isHeldBy(current, holder, offers.now())
    const after = await offers.change(offer.jobId, offer.id, (current) =>
      isOurs(current) ? renewed(current, holder, offers.now() + limits.claimMs) : 'unchanged',
    )
    if (isOurs(after)) fence.putUntil(askedAtMs + silentMs)
    else fence.fall(new Error('the unit is held by another node'))
  }

  /** Until `over`; whatever hinders it, the fence falls before the claim lapses. */
  async function beat(offer: Offer, holder: Holder, { fence, over }: { fence: Fence; over: AbortSignal }) {
    const ends = () => over.aborted || fence.signal.aborted
    let renewing: Promise<void> | undefined
    let waitedMs = 0
    while (!ends()) {
      await clock.wait(renewMs / 4)
      waitedMs += renewMs / 4
      if (ends()) return
      try {
        fence.check()
      } catch {
        return
      }
      if (renewing || waitedMs < renewMs) continue
      waitedMs = 0
      renewing = keep(offer, holder, fence)
        .catch((error: unknown) =>
          deps.log('warn', 'fleet.not-renewed', { unit: offer.unitId, error: String(error) }),
        )
        .finally(() => {
          renewing = undefined
        })
    }
  }

  async function tellOf(duty: Duty, { offer, holder, fence }: Held, report: Report): Promise<void> {
    for (let pauseMs = 250; ; pauseMs = Math.min(2 * pauseMs, 4000)) {
      fence.check()
      try {
        const heard = await duty.tell(offer.unitId, holder.number, report)
        return deps.log('info', 'fleet.reported', { unit: offer.unitId, outcome: report.outcome, heard })
      } catch (error) {
        deps.log('warn', 'fleet.not-heard', { unit: offer.unitId, error: String(error) })
        await clock.wait(pauseMs)
      }
    }
  }

  async function hold(duty: Duty, held: Held): Promise<void> {
    const { offer, holder, fence } = held
    deps.log('info', 'fleet.claimed', { unit: offer.unitId, claim: holder.number })
    const over = new AbortController()
    void beat(offer, holder, { fence, over: over.signal })
    const leave = () => fence.fall(left)
    duty.leave.addEventListener('abort', leave, { once: true })
    if (duty.leave.aborted) leave()
    const beganMs = clock.now()
    let isMade = false
    const { ffmpeg } = deps
    const run: typeof ffmpeg.run = (ask) => {
      isMade = true
      return ffmpeg.run(ask)
    }
    try {
      const report = await work({ ...deps, ffmpeg: { ...ffmpeg, run } }, offer, fence)
      // One that somebody made before tells nothing of this machine.
      if (offer.kind === 'chunk' && isMade && report.result?.ok)
        duty.measured({ pixels: offer.pixels, ms: clock.now() - beganMs })
      if (!fence.signal.aborted) return await tellOf(duty, held, report)
      if (fence.signal.reason !== left) throw fence.signal.reason
      const heard = await duty.tell(offer.unitId, holder.number, { outcome: 'returned' })
      deps.log('info', 'fleet.reported', { unit: offer.unitId, outcome: 'returned', heard })
    } catch (error) {
      // Nobody is told: who takes the unit next does it all again.
      deps.log('warn', 'fleet.claim-lost', { unit: offer.unitId, error: String(error) })
    } finally {
      duty.leave.removeEventListener('abort', leave)
      duty.hands.delete(offer.unitId)
      over.abort()
    }
  }

  /** The next unit there is; undefined once there is to be none. */
  async function next(duty: Duty, kind: Offer['kind'], idle: Idle): Promise<Held | undefined> {
    while (!isOver(duty)) {
      const held = await claim(duty, kind).catch((error: unknown) => {
        deps.log('warn', 'fleet.no-claim', { error: String(error) })
        return undefined
      })
      if (held) {
        idle.found()
        return held
      }
      await idle.wait()
    }
    return undefined
  }

  return {
    /** Resolves once it was told to drain or leave and holds nothing more. */
    async serve(duty: Duty): Promise<void> {
      const idle = createIdle(clock, AbortSignal.any([duty.drain, duty.leave]))
      // However many slots are free, one of each kind looks for all of them.
      const looking = new Map<Offer['kind'], Promise<unknown>>()
      const inTurn = (kind: Offer['kind']): Promise<Held | undefined> => {
        const before = looking.get(kind) ?? Promise.resolve()
        const found = before.then(() => next(duty, kind, idle))
        looking.set(kind, found)
        return found
      }
      const slots = duty.slots.map(async (kind) => {
        for (let held = await inTurn(kind); held; held = await inTurn(kind)) await hold(duty, held)
      })
      await Promise.all(slots)
    },
  }
}

const isOver = ({ drain, leave }: Duty): boolean => drain.aborted || leave.aborted

interface Held {
  readonly offer: Offer
  readonly holder: Holder
  readonly fence: Fence
}

/** Whoever claims has let openings pass already: they are claimed first. */
const passed = Number.MAX_SAFE_INTEGER

const left = new Error('the worker is leaving')

/** The very functions of the activities; what they log is kept for whoever asks why the unit failed. */
async function work(deps: EncodeDeps, offer: Offer, fence: Fence): Promise<Report> {
  const { tenantId, assetId, version, plan, chunk } = offer
  const lines: string[] = []
  const log = (level: 'info' | 'warn' | 'error', event: string, fields?: LogFields): void => {
    deps.log(level, event, fields)
    lines.push(logLine(event, fields))
  }
  const target = { tenantId, assetId, version, plan }
  const fenced = behind(fence, { ...deps, log })
  const failed = (why: string): Report => ({
    outcome: 'failed',
    log: [...lines, why].join('\n').slice(-logMost),
  })
  try {
    const outcome: Outcome =
      chunk === undefined
        ? await encodeAudio(fenced, target)
        : await encodeChunk(fenced, { ...target, chunk, passed })
    // Another ffmpeg than the plan's: this node's fault, not the title's.
    if (!outcome.ok && outcome.code === 'encode-outdated') return failed(outcome.detail)
    return {
      outcome: 'done',
      result: resultOf(outcome),
      ...(outcome.ok ? {} : { log: failed(outcome.detail).log ?? '' }),
    }
  } catch (error) {
    return failed(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
  }
}

const resultOf = (outcome: Outcome): UnitResult =>
  outcome.ok ? { ok: true } : { ok: false, code: outcome.code, detail: outcome.detail.slice(0, detailMost) }
