// encode-audio: one job makes all of a title's sound; each segment is sealed and stored as soon as it is whole.
import { Problem } from '../core/problem.ts'
import { audioInit, createFrameCutter, primingFrames } from './aac.ts'
import { audioArgv, audioBitrate, decodedArgv } from './argv-audio.ts'
import type { EncodeDeps } from './deps.ts'
import { writeFragment } from './fragment.ts'
import { soundLayout } from './holes.ts'
import { audioEdge, audioFrameSamples, audioRate, audioRendition, type Plan } from './plan.ts'
import type { OpenedSource } from './ports.ts'
import { publish } from './publish.ts'
import { initBlob, segmentBlob } from './timeline.ts'
import { readPlan, refuse, requireBuild, withSource } from './unit.ts'
import { audioUnit, doneId, jobOf } from './units.ts'
import { settle, titleOf, underWatch } from './watch.ts'
import { beginsAgain, createRemarks } from './words.ts'
import type { Outcome, PlannedTarget } from './work.ts'

export const encodeAudio = (deps: EncodeDeps, input: PlannedTarget): Promise<Outcome> =>
  settle(deps, input, async () => {
    const plan = await readPlan(deps, input)
    const jobId = jobOf(input)
    if (await deps.units.get(jobId, doneId(jobId, audioRendition))) {
      await publish(deps, input, plan)
      return { ok: true }
    }
    await requireBuild(deps, plan)
    const writer = await createWriter(deps, input, plan)
    const unit = (done: boolean) =>
      audioUnit(jobId, {
        frames: writer.frames(),
        done,
        sizes: { [audioRendition]: [...writer.sizes] },
      })
    const report = () => ({ plan, unit: unit(false) })
    const reading = { plan, assetId: input.assetId, unit: audioRendition }
    const layout = await withSource(deps, reading, (opened) => soundLayout(plan, opened))
    const work = (opened: OpenedSource) =>
      underWatch(deps, { target: input, report }, async (signal) => {
        const remarks = createRemarks()
        const outcome = await deps.ffmpeg.run({
          program: 'ffmpeg',
          argv: audioArgv(plan),
          feed: decodedArgv(plan, opened.url),
          wallMs: deps.limits.unitMs,
          // Playing waits for its first segment alone, which takes a tenth of a second; all of it may take longer than an opening.
          patience: 'little',
          signal: AbortSignal.any([signal, opened.failed]),
          onMessage: remarks.take,
          onOutput: async (bytes) => {
            const before = writer.sizes.length
            await writer.push(bytes)
            // The first one is what the title waits for; later ones are written down at the next look.
            if (before === 0 && writer.sizes.length > 0) {
              await deps.ledger.put(unit(false))
              await publish(deps, input, plan)
            }
          },
        })
        // There are sound tracks without a sound: of nothing, nothing can be encoded.
        if (outcome.end === 'failed' && remarks.isEmpty() && writer.sizes.length === 0) return
        const restart = remarks.restart()
        if (restart !== undefined) throw beginsAgain(restart / audioRate)
        if (outcome.end !== 'done')
          throw refuse(deps, { assetId: input.assetId, name: audioRendition }, outcome)
        writer.end()
      })
    await withSource(deps, { ...reading, layout }, work)
    await titleOf(deps, input)
    await deps.ledger.put(unit(true))
    await publish(deps, input, plan)
    return { ok: true }
  })

interface Writer {
  push(bytes: Uint8Array): Promise<void>
  /** Nothing at all may have come: there are sound tracks without a sound. */
  end(): void
  /** AAC frames stored so far. */
  frames(): number
  /** Sealed sizes of the segments so far. */
  readonly sizes: number[]
}

async function createWriter(deps: EncodeDeps, target: PlannedTarget, plan: Plan): Promise<Writer> {
  const channels = plan.audio?.channels
  if (!channels) throw new Problem('encode-failed', { detail: 'The plan has no sound.' })
  const seal = await deps.sealer.open(target, plan.hash)
  const cutter = createFrameCutter()
  const sizes: number[] = []
  let waiting: Uint8Array[] = []
  let toDrop = primingFrames
  let stored = 0

  async function store(frames: Uint8Array[]): Promise<void> {
    const number = sizes.length
    const bytes = writeFragment({
      sequence: number + 1,
      decodeTime: stored * audioFrameSamples,
      sampleTicks: audioFrameSamples,
      kind: 'audio',
      samples: frames.map((data) => ({ data, compositionOffset: 0 })),
    })
    const sealed = seal({ rendition: audioRendition, number, bytes })
    const blob = segmentBlob(target, plan, { rendition: audioRendition, number })
    if (number === 0) {
      const init = audioInit(channels as 1 | 2, audioBitrate(channels as 1 | 2))
      await deps.media.putOnce(initBlob(target, plan, audioRendition), init, 'audio/mp4')
    }
    await deps.media.putOnce(blob, sealed, 'application/octet-stream')
    stored += frames.length
    sizes.push(sealed.length)
  }

  const nextLength = (): number => audioEdge(plan, sizes.length + 1) - audioEdge(plan, sizes.length)
  return {
    sizes,
    frames: () => stored,
    async push(bytes) {
      const frames = cutter.push(bytes)
      waiting.push(...frames.slice(toDrop))
      toDrop = Math.max(0, toDrop - frames.length)
      for (let length = nextLength(); length > 0 && waiting.length >= length; length = nextLength()) {
        const whole = waiting.slice(0, length)
        waiting = waiting.slice(length)
        await store(whole)
      }
    },
    end() {
      if (sizes.length > 0 && nextLength() > 0)
        throw new Problem('encode-failed', { detail: 'The sound ended before the picture.' })
    },
  }
}
