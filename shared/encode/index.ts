// Encode: an uploaded source becomes an encrypted title that plays while it grows. Each function is one activity.
import type { Asset } from '../assets/model.ts'
import { createRecent } from '../core/recent.ts'
import { admit } from './admit.ts'
import { encodeAudio } from './audio.ts'
import { type Backlog, createBacklog } from './backlog.ts'
import { encodeChunk } from './chunk.ts'
import { createControl } from './control.ts'
import type { EncodeDeps, EncodeParts } from './deps.ts'
import { fail, findLost, finish, renew } from './finish.ts'
import { encodeImages } from './images.ts'
import { createLedger } from './ledger.ts'
import { lookAt } from './offers.ts'
import { createPace } from './pace.ts'
import { encodePoster } from './poster.ts'
import { prepare } from './prepare.ts'
import { createQuotes, probeQuote } from './quote.ts'
import { createReports } from './reports.ts'
import { retire } from './retire.ts'
import { encodeUnclaimed } from './unclaimed.ts'
import { verify } from './verify.ts'
import {
  type ActivityName,
  ChunkTarget,
  FailTarget,
  type Looked,
  type Outcome,
  PlannedTarget,
  QuoteTarget,
  RetireTarget,
  Target,
  UnclaimedTarget,
  UnitTarget,
} from './work.ts'
import { createWorker } from './worker.ts'

export type Encode = Readonly<
  Record<Exclude<ActivityName, 'offer'>, (input: unknown) => Promise<Outcome>>
> & {
  offer(input: unknown): Promise<Outcome<Looked>>
  readonly control: ReturnType<typeof createControl>
  readonly quotes: ReturnType<typeof createQuotes>
  /** What the fleet is told and says. */
  readonly reports: ReturnType<typeof createReports>
  readonly worker: ReturnType<typeof createWorker>
  /** For the fleet: what workers still have to do. */
  readonly backlog: Pick<Backlog, 'read'>
  /** For the sweep: what a lost process left. */
  findLost(): Promise<Asset[]>
}

/** Of what never changes: as long as it is likely to be asked for. */
const keptMs = 600_000
const plansKept = 32
const tracksKept = 6 * plansKept

/** Inputs come from the orchestration's history and are parsed at this edge. Every activity may be repeated. */
export function createEncode(parts: EncodeParts): Encode {
  const { clock, units, offers, crew } = parts
  const deps: EncodeDeps = {
    ...parts,
    pace: createPace(clock),
    ledger: createLedger(units, clock),
    backlog: createBacklog({ offers, crew, clock, speed: parts.prices.speed }),
    plans: createRecent({ clock, maxAgeMs: keptMs, maxWeight: plansKept }),
    tracks: createRecent({ clock, maxAgeMs: keptMs, maxWeight: tracksKept }),
  }
  return {
    admit: async (input) => admit(deps, Target.parse(input)),
    prepare: async (input) => prepare(deps, Target.parse(input)),
    verify: async (input) => verify(deps, PlannedTarget.parse(input)),
    poster: async (input) => encodePoster(deps, PlannedTarget.parse(input)),
    chunk: async (input) => encodeChunk(deps, ChunkTarget.parse(input)),
    audio: async (input) => encodeAudio(deps, PlannedTarget.parse(input)),
    images: async (input) => encodeImages(deps, PlannedTarget.parse(input)),
    offer: async (input) => lookAt(deps, UnitTarget.parse(input)),
    unclaimed: async (input) => encodeUnclaimed(deps, UnclaimedTarget.parse(input)),
    finish: async (input) => finish(deps, PlannedTarget.parse(input)),
    fail: async (input) => fail(deps, FailTarget.parse(input)),
    renew: async (input) => renew(deps, Target.parse(input)),
    quote: async (input) => probeQuote(deps, QuoteTarget.parse(input)),
    retire: async (input) => retire(deps, RetireTarget.parse(input)),
    control: createControl(parts),
    quotes: createQuotes(parts),
    reports: createReports(parts),
    worker: createWorker({ ...deps, isOffered: true }),
    backlog: deps.backlog,
    findLost: () => findLost(deps),
  }
}
