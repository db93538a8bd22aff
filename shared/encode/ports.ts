// What encode needs of others: units' documents, ffmpeg, and somebody who seals segments before they are stored.
import type { SourceStore } from '../assets/ports.ts'
import type { AssetId, TenantId } from '../core/ids.ts'
import type { ProblemCode } from '../core/problem.ts'

export interface EncodeTarget {
  readonly tenantId: TenantId
  readonly assetId: AssetId
  readonly version: number
}

/** Encrypts one finished segment. `number` counts from 0 within the rendition. Same input, same bytes. */
export type Seal = (segment: { rendition: string; number: number; bytes: Uint8Array }) => Uint8Array

/** The way back, for what encode itself has stored. */
export type Unseal = Seal

/** Protect's side of encode: content keys are made, wrapped and used behind this port; encode never sees one. */
export interface SegmentSealer {
  /** Makes the content keys of this version if there are none yet; key ids by rendition name. Repeatable. */
  prepare(target: EncodeTarget, renditions: readonly string[]): Promise<Record<string, string>>
  /** Key ids by rendition name, as they were made; undefined once they were forgotten. */
  keyIds(target: EncodeTarget): Promise<Record<string, string> | undefined>
  open(target: EncodeTarget, planHash: string): Promise<Seal>
  unseal(target: EncodeTarget, planHash: string): Promise<Unseal>
  /** Forgets the keys of one version, of one generation of them. */
  retire(of: { assetId: AssetId; version: number; generation?: number }): Promise<void>
  /** Forgets the keys of all versions of a title. */
  forget(assetId: AssetId): Promise<void>
}

/** Takes what a title's encode costs its tenant, once for each version; throws `cap-exceeded` beyond the limit. */
export type ChargeEncode = (target: EncodeTarget, durationSeconds: number) => Promise<void>

/** One unit of encode's work in the container `units` (partition key `jobId`, the Durable instance id). */
export interface Unit {
  /** `{jobId}.{n}` for chunk n, `{jobId}.audio` for the audio; `….now` for how far one that runs has come. */
  readonly id: string
  readonly jobId: string
  readonly type: 'unit'
  readonly schema: 1
  readonly kind: 'chunk' | 'audio'
  /** Frames done so far: pictures of a chunk, AAC frames of the audio. */
  readonly frames: number
  readonly done: boolean
  /** Sealed sizes by rendition, in order from the unit's first segment. */
  readonly sizes: Record<string, number[]>
  /** First segment's number. */
  readonly firstSegment: number
}

export interface UnitStore {
  put(unit: Unit): Promise<void>
  get(jobId: string, id: string): Promise<Unit | undefined>
  list(jobId: string): Promise<Unit[]>
  /** What was written at or after that second, by the store's clock, and the latest such second. */
  since(jobId: string, sinceSeconds: number): Promise<{ items: Unit[]; latestSeconds: number }>
  removeJob(jobId: string): Promise<void>
}

/** A unit that is given to the fleet. */
export interface OfferedUnit extends EncodeTarget {
  readonly unitId: string
  readonly jobId: string
  readonly plan: string
  readonly kind: 'chunk' | 'audio'
  /** Of `kind: 'chunk'`. */
  readonly chunk?: number
  /** When its title began. */
  readonly sinceMs: number
  /** Its work, in pixels of all renditions. */
  readonly pixels: number
  /** Work of those that are offered after it, once it is over. */
  readonly rest: number
  /** How long it waits for a worker before the app does it; it never does where there is none. */
  readonly patienceMs?: number
  /** The app did the one before it in its part. */
  readonly alone?: boolean
}

/** One claim: how often the unit was claimed tells an old one of a node from its next. */
export interface Holder {
  readonly node: string
  readonly number: number
}

/** What became of a unit, as the orchestration is told. */
export type UnitResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: ProblemCode; readonly detail: string }

/** What a worker says of a unit that it holds. */
export interface Report {
  readonly outcome: 'done' | 'failed' | 'returned'
  /** Of `done`: also that the title has failed, which no repetition cures. */
  readonly result?: UnitResult
  /** The end of what was logged. */
  readonly log?: string
}

/** In the container `units`, beside the title's other documents; id `{unitId}.offer`. */
export interface Offer extends OfferedUnit {
  readonly id: string
  readonly type: 'offer'
  readonly schema: 1
  /** Instance id of the orchestration that waits. */
  readonly waits: string
  /** `taken`: by the app itself, since nobody claimed it. */
  readonly state: 'queued' | 'claimed' | 'taken' | 'over'
  /** Pixels that workers still have to make of it and of what comes after it. */
  readonly left: number
  readonly claims: number
  readonly failures: number
  readonly losses: number
  /** Since when nobody has it. */
  readonly queuedAtMs: number
  /** While it is queued: not before. */
  readonly freeAtMs: number
  readonly claim?: Holder & { readonly untilMs: number }
  readonly result?: UnitResult
  readonly log?: string
  /** Seconds that Cosmos keeps it for. */
  readonly ttl?: number
}

export interface OfferStore {
  /** By the clock that all nodes share. */
  now(): number
  get(jobId: string, id: string): Promise<Offer | undefined>
  /** Read, change, replace by ETag; `change` may run several times. With one that is new, `inPlaceOf` goes at the same moment. */
  change(
    jobId: string,
    id: string,
    change: (offer: Offer | undefined) => Offer | 'unchanged',
    inPlaceOf?: string,
  ): Promise<Offer | undefined>
  /** Queued and claimed ones of all titles. */
  open(kind: Offer['kind']): Promise<Offer[]>
  /** Those of all titles with something left for workers. */
  unfinished(): Promise<Offer[]>
  list(jobId: string): Promise<Offer[]>
  remove(jobId: string, id: string): Promise<void>
  /** All of a job but those that failed, which say why. */
  removeJob(jobId: string): Promise<void>
}

/** The workers there are; the fleet tells. */
export interface Crew {
  /** Nodes that are ready to work. */
  awake(): Promise<number>
  /** Pixels of all renditions that one unit makes in a second, as measured; undefined until something was. */
  pixelsPerSecond(): Promise<number | undefined>
}

/** Titles of one tenant, by when they first asked to be encoded. */
export interface Line {
  readonly running: readonly AssetId[]
  readonly waiting: readonly AssetId[]
}

export interface LineStore {
  get(tenantId: TenantId): Promise<Line | undefined>
  /** Read, change, replace by ETag; `change` may run several times. */
  change(tenantId: TenantId, change: (line: Line | undefined) => Line | 'unchanged'): Promise<void>
}

/** Titles whose opening nobody has begun with yet: what can wait lets them pass. */
export interface OpeningStore {
  add(assetId: AssetId): Promise<void>
  remove(assetId: AssetId): Promise<void>
  /** Whether there is one that was added at or after that second, by the store's clock: an older one may be lost. */
  waits(sinceSeconds: number): Promise<boolean>
}

/** Which ffmpeg there is: its build is part of every plan's hash, its filters decide what degrades. */
export interface Tools {
  readonly build: string
  readonly filters: ReadonlySet<string>
}

/** A source that ffmpeg reads at `url`: loopback, one nonce, one pinned ETag, no credential. */
export interface OpenedSource {
  readonly url: string
  readonly sizeBytes: number
  /** Bytes from `offset`, at most `count`, fewer at the end of the file. */
  read(offset: number, count: number): Promise<Uint8Array>
  /** Aborted, with the error as its reason, once a read has failed. */
  readonly failed: AbortSignal
  /** Bytes fetched from the store so far. */
  fetchedBytes(): number
  close(): Promise<void>
}

/** Exactly `[offset, offset + count)`. */
export type ReadBytes = (offset: number, count: number) => Promise<Uint8Array>

/** Bytes `[start, end)` of a source that may stay unread. */
export interface Hole {
  readonly start: number
  readonly end: number
}

/** A part of a source, and what of it may stay unread, in order. */
export interface Stretch extends Hole {
  readonly holes: Promise<readonly Hole[]>
}

/** What of a source is needed, told stretch by stretch; before `start` and where there is none everything is. */
export interface Layout {
  readonly start: number
  next(offset: number, read: ReadBytes): Promise<Stretch | undefined>
}

export interface RunAsk {
  readonly program: 'ffmpeg' | 'ffprobe'
  readonly argv: readonly string[]
  /** Of a run of the same program whose standard output is the standard input of this one. */
  readonly feed?: readonly string[]
  /** Files that it writes into its own empty folder; read into memory when it ends well. */
  readonly outputs?: readonly string[]
  readonly wallMs: number
  /** Waits its turn behind what a viewer or a tenant waits for. */
  readonly patience?: 'little' | 'much'
  /** Largest file that it may write. */
  readonly fileBytes?: number
  readonly signal?: AbortSignal
  /** Standard output as it comes; the program waits while this does. */
  readonly onOutput?: (bytes: Uint8Array) => void | Promise<void>
  /** Each line of standard error. */
  readonly onMessage?: (line: string) => void
}

export interface RunOutcome {
  /** `killed`: by a signal that was not ours, as when memory runs out. */
  readonly end: 'done' | 'failed' | 'killed' | 'too-slow'
  /** Head and tail of standard error, for the log. */
  readonly messages: string
  readonly files: Readonly<Record<string, Uint8Array>>
}

/** `shared/media` implements it; nothing else starts a process. */
export interface Ffmpeg {
  tools(): Promise<Tools>
  /** Zeros stand where `layout` has holes. */
  open(
    source: { blob: string; etag: string; sizeBytes: number },
    store: SourceStore,
    layout?: Layout,
  ): Promise<OpenedSource>
  /** Throws the reason of `signal` once that is aborted. */
  run(ask: RunAsk): Promise<RunOutcome>
}
