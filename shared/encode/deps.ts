// What encode is made of: the stores, protect's sealer, ffmpeg, and its limits, all handed in by the composition root.
import type { AssetStore, MediaStore, SourceStore } from '../assets/ports.ts'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Recent } from '../core/recent.ts'
import type { Backlog } from './backlog.ts'
import type { Ledger } from './ledger.ts'
import type { Pace } from './pace.ts'
import type { Plan } from './plan.ts'
import type {
  ChargeEncode,
  Crew,
  Ffmpeg,
  LineStore,
  OfferStore,
  OpeningStore,
  SegmentSealer,
  UnitStore,
} from './ports.ts'
import type { PriceTable, Speed } from './price.ts'
import type { Track } from './timeline.ts'

export interface EncodeLimits {
  readonly threads: number
  readonly chunkSegments: number
  /** Chunks of one title that are under way at once. */
  readonly window: number
  /** How long a version that was replaced stays, for players that began with it. */
  readonly retentionMs: number
  /** Titles of one tenant that are encoded at once. */
  readonly tenantTitles: number
  readonly unitMs: number
  /** Who does the units: this app, workers that claim them, or each of them what it is better at. */
  readonly executor: 'function' | 'fleet' | 'auto'
  /** With `auto`: work of a title's pictures beyond which workers do it. */
  readonly fleetMs: number
  /** With `auto`: how long a unit waits for a worker before this app does it. */
  readonly patienceMs: number
  /** With `auto`: what begins before then is soon done by this app, so that a title plays while machines wake. */
  readonly beginningSeconds: number
  /** Units that all workers of the fleet do at once; 0 where there is no fleet. */
  readonly slots: number
  /** How long a claim lasts that is not renewed. */
  readonly claimMs: number
  readonly maxSeconds: number
  readonly maxPixels: number
}

export interface EncodeParts {
  readonly assets: AssetStore
  readonly sources: SourceStore
  readonly media: MediaStore
  readonly units: UnitStore
  readonly lines: LineStore
  readonly openings: OpeningStore
  readonly offers: OfferStore
  readonly crew: Crew
  readonly sealer: SegmentSealer
  readonly charge: ChargeEncode
  readonly ffmpeg: Ffmpeg
  readonly clock: Clock
  readonly log: Log
  readonly limits: EncodeLimits
  readonly prices: { readonly table: PriceTable; readonly speed: Speed }
}

export interface EncodeDeps extends EncodeParts {
  readonly pace: Pace
  readonly ledger: Ledger
  readonly backlog: Backlog
  /** Plans by blob name; they never change. */
  readonly plans: Recent<Plan>
  /** What it does is done for the fleet or in its place: its title waits for encoders no longer. */
  readonly isOffered?: true
  /** What is known of init segments, by blob name; they never change either. */
  readonly tracks: Recent<Track | undefined>
}
