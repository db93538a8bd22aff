// encode-poster: one frame of the title that is not black, as JPEG.
import { Problem } from '../core/problem.ts'
import { posterArgv } from './argv-poster.ts'
import type { EncodeDeps } from './deps.ts'
import { frameSeconds } from './plan.ts'
import type { OpenedSource } from './ports.ts'
import { posterBlob } from './timeline.ts'
import { killed, readPlan, withSource } from './unit.ts'
import { settle, titleOf, underWatch } from './watch.ts'
import type { Outcome, PlannedTarget } from './work.ts'

/** Parts of the title's length, in the order in which they are tried. */
const moments = [0.1, 0.3, 0.5, 0.7, 0.02, 0]
const posterMs = 120_000

/** A title without a poster still plays: only what is wrong with the source itself fails it. */
export const encodePoster = (deps: EncodeDeps, input: PlannedTarget): Promise<Outcome> =>
  settle(deps, input, async () => {
    const plan = await readPlan(deps, input)
    const lengthSeconds = plan.video.frames * frameSeconds(plan)
    const reading = { plan, assetId: input.assetId, unit: 'poster' }
    const jpeg = await withSource(deps, reading, (opened) =>
      underWatch(deps, { target: input }, async (signal) => {
        let best: { jpeg: Uint8Array; contrast: number } | undefined
        for (const part of moments) {
          const argv = posterArgv(plan, { url: opened.url, atSeconds: part * lengthSeconds })
          const shot = await takeShot(deps, { argv, opened, signal })
          if (shot && (!best || shot.contrast > best.contrast)) best = shot
          if (best && best.contrast >= enough) break
        }
        return best?.jpeg
      }),
    )
    await titleOf(deps, input)
    if (jpeg) await deps.media.putOnce(posterBlob(input), jpeg, 'image/jpeg')
    else deps.log('warn', 'encode.no-poster', { assetId: input.assetId })
    return { ok: true }
  })

/** Standard deviation of 8-bit grey: black, white and fades have less. */
const enough = 16

interface Shot {
  readonly argv: readonly string[]
  readonly opened: OpenedSource
  readonly signal: AbortSignal
}

async function takeShot(deps: EncodeDeps, { argv, opened, signal }: Shot) {
  const grey: Uint8Array[] = []
  const outcome = await deps.ffmpeg
    .run({
      program: 'ffmpeg',
      argv,
      outputs: ['poster.jpg'],
      wallMs: posterMs,
      patience: 'much',
      fileBytes: 16 << 20,
      signal: AbortSignal.any([signal, opened.failed]),
      onOutput: (bytes) => void grey.push(bytes),
    })
    .catch((error: unknown) => {
      if (error instanceof Problem || signal.aborted || opened.failed.aborted) throw error
      return undefined
    })
  // Another moment would do, but a repeated unit must come to the same picture.
  if (outcome?.end === 'killed') throw killed()
  const jpeg = outcome?.files['poster.jpg']
  return jpeg?.length ? { jpeg, contrast: contrastOf(Buffer.concat(grey)) } : undefined
}

export function contrastOf(grey: Uint8Array): number {
  if (grey.length === 0) return 0
  const mean = grey.reduce((sum, value) => sum + value, 0) / grey.length
  const variance = grey.reduce((sum, value) => sum + (value - mean) ** 2, 0) / grey.length
  return Math.sqrt(variance)
}
