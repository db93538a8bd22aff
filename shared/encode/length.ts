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
import { beginsAgain } from './words.ts'

type FilmProbe = Probe & { readonly video: VideoStream }

export interface Reading {
  readonly container: Container
  readonly opened: OpenedSource
  readonly stop: AbortSignal
}

interface Told extends Reading {
  readonly probe: FilmProbe
  readonly boxes: readonly Box[]
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
  const { probe, opened } = told
  const claimed = claimedSeconds(told, opened.sizeBytes)
  if (claimed !== undefined) return { probe, durationSeconds: claimed }
  const { video } = probe
  const measured = await measure(deps, { ...told, video })
  const durationSeconds = (measured.endSeconds(video.index) ?? video.startSeconds) - video.startSeconds
  if (!(durationSeconds > 0)) throw new Problem('source-unreadable')
  return { probe: { ...probe, audio: probe.audio && heard(probe.audio, measured) }, durationSeconds }
}

/** All packets of a source, read to its end; refused where the clock of its video begins again. */
export async function measure(
  deps: EncodeDeps,
  {
    container,
    opened,
    stop,
    video,
  }: Reading & { readonly video: Pick<VideoStream, 'index' | 'startSeconds'> },
): Promise<Measure> {
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
  const restart = measured.restartSeconds(video.index)
  if (restart !== undefined) throw beginsAgain(restart - video.startSeconds)
  return measured
}

function heard(audio: AudioStream, measured: Measure): AudioStream {
  const end = measured.endSeconds(audio.index)
  return { ...audio, durationSeconds: end === undefined ? undefined : Math.max(0, end - audio.startSeconds) }
}
