// The command lines that make the sound of a title: one that decodes it, and one that keeps its time and encodes it.
import { inputArgv, loud, rebased } from './argv.ts'
import { audioFrameSamples, audioRate, type Plan } from './plan.ts'

export const audioBitrate = (channels: 1 | 2): number => (channels === 1 ? 96_000 : 128_000)

type Sound = NonNullable<Plan['audio']>

const soundOf = ({ audio }: Plan): Sound => {
  if (!audio) throw new RangeError('the plan has no audio')
  return audio
}

const layoutOf = ({ channels }: Sound): string => (channels === 1 ? 'mono' : 'stereo')

/**
 * All of the sound, decoded, with its times, on standard output. Where channels or sampling rate change on the way, as in
 * broadcasts, ffmpeg begins all its filters anew: so these here must remember nothing.
 */
export function decodedArgv(plan: Plan, url: string): string[] {
  const audio = soundOf(plan)
  const filters = [
    `asetpts='${rebased(plan.video.startSeconds)}'`,
    `aresample=${audioRate}`,
    `aformat=sample_fmts=flt:sample_rates=${audioRate}:channel_layouts=${layoutOf(audio)}`,
    'atrim=start=0',
  ]
  return [
    ...loud,
    ...['-copyts', '-threads', '1', ...inputArgv(plan.source, url)],
    ...['-filter_complex', `[0:${audio.stream}]${filters.join(',')}[a]`, '-map', '[a]'],
    ...['-map_metadata', '-1', '-fflags', '+bitexact', '-c:a', 'pcm_f32le', '-f', 'nut', 'pipe:1'],
  ]
}

/** As AAC frames in ADTS; gaps are filled, so that it stays with the picture to its end. */
export function audioArgv(plan: Plan): string[] {
  const audio = soundOf(plan)
  const samples = audio.frames * audioFrameSamples
  const filters = [
    `aresample=${audioRate}:async=1:min_hard_comp=0.05:first_pts=0`,
    `aformat=sample_fmts=fltp:sample_rates=${audioRate}:channel_layouts=${layoutOf(audio)}`,
    `apad=whole_len=${samples},atrim=end_sample=${samples}`,
  ]
  return [
    ...loud,
    ...['-copyts', '-threads', '1', '-protocol_whitelist', 'pipe', '-format_whitelist', 'nut'],
    ...['-f', 'nut', '-i', 'pipe:0', '-filter_complex', `[0:0]${filters.join(',')}[a]`, '-map', '[a]'],
    ...['-map_metadata', '-1', '-c:a', 'aac', '-b:a', String(audioBitrate(audio.channels))],
    ...['-flags', '+bitexact', '-threads', '1', '-f', 'adts', 'pipe:1'],
  ]
}
