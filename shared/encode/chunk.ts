// encode-chunk: one ffmpeg makes all renditions of a chunk; they are checked, cut into segments, sealed and stored.
import { Problem } from '../core/problem.ts'
import { chunkArgv, rewinds } from './argv.ts'
import type { EncodeDeps } from './deps.ts'
import { type Sample, writeFragment } from './fragment.ts'
import { type ReadFile, readFragmented } from './mp4.ts'
import { type Chunk, type Plan, tailSeconds } from './plan.ts'
import type { OpenedSource, Seal } from './ports.ts'
import { publish } from './publish.ts'
import { initBlob, segmentBlob } from './timeline.ts'
import { readPlan, refuse, requireBuild, withSource } from './unit.ts'
import { chunkUnit } from './units.ts'
import { jobOf, settle, showTotal, titleOf, underWatch } from './watch.ts'
import { createRemarks, type Remarks } from './words.ts'
import type { ChunkTarget, Outcome } from './work.ts'

export const encodeChunk = (deps: EncodeDeps, input: ChunkTarget): Promise<Outcome> =>
  settle(deps, input, async () => {
    const plan = await readPlan(deps, input)
    const chunk = plan.chunks[input.chunk]
    if (!chunk) throw new Problem('encode-failed', { detail: `The plan has no chunk ${input.chunk}.` })
    await requireBuild(deps, plan)
    const jobId = jobOf(input)
    const of = { plan, chunk: input.chunk }
    let frames = 0
    const report = () => ({ plan, unit: chunkUnit(jobId, of, { frames, done: false, sizes: {} }) })
    const sizes = await withSource(deps, plan, (opened) =>
      underWatch(deps, { target: input, report }, async (signal) => {
        const files = await runChunk(deps, {
          input,
          plan,
          chunk,
          opened,
          signal,
          onFrames: (done) => {
            frames = Math.min(Math.max(frames, done), chunk.frames)
          },
        })
        return storeChunk(deps, { input, plan, chunk, files, signal })
      }),
    )
    await titleOf(deps, input)
    await deps.units.put(chunkUnit(jobId, of, { frames: chunk.frames, done: true, sizes }))
    await publish(deps, input, plan)
    await showTotal(deps, input, plan)
    return { ok: true }
  })

interface ChunkRun {
  readonly input: ChunkTarget
  readonly plan: Plan
  readonly chunk: Chunk
  readonly opened: OpenedSource
  readonly signal: AbortSignal
  readonly onFrames: (frames: number) => void
}

/** Far more than rate control lets through. */
const fileBytes = (plan: Plan, chunk: Chunk): number => {
  const seconds = (chunk.frames * plan.video.frameTicks) / plan.video.timescale
  const kbps = Math.max(...plan.renditions.map(({ maxrateKbps }) => maxrateKbps))
  return Math.ceil(4 * (kbps * 125) * (seconds + 2)) + (1 << 20)
}

/** Where a seek landed too late, it is tried again from further back; what came too late is not waited for. */
async function runChunk(deps: EncodeDeps, run: ChunkRun): Promise<Readonly<Record<string, Uint8Array>>> {
  for (const rewind of rewinds) {
    const remarks = createRemarks()
    const late = new AbortController()
    const argv = chunkArgv(run.plan, run.input.chunk, { url: run.opened.url, rewind })
    const sought = argv.includes('-ss')
    try {
      const outcome = await deps.ffmpeg.run({
        program: 'ffmpeg',
        argv,
        outputs: run.plan.renditions.map(({ name }) => `${name}.mp4`),
        wallMs: deps.limits.unitMs,
        fileBytes: fileBytes(run.plan, run.chunk),
        signal: AbortSignal.any([run.signal, run.opened.failed, late.signal]),
        onOutput: (bytes) => run.onFrames(lastFrame(bytes)),
        onMessage: (line) => {
          remarks.take(line)
          if (sought && (remarks.firstFrame() ?? 0) > run.chunk.firstFrame) late.abort(tooLate)
        },
      })
      if (outcome.end === 'done') {
        if (sought && remarks.firstFrame() === undefined && rewind !== 'start') continue
        return checkRemarks(run, remarks, outcome.files)
      }
      const { assetId, chunk } = run.input
      throw emptySource(run, remarks) ?? refuse(deps, { assetId, name: `chunk ${chunk} ${rewind}` }, outcome)
    } catch (error) {
      if (error !== tooLate) throw error
    }
  }
  throw new Problem('source-truncated')
}

const tooLate = new Error('the seek landed behind the first frame')

const lastFrame = (bytes: Uint8Array): number => {
  const values = [
    ...Buffer.from(bytes)
      .toString('latin1')
      .matchAll(/^frame=\s*(\d+)/gm),
  ]
  return Number(values.at(-1)?.[1] ?? 0)
}

const emptySource = ({ chunk }: ChunkRun, remarks: Remarks): Problem | undefined =>
  remarks.firstFrame() === undefined
    ? new Problem(chunk.firstFrame === 0 ? 'source-unreadable' : 'source-truncated')
    : undefined

function checkRemarks<T>(run: ChunkRun, remarks: Remarks, files: T): T {
  const empty = emptySource(run, remarks)
  if (empty) throw empty
  const { video, source } = run.plan
  const rate = video.timescale / video.frameTicks
  // Without an index a chunk begins to read in the middle of a group of pictures, which then looks damaged.
  const most = source.indexed ? tailSeconds * rate : run.chunk.frames / 2
  if (remarks.damaged() <= most) return files
  const from = Math.floor(run.chunk.firstFrame / rate)
  throw new Problem('source-unreadable', {
    detail: `The picture is damaged between ${from} s and ${Math.ceil(from + run.chunk.frames / rate)} s. Export the film again and upload that.`,
  })
}

interface ChunkStore {
  readonly input: ChunkTarget
  readonly plan: Plan
  readonly chunk: Chunk
  readonly files: Readonly<Record<string, Uint8Array>>
  readonly signal: AbortSignal
}

async function storeChunk(deps: EncodeDeps, store: ChunkStore): Promise<Record<string, number[]>> {
  const { input, plan, files, signal } = store
  const seal = await deps.sealer.open(input, plan.hash)
  const sizes: Record<string, number[]> = {}
  for (const { name } of plan.renditions) {
    signal.throwIfAborted()
    const file = readFragmented(files[`${name}.mp4`] ?? new Uint8Array())
    const segments = cutSegments(file, plan, store.chunk)
    await storeInit(deps, store, { rendition: name, init: file.init })
    sizes[name] = await Promise.all(
      segments.map((bytes, index) => storeSegment(deps, { ...store, seal, rendition: name, index, bytes })),
    )
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
  await deps.media.putOnce(
    segmentBlob(input, plan, { rendition, number }),
    sealed,
    'application/octet-stream',
  )
  return sealed.length
}

/** One fragment of ffmpeg's becomes one segment; exactly the planned frames, each shown exactly once, one after another. */
export function cutSegments(file: ReadFile, plan: Plan, chunk: Chunk): Buffer[] {
  const { frameTicks, segmentFrames } = plan.video
  const samples = file.fragments.flatMap((fragment) => fragment.samples)
  if (samples.length < chunk.frames) throw new Problem('source-truncated')
  const wanted = Array.from({ length: chunk.segments }, (_, n) =>
    Math.min(segmentFrames, chunk.frames - n * segmentFrames),
  )
  const fits =
    file.fragments.length === chunk.segments &&
    file.fragments.every((fragment, n) => fragment.startsWithSync && fragment.samples.length === wanted[n]) &&
    shownOnce(samples, frameTicks)
  if (!fits)
    throw new Problem('encode-failed', { detail: 'The encoder did not keep to the frames of the plan.' })
  return file.fragments.map((fragment, n) =>
    writeFragment({
      sequence: chunk.firstSegment + n + 1,
      decodeTime: (chunk.firstFrame + n * segmentFrames) * frameTicks,
      // The ffmpeg of 2018 gives the first sample of a file three frames; what is decoded when follows from the count.
      sampleTicks: frameTicks,
      kind: 'video',
      samples: fragment.samples,
    }),
  )
}

function shownOnce(samples: readonly Sample[], frameTicks: number): boolean {
  const shown = new Set(samples.map(({ compositionOffset }, index) => index + compositionOffset / frameTicks))
  return shown.size === samples.length && samples.every((_, index) => shown.has(index))
}
