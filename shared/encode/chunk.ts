// encode-chunk: one ffmpeg makes all renditions of a chunk, two those of the opening; they are checked, cut into segments, sealed and stored.
import { Problem } from '../core/problem.ts'
import { chunkArgv, rewinds } from './argv.ts'
import type { EncodeDeps } from './deps.ts'
import { type Chunk, chunkAt } from './grid.ts'
import { type Plan, tailSeconds } from './plan.ts'
import type { OpenedSource } from './ports.ts'
import { publish } from './publish.ts'
import { storeChunk } from './segments.ts'
import { readPlan, refuse, requireBuild, withSource } from './unit.ts'
import { chunkUnit, doneId, jobOf } from './units.ts'
import { settle, showTotal, titleOf, underWatch } from './watch.ts'
import { createRemarks, type Remarks } from './words.ts'
import type { ChunkTarget, Outcome, Turn } from './work.ts'

export const encodeChunk = (deps: EncodeDeps, input: ChunkTarget): Promise<Outcome<Partial<Turn>>> =>
  settle(deps, input, async () => {
    const plan = await readPlan(deps, input)
    if (await letsPass(deps, input)) return { ok: true, waitSeconds: passSeconds }
    const chunk = chunkAt(plan.video, input.chunk)
    const jobId = jobOf(input)
    if (await deps.units.get(jobId, doneId(jobId, input.chunk))) return published(deps, input, plan)
    await requireBuild(deps, plan)
    const of = { plan, chunk: input.chunk }
    let frames = 0
    const report = () => ({ plan, unit: chunkUnit(jobId, of, { frames, done: false, sizes: {} }) })
    const reading = { plan, assetId: input.assetId, unit: `chunk ${input.chunk}` }
    const sizes = await withSource(deps, reading, (opened) =>
      underWatch(deps, { target: input, report }, async (signal) => {
        const onFrames = (done: number) => {
          frames = Math.min(Math.max(frames, done), chunk.frames)
        }
        const shares = sharesOf(plan, input.chunk).map((share) =>
          runChunk(deps, { input, plan: share, chunk, opened, signal, onFrames }),
        )
        const files = Object.assign({}, ...(await Promise.all(shares)))
        return storeChunk(deps, { input, plan, chunk, files, signal })
      }),
    )
    await titleOf(deps, input)
    await deps.ledger.put(chunkUnit(jobId, of, { frames: chunk.frames, done: true, sizes }))
    return published(deps, input, plan)
  })

const passSeconds = 1
/** A title that is admitted is prepared within seconds; where openings come without end, everybody gets on. */
const mostPassed = 10
const lostSeconds = 60

/** Activities are taken in the order in which they came: what nobody waits for steps back, so that openings come up. */
export async function letsPass(
  deps: EncodeDeps,
  { assetId, chunk, passed }: Pick<ChunkTarget, 'assetId' | 'chunk' | 'passed'>,
): Promise<boolean> {
  if (chunk === 0) {
    await deps.openings.remove(assetId)
    return false
  }
  if (passed >= mostPassed) return false
  return deps.openings.waits(Math.floor(deps.clock.now() / 1000) - lostSeconds)
}

async function published(deps: EncodeDeps, input: ChunkTarget, plan: Plan): Promise<Outcome> {
  await publish(deps, input, plan)
  await showTotal(deps, input, plan)
  return { ok: true }
}

interface ChunkRun {
  readonly input: ChunkTarget
  readonly plan: Plan
  readonly chunk: Chunk
  readonly opened: OpenedSource
  readonly signal: AbortSignal
  readonly onFrames: (frames: number) => void
}

/** Somebody waits for the opening: its best rendition takes as long as the others together, so it is made beside them. */
function sharesOf(plan: Plan, chunk: number): Plan[] {
  const [top, ...others] = plan.renditions
  // HDR is tone-mapped once, for all of them.
  if (chunk > 0 || !top || others.length === 0 || plan.video.toneMapping.length > 0) return [plan]
  return [[top], others].map((renditions) => ({ ...plan, renditions }))
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
        ...(run.input.chunk > 0 ? { patience: 'much' as const } : {}),
        fileBytes: fileBytes(run.plan, run.chunk),
        signal: AbortSignal.any([run.signal, run.opened.failed, late.signal]),
        onOutput: (bytes) => run.onFrames(lastFrame(bytes)),
        onMessage: (line) => {
          remarks.take(line)
          if (sought && (remarks.firstFrame() ?? 0) > run.chunk.firstFrame) late.abort(tooLate)
        },
      })
      if (outcome.end === 'done' && sought && remarks.firstFrame() === undefined && rewind !== 'start')
        continue
      const wrong = wrongWithSource(run, remarks)
      if (outcome.end === 'done' && !wrong) return outcome.files
      const { assetId, chunk } = run.input
      const refused = refuse(deps, { assetId, name: `chunk ${chunk} ${rewind}` }, outcome)
      throw outcome.end === 'done' || outcome.end === 'failed' ? (wrong ?? refused) : refused
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

/** The source's own fault, whatever ffmpeg made of it: nothing came, what came can not be put together, or too much of it is damaged. */
function wrongWithSource({ plan, chunk }: ChunkRun, remarks: Remarks): Problem | undefined {
  if (remarks.firstFrame() === undefined)
    return new Problem(chunk.firstFrame === 0 ? 'source-unreadable' : 'source-truncated')
  const { video, source } = plan
  const rate = video.timescale / video.frameTicks
  const anewAt = remarks.anewAt()
  if (anewAt !== undefined)
    return new Problem('source-unreadable', {
      detail: `The picture is turned, and changes its size after ${Math.round(anewAt / rate)} s. Export the film again, upright and in one size, and upload that.`,
    })
  // Without an index a chunk begins to read in the middle of a group of pictures, which then looks damaged.
  const most = source.indexed ? tailSeconds * rate : chunk.frames / 2
  if (remarks.damaged() <= most) return undefined
  const from = Math.floor(chunk.firstFrame / rate)
  const to = Math.ceil((chunk.firstFrame + chunk.frames) / rate)
  return new Problem('source-unreadable', {
    detail: `The picture is damaged between ${from} s and ${to} s. Export the film again and upload that.`,
  })
}
