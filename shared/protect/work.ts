// What the orchestrations of protect and their activities tell each other: ids and counts, never segments, never keys.
import { z } from 'zod'
import { type AssetId, idPattern, type TenantId } from '../core/ids.ts'
import type { ProblemCode } from '../core/problem.ts'

/** The generation of content keys that a version of a title is to have. */
export const RekeyTarget = z.object({
  tenantId: z.custom<TenantId>((v) => typeof v === 'string' && idPattern('ten').test(v)),
  assetId: z.custom<AssetId>((v) => typeof v === 'string' && idPattern('ast').test(v)),
  version: z.number().int().min(1),
  generation: z.number().int().min(1),
})
export type RekeyTarget = z.infer<typeof RekeyTarget>

export const RekeyBatch = RekeyTarget.extend({ batch: z.number().int().min(0) })
export type RekeyBatch = z.infer<typeof RekeyBatch>

/** How far a change of keys has come, from one execution of its orchestration to the next. */
export interface RekeyProgress extends RekeyTarget {
  /** Batches that are done. */
  readonly done?: number
  /** Since the switch: when what was before it goes (RFC 3339). */
  readonly until?: string
}

/** What no repetition cures is a value; what is thrown is tried again. */
export interface Failure {
  readonly ok: false
  readonly code: ProblemCode
  readonly detail: string
}
export type Outcome<T = unknown> = ({ readonly ok: true } & T) | Failure

export interface Rewrapped {
  /** Envelopes that another KEK had wrapped, as far as one batch goes. */
  readonly found: number
  /** Of these, the ones that no key which is there opens. */
  readonly lost: number
}

export const activityNames = {
  rekeyBegin: 'protect-rekey-begin',
  rekeyBatch: 'protect-rekey-batch',
  rekeySwitch: 'protect-rekey-switch',
  rekeyRetire: 'protect-rekey-retire',
  rewrap: 'protect-rewrap-batch',
} as const
export type ActivityName = keyof typeof activityNames
