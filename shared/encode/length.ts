// How long a source's video is: what the file says where that can be believed, else what its packets show.
import { Problem } from '../core/problem.ts'
import { packetsArgv } from './argv.ts'
import type { Box } from './boxes.ts'
import type { EncodeDeps } from './deps.ts'
import { type Measure, measurePackets } from './measure.ts'
import type { OpenedSource } from './ports.ts'
import type { AudioStream, Probe, VideoStream } from './probe.ts'
import type { Container } from './sniff.ts'
import { killed } from './unit.ts'

type FilmProbe = Probe & { readonly video: VideoStream }

interface Told {
  readonly probe: FilmProbe
  readonly container: Container
  readonly boxes: readonly Box[]
  readonly opened: OpenedSource
  readonly stop: AbortSignal
}

/** Under this many bits a second a claimed length is not believed. */
const leastBitrate = 2000
/** A container's own length may count from its zero or from its first picture: up to here it makes no difference. */
const lateStartSeconds = 0.25

/** Undefined where the file must be measured: fragmented files and live recordings don't say it, or say it wrong. */
export function claimedSeconds(
  { probe, boxes }: Pick<Told, 'probe' | 'boxes'>,
  sizeBytes: number,
): number | undefined {
  const { video, audio } = probe
  const late = Math.abs(video.startSeconds) > lateStartSeconds
  const claimed = video.durationSeconds ?? (late ? undefined : probe.durationSeconds)
  const fragmented = boxes.some(({ type }) => type === 'moof')
  const longest = Math.max(claimed ?? 0, audio?.durationSeconds ?? 0)
  const believable = claimed !== undefined && (sizeBytes * 8) / longest >= leastBitrate
  return believable && !fragmented ? claimed : undefined
}

/** Seconds from the first picture. What was not believed of the video is not believed of the sound either. */
export async function believeOrMeasure(
  deps: EncodeDeps,
  told: Told,
): Promise<{ probe: FilmProbe; durationSeconds: number }> {
  const { probe, container, opened, stop } = told
  const claimed = claimedSeconds(told, opened.sizeBytes)
  if (claimed !== undefined) return { probe, durationSeconds: claimed }
  const measured = measurePackets()
  const { end } = await deps.ffmpeg.run({
    program: 'ffprobe',
    argv: packetsArgv(container, opened.url),
    wallMs: deps.limits.unitMs,
    signal: stop,
    onOutput: measured.push,
  })
  if (end === 'too-slow') throw new Problem('encode-too-slow')
  if (end === 'killed') throw killed()
  const { video } = probe
  const durationSeconds = (measured.endSeconds(video.index) ?? video.startSeconds) - video.startSeconds
  if (!(durationSeconds > 0)) throw new Problem('source-unreadable')
  return { probe: { ...probe, audio: probe.audio && heard(probe.audio, measured) }, durationSeconds }
}

function heard(audio: AudioStream, measured: Measure): AudioStream {
  const end = measured.endSeconds(audio.index)
  return { ...audio, durationSeconds: end === undefined ? undefined : Math.max(0, end - audio.startSeconds) }
}
