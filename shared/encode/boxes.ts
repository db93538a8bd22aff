// Whether an MP4 is all there: its top-level boxes must fill the file exactly and one of them must be the index.
import { Problem } from '../core/problem.ts'

export interface Box {
  readonly type: string
  readonly offset: number
  readonly sizeBytes: number
}

export type ReadBytes = (offset: number, count: number) => Promise<Uint8Array>

export interface BoxHeader {
  readonly type: string
  /** Of the whole box; 0 means up to the end of the file. */
  readonly sizeBytes: number
  readonly headerBytes: number
}

/** ISO/IEC 14496-12 4.2: size and type, with a 64-bit size where the first is 1. Undefined when it can't be a box. */
export function readBoxHeader(bytes: Uint8Array): BoxHeader | undefined {
  if (bytes.length < 8) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const type = String.fromCharCode(...bytes.subarray(4, 8))
  const size = view.getUint32(0)
  if (size !== 1) return size === 0 || size >= 8 ? { type, sizeBytes: size, headerBytes: 8 } : undefined
  if (bytes.length < 16) return undefined
  const large = Number(view.getBigUint64(8))
  return large >= 16 && Number.isSafeInteger(large) ? { type, sizeBytes: large, headerBytes: 16 } : undefined
}

/** More boxes than a day of film in fragments of two seconds has. */
const mostBoxes = 100_000
const plausibleType = /^[\x20-\x7e\xa9]{4}$/

/** Throws `source-truncated` for a box that reaches past the end, `source-unreadable` for what is no box or no index. */
export async function walkBoxes(fileBytes: number, read: ReadBytes): Promise<Box[]> {
  const boxes: Box[] = []
  const has = (type: string) => boxes.some((box) => box.type === type)
  for (let offset = 0; offset < fileBytes && boxes.length < mostBoxes; ) {
    const header = readBoxHeader(await read(offset, 16))
    // Some writers leave a few bytes behind the last box: harmless once the index was seen.
    if (!header || !plausibleType.test(header.type)) {
      if (has('moov') && has('mdat')) break
      throw new Problem('source-unreadable', { detail: damaged(offset) })
    }
    const sizeBytes = header.sizeBytes || fileBytes - offset
    if (offset + sizeBytes > fileBytes) throw new Problem('source-truncated')
    boxes.push({ type: header.type, offset, sizeBytes })
    offset += sizeBytes
  }
  if (has('moov')) return boxes
  // Pictures such as HEIC keep their index in a meta box; a segment of a stream has its index in another file.
  if (has('meta')) throw new Problem('source-not-media')
  throw new Problem(has('mdat') && !has('moof') ? 'source-truncated' : 'source-unreadable')
}

const damaged = (offset: number): string =>
  `The file is damaged at byte ${offset}. Export the film again, as MP4 or MKV, and upload that.`
