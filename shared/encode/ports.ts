// What encode needs of others: units' documents, ffmpeg, and somebody who seals segments before they are stored.
import type { AssetId, TenantId } from '../core/ids.ts'

export interface EncodeTarget {
  readonly tenantId: TenantId
  readonly assetId: AssetId
  readonly version: number
}

/** Encrypts one finished segment. `number` counts from 0 within the rendition. Same input, same bytes. */
export type Seal = (segment: { rendition: string; number: number; bytes: Uint8Array }) => Uint8Array

/** Protect's side of encode: content keys are made, wrapped and used behind this port; encode never sees one. */
export interface SegmentSealer {
  /** Makes the content keys of this version if there are none yet; key ids by rendition name. Repeatable. */
  prepare(target: EncodeTarget, renditions: readonly string[]): Promise<Record<string, string>>
  open(target: EncodeTarget, planHash: string): Promise<Seal>
  /** Forgets the keys of all versions of a title. */
  forget(assetId: AssetId): Promise<void>
}

/** One unit of encode's work in the container `units` (partition key `jobId`, the Durable instance id). */
export interface Unit {
  /** `{jobId}.{n}` for chunk n, `{jobId}.audio` for the audio. */
  readonly id: string
  readonly jobId: string
  readonly type: 'unit'
  readonly schema: 1
  readonly kind: 'chunk' | 'audio'
  /** Frames done so far (chunks only); never goes back. */
  readonly frames: number
  readonly done: boolean
  /** Sealed sizes by rendition, in order from the unit's first segment. */
  readonly sizes: Record<string, number[]>
  /** First segment's number. */
  readonly firstSegment: number
}

export interface UnitStore {
  put(unit: Unit): Promise<void>
  list(jobId: string): Promise<Unit[]>
  removeJob(jobId: string): Promise<void>
}
