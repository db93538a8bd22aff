// How what ffmpeg made of a chunk becomes stored segments: checked frame by frame, cut, sealed and written once.
import { Problem } from '../core/problem.ts'
import type { EncodeDeps } from './deps.ts'
import { type Sample, writeFragment } from './fragment.ts'
import { type Chunk, leadFrames, segmentStart } from './grid.ts'
import { type ReadFile, readFragmented, withEditList } from './mp4.ts'
import { iframeRendition, type Plan } from './plan.ts'
import type { Seal } from './ports.ts'
import { initBlob, segmentBlob } from './timeline.ts'
import type { ChunkTarget } from './work.ts'

export interface ChunkStore {
  readonly input: ChunkTarget
  readonly plan: Plan
  readonly chunk: Chunk
  readonly files: Readonly<Record<string, Uint8Array>>
  readonly signal: AbortSignal
}

export async function storeChunk(deps: EncodeDeps, store: ChunkStore): Promise<Record<string, number[]>> {
  const { input, plan, files, signal } = store
  const seal = await deps.sealer.open(input, plan.hash)
  const sizes: Record<string, number[]> = {}
  for (const { name } of plan.renditions) {
    signal.throwIfAborted()
    const file = readFragmented(files[`${name}.mp4`] ?? new Uint8Array())
    const segments = cutSegments(file, plan, store.chunk)
    const init = withEditList(file.init, leadTicks(plan))
    await storeInit(deps, store, { rendition: name, init })
    const all = (rendition: string, cut: readonly Buffer[]) =>
      Promise.all(cut.map((bytes, index) => storeSegment(deps, { ...store, seal, rendition, index, bytes })))
    sizes[name] = await all(name, segments)
    if (name === plan.iframes)
      sizes[iframeRendition] = await all(iframeRendition, cutIframes(file, plan, store.chunk))
  }
  return sizes
}

async function storeInit(
  deps: EncodeDeps,
  { input, plan }: ChunkStore,
  { rendition, init }: { rendition: string; init: Uint8Array },
): Promise<void> {
  const blob = initBlob(input, plan, rendition)
  await deps.media.putOnce(blob, init, 'video/mp4')
  const there = await deps.media.get(blob)
  if (!there || Buffer.compare(there, init) !== 0)
    throw new Problem('encode-failed', {
      detail: `The chunks of ${rendition} do not share one init segment.`,
    })
}

async function storeSegment(
  deps: EncodeDeps,
  of: ChunkStore & { seal: Seal; rendition: string; index: number; bytes: Uint8Array },
): Promise<number> {
  const { input, plan, chunk, rendition, index, bytes } = of
  const number = chunk.firstSegment + index
  const sealed = of.seal({ rendition, number, bytes })
  const blob = segmentBlob(input, plan, { rendition, number })
  if (await deps.media.putOnce(blob, sealed, 'application/octet-stream')) return sealed.length
  // What plays is what lies there, whatever this run has made.
  const there = await deps.media.facts(blob)
  if (!there) throw new Problem('asset-failed')
  return there.sizeBytes
}

const leadTicks = ({ video }: Plan): number => leadFrames * video.frameTicks

/**
 * One fragment of ffmpeg's becomes one segment, but for a short tail, which goes with the one before; exactly the
 * planned frames, each shown exactly once, one after another.
 */
function cutSegments(file: ReadFile, plan: Plan, chunk: Chunk): Buffer[] {
  const { frameTicks, segmentFrames } = plan.video
  const samples = file.fragments.flatMap((fragment) => fragment.samples)
  if (samples.length < chunk.frames) throw new Problem('source-truncated')
  const wanted = Array.from({ length: Math.ceil(chunk.frames / segmentFrames) }, (_, n) =>
    Math.min(segmentFrames, chunk.frames - n * segmentFrames),
  )
  const fits =
    file.fragments.length === wanted.length &&
    file.fragments.every((fragment, n) => fragment.startsWithSync && fragment.samples.length === wanted[n]) &&
    shownOnce(samples, frameTicks) &&
    samples.every(({ compositionOffset }) => compositionOffset >= -leadTicks(plan))
  if (!fits)
    throw new Problem('encode-failed', { detail: 'The encoder did not keep to the frames of the plan.' })
  return Array.from({ length: chunk.segments }, (_, n) => {
    const number = chunk.firstSegment + n
    const start = segmentStart(plan.video, number)
    const end = segmentStart(plan.video, number + 1)
    return writeFragment({
      sequence: number + 1,
      decodeTime: start * frameTicks,
      // The ffmpeg of 2018 gives the first sample of a file three frames; what is decoded when follows from the count.
      sampleTicks: frameTicks,
      kind: 'video',
      samples: samples.slice(start - chunk.firstFrame, end - chunk.firstFrame).map(moved(plan)),
    })
  })
}

/** The first picture of each segment by itself, which lasts as long as the segment does. */
function cutIframes(file: ReadFile, plan: Plan, chunk: Chunk): Buffer[] {
  const samples = file.fragments.flatMap((fragment) => fragment.samples)
  return Array.from({ length: chunk.segments }, (_, n) => {
    const number = chunk.firstSegment + n
    const start = segmentStart(plan.video, number)
    return writeFragment({
      sequence: number + 1,
      decodeTime: start * plan.video.frameTicks,
      sampleTicks: (segmentStart(plan.video, number + 1) - start) * plan.video.frameTicks,
      kind: 'video',
      samples: samples.slice(start - chunk.firstFrame, start - chunk.firstFrame + 1).map(moved(plan)),
    })
  })
}

const moved =
  (plan: Plan) =>
  ({ data, compositionOffset }: Sample): Sample => ({
    data,
    compositionOffset: compositionOffset + leadTicks(plan),
  })

function shownOnce(samples: readonly Sample[], frameTicks: number): boolean {
  const shown = new Set(samples.map(({ compositionOffset }, index) => index + compositionOffset / frameTicks))
  return shown.size === samples.length && samples.every((_, index) => shown.has(index))
}
