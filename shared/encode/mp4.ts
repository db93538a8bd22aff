// What ffmpeg wrote as fragmented MP4, read back: the init segment, its codec, and the samples of every fragment.
import { box, fullBox, u32 } from './box-writer.ts'
import { readBoxHeader } from './boxes.ts'
import type { Sample } from './fragment.ts'

export interface Found {
  readonly type: string
  /** Of the whole box and of what is in it, in the bytes that were walked. */
  readonly start: number
  readonly body: number
  readonly end: number
}

/** ffmpeg wrote these bytes, but at the input of a hostile file: nothing is read past the end of a box. */
export function* boxesIn(bytes: Uint8Array, from = 0, to = bytes.length): Generator<Found> {
  for (let start = from; start < to; ) {
    const header = readBoxHeader(bytes.subarray(start, Math.min(start + 16, to)))
    const end = header ? start + (header.sizeBytes || to - start) : Number.POSITIVE_INFINITY
    if (!header || end > to) throw new Error(`no box fits at byte ${start}`)
    yield { type: header.type, start, body: start + header.headerBytes, end }
    start = end
  }
}

export function find(
  bytes: Uint8Array,
  path: readonly string[],
  within = { body: 0, end: bytes.length },
): Found | undefined {
  const [type, ...rest] = path
  for (const found of boxesIn(bytes, within.body, within.end)) {
    if (found.type !== type) continue
    return rest.length === 0 ? found : find(bytes, rest, found)
  }
  return undefined
}

function need(bytes: Uint8Array, path: readonly string[], within?: Found): Found {
  const found = find(bytes, path, within)
  if (!found) throw new Error(`ffmpeg wrote no ${path.join('/')}`)
  return found
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** `avc1.` with profile, constraints and level of the avcC (RFC 6381 3.3; ISO/IEC 14496-15 5.3.3.1). */
export function avcCodecs(init: Uint8Array): string {
  const stsd = need(init, ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd'])
  // After version and count of stsd; after the fields of a visual sample entry (ISO/IEC 14496-12 12.1.3).
  const entry = need(init, ['avc1'], { ...stsd, body: stsd.body + 8 })
  const avcC = need(init, ['avcC'], { ...entry, body: entry.body + 78 })
  return `avc1.${hex(init.subarray(avcC.body + 1, avcC.body + 4))}`
}

/**
 * The init segment with an edit list that starts the presentation at `mediaTime` (ISO/IEC 14496-12 8.6.6): pictures are
 * decoded up to that many ticks before they are shown, and no player, not ffmpeg's either, needs negative offsets.
 */
export function withEditList(init: Uint8Array, mediaTime: number): Buffer {
  const edit = box('edts', fullBox('elst', 0, 0, u32(1, 0, mediaTime, 0x10000)))
  const rebuilt = (parent: Found, change: (child: Found) => Uint8Array[]): Buffer =>
    box(parent.type, ...[...boxesIn(init, parent.body, parent.end)].flatMap(change))
  const copy = ({ start, end }: Found): Uint8Array[] => [init.subarray(start, end)]
  const inTrack = (child: Found): Uint8Array[] => {
    if (child.type === 'edts') return []
    return child.type === 'tkhd' ? [...copy(child), edit] : copy(child)
  }
  const inMovie = (child: Found): Uint8Array[] =>
    child.type === 'trak' ? [rebuilt(child, inTrack)] : copy(child)
  return Buffer.concat(
    [...boxesIn(init)].flatMap((top) => (top.type === 'moov' ? [rebuilt(top, inMovie)] : copy(top))),
  )
}

export interface ReadFragment {
  readonly samples: readonly Sample[]
  readonly startsWithSync: boolean
}

export interface ReadFile {
  readonly init: Uint8Array
  readonly fragments: readonly ReadFragment[]
}

/** ftyp and moov are the init segment; each moof with its mdat is one fragment. The rest (mfra) is dropped. */
export function readFragmented(bytes: Uint8Array): ReadFile {
  const boxes = [...boxesIn(bytes)]
  const init = Buffer.concat(
    boxes
      .filter(({ type }) => type === 'ftyp' || type === 'moov')
      .map(({ start, end }) => bytes.subarray(start, end)),
  )
  const fragments = boxes.filter(({ type }) => type === 'moof').map((moof) => readMoof(bytes, moof))
  return { init, fragments }
}

const has = (flags: number, bit: number): boolean => (flags & bit) !== 0

/** tfhd (8.8.7): only the defaults that the runs may lean on. */
function readDefaults(bytes: Uint8Array, tfhd: Found): { sizeBytes: number; flags: number } {
  const view = viewOf(bytes)
  const flags = view.getUint32(tfhd.body) & 0xffffff
  let at = tfhd.body + 8
  if (has(flags, 0x1)) at += 8
  if (has(flags, 0x2)) at += 4
  if (has(flags, 0x8)) at += 4
  const sizeBytes = has(flags, 0x10) ? view.getUint32(at) : 0
  if (has(flags, 0x10)) at += 4
  return { sizeBytes, flags: has(flags, 0x20) ? view.getUint32(at) : 0 }
}

/** trun (8.8.8), whose data offset counts from the moof. */
function readMoof(bytes: Uint8Array, moof: Found): ReadFragment {
  const traf = need(bytes, ['traf'], moof)
  const defaults = readDefaults(bytes, need(bytes, ['tfhd'], traf))
  const view = viewOf(bytes)
  const samples: Sample[] = []
  let firstFlags: number | undefined
  for (const trun of boxesIn(bytes, traf.body, traf.end)) {
    if (trun.type !== 'trun') continue
    const flags = view.getUint32(trun.body) & 0xffffff
    const count = view.getUint32(trun.body + 4)
    let at = trun.body + 8
    const next = () => {
      at += 4
      return at - 4
    }
    let data = moof.start + (has(flags, 0x1) ? view.getInt32(next()) : 0)
    if (has(flags, 0x4)) firstFlags ??= view.getUint32(next())
    for (let index = 0; index < count; index++) {
      if (has(flags, 0x100)) next()
      const sizeBytes = has(flags, 0x200) ? view.getUint32(next()) : defaults.sizeBytes
      const own = has(flags, 0x400) ? view.getUint32(next()) : defaults.flags
      firstFlags ??= own
      const compositionOffset = has(flags, 0x800) ? view.getInt32(next()) : 0
      if (at > trun.end || data + sizeBytes > bytes.length) throw new Error('a run reaches past its box')
      samples.push({ data: bytes.subarray(data, data + sizeBytes), compositionOffset })
      data += sizeBytes
    }
  }
  return { samples, startsWithSync: !has(firstFlags ?? 0, 0x10000) }
}
