// The command line that makes the sound of a title.
import { inputArgv, loud, rebased } from './argv.ts'
import { audioFrameSamples, type Plan } from './plan.ts'

export const audioBitrate = (channels: 1 | 2): number => (channels === 1 ? 96_000 : 128_000)

/** All of the sound, as AAC frames in ADTS on standard output; gaps are filled, so that it stays with the picture to its end. */
export function audioArgv(plan: Plan, url: string): string[] {
  const { audio, video, source } = plan
  if (!audio) throw new RangeError('the plan has no audio')
  const layout = audio.channels === 1 ? 'mono' : 'stereo'
  const samples = audio.frames * audioFrameSamples
  const filters = [
    `asetpts='${rebased(video.startSeconds)}'`,
    'aresample=48000:async=1:min_hard_comp=0.05:first_pts=0',
    `aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=${layout}`,
    `apad=whole_len=${samples},atrim=end_sample=${samples}`,
  ]
  return [
    ...loud,
    ...['-copyts', '-threads', '1', ...inputArgv(source, url)],
    ...['-filter_complex', `[0:${audio.stream}]${filters.join(',')}[a]`, '-map', '[a]'],
    ...['-map_metadata', '-1', '-c:a', 'aac', '-b:a', String(audioBitrate(audio.channels))],
    ...['-flags', '+bitexact', '-threads', '1', '-f', 'adts', 'pipe:1'],
  ]
}
