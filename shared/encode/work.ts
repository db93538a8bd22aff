// What the orchestration and its activities tell each other: ids, blob names and small facts, never media, never keys.
import { z } from 'zod'
import { idPattern } from '../core/ids.ts'
import { type ProblemCode, problems } from '../core/problem.ts'
import type { EncodeTarget } from './ports.ts'

export const Target = z.object({
  tenantId: z.custom<EncodeTarget['tenantId']>((v) => typeof v === 'string' && idPattern('ten').test(v)),
  assetId: z.custom<EncodeTarget['assetId']>((v) => typeof v === 'string' && idPattern('ast').test(v)),
  version: z.number().int().min(1),
})

export const PlannedTarget = Target.extend({ plan: z.string() })
export type PlannedTarget = z.infer<typeof PlannedTarget>

export const ChunkTarget = PlannedTarget.extend({
  chunk: z.number().int().min(0),
  /** How often it has let others pass. */
  passed: z.number().int().min(0).default(0),
})
export type ChunkTarget = z.infer<typeof ChunkTarget>

/** A unit for the fleet, as its orchestration knows it. */
export const UnitTarget = PlannedTarget.extend({
  kind: z.enum(['chunk', 'audio']),
  chunk: z.number().int().min(0).optional(),
  /** Of a chunk in a part of the window: the chunk after it is that many further. */
  step: z.number().int().min(1).optional(),
  fleetSinceMs: z.number(),
  /** What no worker takes, the app does. */
  shared: z.boolean().optional(),
  /** Nor did any take the chunk before it in its part. */
  alone: z.boolean().optional(),
  waits: z.string(),
})
export type UnitTarget = z.infer<typeof UnitTarget>

/** A chunk that no worker took, as far as its orchestration knows. */
export const UnclaimedTarget = UnitTarget.extend({
  chunk: z.number().int().min(0),
  passed: z.number().int().min(0).default(0),
})
export type UnclaimedTarget = z.infer<typeof UnclaimedTarget>

const code = z.enum(Object.keys(problems) as [ProblemCode, ...ProblemCode[]])
/** `etag`: of the file that is to be looked at; `code`: what to note, when looking came to nothing. */
export const QuoteTarget = Target.omit({ version: true }).extend({ etag: z.string(), code: code.optional() })
export type QuoteTarget = z.infer<typeof QuoteTarget>

export const FailTarget = Target.extend({ code: code.optional(), detail: z.string().max(1000).optional() })
export type FailTarget = z.infer<typeof FailTarget>

/** Versions that players are done with at `until`. */
export const RetireTarget = Target.extend({ until: z.string() })
export type RetireTarget = z.infer<typeof RetireTarget>

/** Until when there is a version that was replaced. */
export interface Finished {
  readonly until?: string
}

/** A failure that was to be expected is a value; what is thrown is tried again. */
export interface Failure {
  readonly ok: false
  readonly code: ProblemCode
  readonly detail: string
}
export type Outcome<T = unknown> = ({ readonly ok: true } & T) | Failure

export interface Prepared {
  /** Name of the plan's blob in `media`. */
  readonly plan: string
  readonly chunks: number
  /** Chunks that are under way at once. */
  readonly window: number
  readonly hasAudio: boolean
  /** All of its source is read once more, beside its units: `encode-verify`. */
  readonly verified: boolean
  /** When its units began to be offered to the fleet; without it the app does them itself. */
  readonly fleetSinceMs?: number
  /** Then the opening and the sound are the app's all the same, and what no worker takes. */
  readonly shared?: true
}

/** Whether a unit that was offered is over, or how long to wait before looking again. */
export interface Looked {
  readonly over: boolean
  readonly waitSeconds: number
  /** It was offered just now: workers are needed. */
  readonly fresh?: boolean
  /** Nobody came for it: the app is to do it. */
  readonly unclaimed?: boolean
}

/** Whether one may go on: 0, or how long to wait before asking again. */
export interface Turn {
  readonly waitSeconds: number
}

/** Chunks `chunk`, `chunk + step`, … below `chunks`. */
export interface Part extends PlannedTarget {
  readonly chunk: number
  readonly step: number
  readonly chunks: number
  /** How often its next chunk has let others pass. */
  readonly passed?: number
  readonly fleetSinceMs?: number
  readonly shared?: true
  /** No worker took its last chunk. */
  readonly alone?: boolean
}

/** All chunks but the opening, dealt out: neighbours are under way at the same time, so that the title grows from its start. */
export const partsOf = (
  planned: Omit<Part, 'chunk' | 'step' | 'chunks'>,
  { chunks, window }: Pick<Prepared, 'chunks' | 'window'>,
): Part[] =>
  Array.from({ length: Math.min(window, chunks - 1) }, (_, n) => ({
    ...planned,
    chunk: 1 + n,
    step: window,
    chunks,
  }))

export const partName = 'encode-part'
export const retireName = 'encode-retire'
export const unitName = 'encode-unit'
/** The event by which a unit's orchestration hears that it should look. */
export const reportedEvent = 'unit-reported'

export const activityNames = {
  admit: 'encode-admit',
  prepare: 'encode-prepare',
  verify: 'encode-verify',
  poster: 'encode-poster',
  chunk: 'encode-chunk',
  audio: 'encode-audio',
  images: 'encode-images',
  offer: 'encode-offer',
  unclaimed: 'encode-unclaimed',
  finish: 'encode-finish',
  fail: 'encode-fail',
  renew: 'encode-renew',
  retire: 'encode-retire-versions',
  quote: 'encode-quote-probe',
} as const
export type ActivityName = keyof typeof activityNames
