// Where the pictures of a Matroska or WebM file lie: block by block, cluster by cluster (RFC 9559), as it is read.
import type { Hole, Layout, ReadBytes, Stretch } from './ports.ts'

const ids = {
  header: 0x1a45dfa3,
  segment: 0x18538067,
  tracks: 0x1654ae6b,
  track: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  cluster: 0x1f43b675,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
} as const

interface Element {
  readonly id: number
  readonly start: number
  /** Where its content begins, and what follows it. */
  readonly body: number
  readonly end: number
}

/** RFC 8794 4: as many bytes as there are leading zeros in the first one, and one more. Undefined for none that fits. */
function readNumber(
  bytes: Uint8Array,
  at: number,
  keepMarker: boolean,
): { value: number; length: number } | undefined {
  const first = bytes[at] ?? 0
  const length = Math.clz32(first) - 23
  if (length > 8 || at + length > bytes.length) return undefined
  let value = keepMarker ? first : first & (0xff >> length)
  let isUnknown = !keepMarker && value === 0xff >> length
  for (const next of bytes.subarray(at + 1, at + length)) {
    value = value * 256 + next
    isUnknown &&= next === 0xff
  }
  return isUnknown || !Number.isSafeInteger(value) ? undefined : { value, length }
}

/** The element at `at` of bytes that begin at `base` of the file. Live recordings have some without a size: undefined. */
function elementAt(bytes: Uint8Array, at: number, base: number): Element | undefined {
  const id = readNumber(bytes, at, true)
  const size = id && id.length <= 4 ? readNumber(bytes, at + id.length, false) : undefined
  if (!id || !size) return undefined
  const body = base + at + id.length + size.length
  return { id: id.value, start: base + at, body, end: body + size.value }
}

function* childrenOf(bytes: Uint8Array, from: number, to: number): Generator<Element> {
  for (let at = from; at < Math.min(to, bytes.length); ) {
    const element = elementAt(bytes, at, 0)
    if (!element) return
    yield element
    at = element.end
  }
}

const unsigned = (bytes: Uint8Array, { body, end }: Element): number =>
  bytes.subarray(body, Math.min(end, body + 6)).reduce((sum, byte) => sum * 256 + byte, 0)

/** Types that ffmpeg numbers as streams: pictures, sound, subtitles, metadata. */
const streamTypes = new Set([1, 2, 0x11, 0x21])

interface Begun {
  readonly firstCluster: number
  /** Number of the track that the pictures have. */
  readonly track: number
}

/** By what stands before the first cluster; undefined when that is not all there, or stream `index` is no picture. */
function begin(head: Uint8Array, index: number): Begun | undefined {
  const [header] = childrenOf(head, 0, head.length)
  const segment = header?.id === ids.header ? segmentAt(head, header.end) : undefined
  let track: number | undefined
  for (const element of segment === undefined ? [] : childrenOf(head, segment, head.length)) {
    if (element.id === ids.tracks && element.end <= head.length) track = pictureTrack(head, element, index)
    if (element.id === ids.cluster)
      return track === undefined ? undefined : { firstCluster: element.start, track }
  }
  return undefined
}

/** A segment may be of unknown size: it lasts to the end of the file. */
function segmentAt(head: Uint8Array, at: number): number | undefined {
  const id = readNumber(head, at, true)
  if (id?.value !== ids.segment) return undefined
  return at + id.length + Math.clz32(head[at + id.length] ?? 0) - 23
}

function pictureTrack(head: Uint8Array, tracks: Element, index: number): number | undefined {
  const streams = [...childrenOf(head, tracks.body, tracks.end)]
    .filter(({ id }) => id === ids.track)
    .map((entry) => {
      const fields = [...childrenOf(head, entry.body, entry.end)]
      const value = (id: number) =>
        fields.flatMap((field) => (field.id === id ? [unsigned(head, field)] : []))[0]
      return { number: value(ids.trackNumber), type: value(ids.trackType) ?? 0 }
    })
    .filter(({ type }) => streamTypes.has(type))
  const stream = streams[index]
  return stream?.type === 1 ? stream.number : undefined
}

const headBytes = 256 << 10
/** The first pictures are looked at, and what is small is not worth a request. */
const wholeBytes = 1 << 20
const leastHoleBytes = 4 << 10
/** Headers of a few blocks, where they are small. */
const peekBytes = 256
const leastAverageBytes = 8 << 10

/** Undefined where nothing can be left unread. */
export async function matroskaLayout(
  index: number,
  sizeBytes: number,
  read: ReadBytes,
): Promise<Layout | undefined> {
  const begun = begin(await read(0, Math.min(headBytes, sizeBytes)), index)
  if (!begun) return undefined
  const peek = async (offset: number, fetch: ReadBytes): Promise<Element | undefined> =>
    offset < sizeBytes
      ? elementAt(await fetch(offset, Math.min(16, sizeBytes - offset)), 0, offset)
      : undefined
  let isWorth = true
  return {
    start: begun.firstCluster,
    async next(offset, fetch): Promise<Stretch | undefined> {
      const element = isWorth ? await peek(offset, fetch) : undefined
      if (!element || element.end > sizeBytes) return undefined
      const { body, end } = element
      const isFilm = element.id === ids.cluster && offset >= wholeBytes
      const holes = isFilm
        ? walkCluster({ body, end, track: begun.track }, fetch).then(({ found, blocks }) => {
            isWorth &&= (end - body) / Math.max(1, blocks) >= leastAverageBytes
            return found
          })
        : Promise.resolve([])
      return { start: offset, end, holes }
    },
  }
}

/** Reads from header to header; the blocks of pictures are holes, but for what says that they are. */
async function walkCluster(
  cluster: { body: number; end: number; track: number },
  fetch: ReadBytes,
): Promise<{ found: Hole[]; blocks: number }> {
  const found: Hole[] = []
  let blocks = 0
  let bytes: Uint8Array = new Uint8Array()
  let base = cluster.body
  for (let at = cluster.body; at < cluster.end; ) {
    // Enough for the headers of a group and its block, and the block's track.
    if (at < base || at + 32 > base + bytes.length) {
      base = at
      bytes = await fetch(at, Math.min(peekBytes, cluster.end - at))
    }
    const element = elementAt(bytes, at - base, base)
    if (!element || element.end > cluster.end) return { found: [], blocks }
    const block = element.id === ids.blockGroup ? elementAt(bytes, element.body - base, base) : element
    if (block && (block.id === ids.simpleBlock || block.id === ids.block)) {
      blocks++
      const track = readNumber(bytes, block.body - base, false)
      const start = block.body + (track?.length ?? 0) + 3
      if (track?.value === cluster.track && block.end - start >= leastHoleBytes)
        found.push({ start, end: block.end })
    }
    at = element.end
  }
  return { found, blocks }
}
