// How large one segment can get, so that the bound on an answer can be shown to hold every one of them.
export interface SegmentCeiling {
  /** VBV: what the encoder may spend in any second, and the buffer it may empty on top (H.264 Annex C). */
  readonly peakBitsPerSecond: number
  readonly bufferBits: number
  readonly durationSeconds: number
  readonly frames: number
}

/** `moof` and `mdat` headers, and one `trun` entry of at most 16 bytes for each frame (ISO/IEC 14496-12 8.8.8). */
const boxBytes = 4096
const frameEntryBytes = 16
const paddingBytes = 16

export function largestSegmentBytes(ceiling: SegmentCeiling): number {
  const { peakBitsPerSecond, bufferBits, durationSeconds, frames } = ceiling
  const mediaBytes = Math.ceil((peakBitsPerSecond * durationSeconds + bufferBits) / 8)
  return mediaBytes + boxBytes + frames * frameEntryBytes + paddingBytes
}
