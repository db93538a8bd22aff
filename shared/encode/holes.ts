// Which bytes of a source the sound does not need: where its pictures lie, by the index of an MP4 (ISO/IEC 14496-12 8.7).
import { walkBoxes } from './boxes.ts'
import { matroskaLayout } from './matroska.ts'
import { boxesIn, type Found, find } from './mp4.ts'
import type { Plan } from './plan.ts'
import type { Hole, Layout, OpenedSource } from './ports.ts'

/** Two days of film have no larger one. */
const indexMaxBytes = 128 << 20

/** What the sound needs; undefined where all of it is read, for want of an index. */
export async function soundLayout(plan: Plan, opened: OpenedSource): Promise<Layout | undefined> {
  const { source, video } = plan
  if (!source.isoBoxes)
    return source.indexed ? matroskaLayout(video.stream, opened.sizeBytes, opened.read) : undefined
  const holes = await isoHoles(plan, opened)
  const [first, last] = [holes[0], holes.at(-1)]
  if (!first || !last) return undefined
  const all = { start: first.start, end: last.end, holes: Promise.resolve(holes) }
  return { start: all.start, next: async (offset) => (offset === all.start ? all : undefined) }
}

async function isoHoles({ video }: Plan, opened: OpenedSource): Promise<Hole[]> {
  const boxes = await walkBoxes(opened.sizeBytes, opened.read)
  const moov = boxes.find(({ type }) => type === 'moov')
  if (!moov || moov.sizeBytes > indexMaxBytes || boxes.some(({ type }) => type === 'moof')) return []
  const bytes = await opened.read(moov.offset, moov.sizeBytes)
  try {
    return chooseHoles(pictureRuns(bytes, video.stream), opened.sizeBytes)
  } catch {
    return []
  }
}

/** The pictures of stream `index`, as runs of bytes in the order of the file; none where the index is not of that kind. */
export function pictureRuns(moov: Uint8Array, index: number): Hole[] {
  const movie = [...boxesIn(moov)].find(({ type }) => type === 'moov')
  const track =
    movie && [...boxesIn(moov, movie.body, movie.end)].filter(({ type }) => type === 'trak')[index]
  const table = track && find(moov, ['mdia', 'minf', 'stbl'], track)
  if (!table || !find(moov, ['mdia', 'minf', 'vmhd'], track)) return []
  const [sizes, spread, offsets, far] = ['stsz', 'stsc', 'stco', 'co64'].map((type) =>
    find(moov, [type], table),
  )
  if (!sizes || !spread || !(offsets ?? far)) return []
  const starts = far
    ? numbers(moov, far, { skip: 8, bytes: 8 })
    : numbers(moov, offsets as Found, { skip: 8, bytes: 4 })
  return joined(chunkRuns(starts, sampleSizes(moov, sizes), numbers(moov, spread, { skip: 8, bytes: 4 })))
}

/** A table of big-endian numbers behind version, flags and `skip - 4` bytes more; never beyond its box. */
function numbers(
  bytes: Uint8Array,
  box: Found,
  { skip, bytes: width }: { skip: number; bytes: 4 | 8 },
): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + box.body, box.end - box.body)
  const list: number[] = []
  for (let at = skip; at + width <= view.byteLength; at += width)
    list.push(width === 4 ? view.getUint32(at) : Number(view.getBigUint64(at)))
  return list
}

/** stsz (8.7.3.2): one size for all, or one for each. */
function sampleSizes(bytes: Uint8Array, box: Found): (sample: number) => number {
  const [common = 0, , ...each] = numbers(bytes, box, { skip: 4, bytes: 4 })
  return common > 0 ? () => common : (sample) => each[sample] ?? 0
}

/** stsc (8.7.4): how many samples each chunk has, told where it changes. */
function chunkRuns(
  starts: readonly number[],
  sizeOf: (sample: number) => number,
  spread: readonly number[],
): Hole[] {
  let sample = 0
  let entry = 0
  return starts.map((start, chunk) => {
    while ((spread[3 * (entry + 1)] ?? Number.POSITIVE_INFINITY) <= chunk + 1) entry++
    let end = start
    for (let left = Math.min(spread[3 * entry + 1] ?? 0, 100_000); left > 0; left--) end += sizeOf(sample++)
    return { start, end }
  })
}

/** In the order of the file; runs that touch are one. */
function joined(runs: readonly Hole[]): Hole[] {
  const list: { start: number; end: number }[] = []
  for (const { start, end } of [...runs].sort((a, b) => a.start - b.start)) {
    const last = list.at(-1)
    if (last && start <= last.end) last.end = Math.max(last.end, end)
    else if (end > start) list.push({ start, end })
  }
  return list
}

/** What the sound may read of a source, and the runs that are tried as holes: each read costs a request. */
const mostShare = 0.4
const leastBytes = [1 << 20, 1 << 19, 1 << 18, 1 << 17, 1 << 16, 1 << 15, 1 << 14, 1 << 13, 1 << 12]
/** ffmpeg looks at the first pictures to know its streams. */
const headBytes = 1 << 20

/** The fewest holes that keep the sound within its share; none where they would save little. */
export function chooseHoles(runs: readonly Hole[], sizeBytes: number): Hole[] {
  const sane = runs
    .map(({ start, end }) => ({ start: Math.max(start, headBytes), end: Math.min(end, sizeBytes) }))
    .filter(({ start, end }) => start < end)
  for (const least of leastBytes) {
    const holes = sane.filter(({ start, end }) => end - start >= least)
    const left = sizeBytes - holes.reduce((sum, { start, end }) => sum + end - start, 0)
    if (left <= mostShare * sizeBytes || (least === leastBytes.at(-1) && left <= 0.8 * sizeBytes))
      return holes
  }
  return []
}
