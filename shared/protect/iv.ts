// The IV of a segment: derived, so that a repeat writes the same bytes, and unique under its key.
import { sha256 } from '../core/hash.ts'

export interface SegmentPlace {
  readonly version: number
  readonly planHash: string
  readonly rendition: string
  readonly number: number
}

/**
 * 16 bytes. A content key belongs to one version and rendition, the number to one segment of it; the plan's hash
 * makes the IV change whenever the bytes could, so that no IV ever meets two plaintexts under one key.
 */
export const segmentIv = (of: SegmentPlace): Uint8Array =>
  sha256(`${of.version}\0${of.planHash}\0${of.rendition}\0${of.number}`).subarray(0, 16)
