// encode-prepare: what was uploaded, whether it may be encoded, and the plan by which all units will work.
import { planned, progressed } from '../assets/machine.ts'
import { sha256Hex } from '../core/hash.ts'
import { Problem } from '../core/problem.ts'
import { chunkArgv, probeArgv } from './argv.ts'
import { audioArgv, decodedArgv } from './argv-audio.ts'
import { walkBoxes } from './boxes.ts'
import type { EncodeDeps, EncodeLimits } from './deps.ts'
import { executorOf, windowOf } from './executor.ts'
import { chunkCount } from './grid.ts'
import { believeOrMeasure, type Reading } from './length.ts'
import { isHdr } from './picture.ts'
import { heardSeconds, makePlan, Plan, plannedSeconds } from './plan.ts'
import type { EncodeTarget, OpenedSource } from './ports.ts'
import { type Probe, parseProbe, type VideoStream } from './probe.ts'
import { renditionNames } from './publish.ts'
import { sniffContainer } from './sniff.ts'
import { planBlob } from './timeline.ts'
import { killed } from './unit.ts'
import { isUnheard } from './verify.ts'
import { settle, titleOf, underWatch } from './watch.ts'
import { withoutAddress } from './words.ts'
import type { Outcome, Prepared } from './work.ts'

const probeMs = 120_000

export const prepare = (deps: EncodeDeps, target: EncodeTarget): Promise<Outcome<Prepared>> =>
  settle(deps, target, async () => {
    const { tenantId, assetId, version } = target
    const { source } = await titleOf(deps, target)
    const probing = { version, percent: 0, stage: 'probing' } as const
    await deps.assets.update(tenantId, assetId, (asset) => progressed(asset, probing, deps.clock.now()))
    // Found and asked only once by a process: meanwhile the source is opened.
    deps.ffmpeg.tools().catch(() => {})
    const opened = await deps.ffmpeg.open(source, deps.sources)
    try {
      const plan = await underWatch(deps, { target }, (signal) => planOf(deps, { source, opened, signal }))
      const blob = planBlob(target, plan.hash)
      await deps.charge(target, plannedSeconds(plan))
      await deps.sealer.prepare(target, renditionNames(plan))
      await deps.media.putOnce(blob, Buffer.from(JSON.stringify(plan)), 'application/json')
      await deps.assets.update(tenantId, assetId, (asset) =>
        planned(asset, { version, plan: blob }, deps.clock.now()),
      )
      const { frames, toneMapping } = plan.video
      const chunks = chunkCount(plan.video)
      const by = executorOf(plan, deps.limits, deps.prices.speed.pixelsPerSecond)
      deps.log('info', 'encode.planned', {
        assetId,
        frames,
        chunks,
        toneMapped: toneMapping.length > 0,
        by,
      })
      return {
        ok: true,
        plan: blob,
        chunks,
        window: windowOf(by, deps.limits),
        hasAudio: plan.audio !== undefined,
        verified: source.sha256 !== undefined || isUnheard(plan),
        ...(by === 'app' ? {} : { fleetSinceMs: deps.clock.now() }),
        ...(by === 'both' ? { shared: true as const } : {}),
      }
    } finally {
      await opened.close()
      deps.log('info', 'encode.read', { assetId, unit: 'probe', bytes: opened.fetchedBytes() })
    }
  })

interface Inspected {
  readonly source: { readonly blob: string; readonly etag: string; readonly sizeBytes: number }
  readonly opened: OpenedSource
  readonly signal: AbortSignal
}

export async function planOf(deps: EncodeDeps, { source, opened, signal }: Inspected): Promise<Plan> {
  const stop = AbortSignal.any([signal, opened.failed])
  const container = sniffContainer(await opened.read(0, 4096))
  const boxes = container.isoBoxes ? await walkBoxes(opened.sizeBytes, opened.read) : []
  const told = accepted(await runProbe(deps, { container, opened, stop }), deps.limits)
  const { probe, durationSeconds } = await believeOrMeasure(deps, {
    probe: told,
    container,
    boxes,
    opened,
    stop,
  })
  const lastsSeconds = Math.max(durationSeconds, heardSeconds({ probe, durationSeconds }))
  if (lastsSeconds > deps.limits.maxSeconds)
    throw new Problem('source-too-long', {
      detail: `It lasts ${Math.round(lastsSeconds)} s, the limit is ${deps.limits.maxSeconds} s. Cut it into parts.`,
    })
  const { build, filters } = await deps.ffmpeg.tools()
  const { threads, chunkSegments } = deps.limits
  const { blob, etag, sizeBytes } = source
  const facts = {
    probe,
    container,
    source: { blob, etag, sizeBytes },
    durationSeconds,
    build,
    filters,
    threads,
    chunkSegments,
  }
  const plan = makePlan(facts)
  if (isHdr(probe.video) && plan.video.toneMapping.length === 0)
    deps.log('warn', 'encode.no-tone-mapping', {
      hint: 'this ffmpeg lacks zscale or tonemap: HDR will look pale',
    })
  return sealed(plan)
}

/** The hash covers the command lines too: a change of the code that makes other bytes makes other names. */
function sealed(draft: Omit<Plan, 'hash'>): Plan {
  const plan = Plan.parse({ ...draft, hash: '' })
  const sound = plan.audio ? [decodedArgv(plan, ''), audioArgv(plan)] : []
  const lines = [chunkArgv(plan, 0, { url: '', rewind: 'start' }), ...sound]
  return { ...plan, hash: sha256Hex(JSON.stringify([plan, lines])).slice(0, 20) }
}

async function runProbe(deps: EncodeDeps, { container, opened, stop }: Reading): Promise<Probe> {
  const parts: Uint8Array[] = []
  let size = 0
  const { end, messages } = await deps.ffmpeg.run({
    program: 'ffprobe',
    argv: probeArgv(container, opened.url),
    wallMs: probeMs,
    signal: stop,
    onOutput: (bytes) => {
      size += bytes.length
      if (size <= 8 << 20) parts.push(bytes)
    },
  })
  if (end === 'done') return parseProbe(Buffer.concat(parts).toString('utf8'))
  if (end === 'killed') throw killed()
  deps.log('warn', 'encode.probe-failed', { end, messages: withoutAddress(messages) })
  throw new Problem(container.isoBoxes || container.indexed ? 'source-unreadable' : 'source-not-media')
}

function accepted(probe: Probe, limits: EncodeLimits): Probe & { video: VideoStream } {
  const { video, brokenAudio } = probe
  // Sound alone is a film without pictures; nothing at all is an index that is broken.
  if (!video) throw new Problem(probe.audio || brokenAudio ? 'source-without-video' : 'source-unreadable')
  if (['unknown', 'none'].includes(video.codec))
    throw new Problem('source-unreadable', {
      detail: 'The video is in a format that can not be decoded here. Export it as H.264 or HEVC.',
    })
  if (video.width < 16 || video.height < 16)
    throw new Problem('source-unreadable', {
      detail: `The picture is ${video.width}×${video.height}; it must be at least 16×16.`,
    })
  if (video.width * video.height > limits.maxPixels) throw new Problem('source-too-many-pixels')
  if (brokenAudio)
    throw new Problem('source-unreadable', {
      detail: 'The sound can not be decoded. Export it as AAC, or without sound.',
    })
  return { ...probe, video }
}
