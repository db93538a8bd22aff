// Films as people really have them: recorded live, in fragments, one picture long, with many channels or an empty sound track.
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { audioOf, beeps, draw, encodeFilm, greyFrames, greysOf, lavfi, plainH264, videosOf } from './film.ts'

const picture = [...lavfi(greyFrames('25', 9), beeps(9))]
/** Written to a pipe, so that no length and no index could be put in afterwards. */
const piped = (...argv: string[]): Buffer =>
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...argv, 'pipe:1'], { maxBuffer: 1 << 28 })
const tones = (channels: number): string =>
  `aevalsrc='${Array.from({ length: channels }, () => '0.4*sin(2*PI*t*440)').join('|')}':s=48000:d=2`

const films: Array<[string, () => Buffer, { frames: number; sound: boolean }]> = [
  [
    'a live recording in Matroska',
    () => piped(...picture, ...plainH264, '-f', 'matroska'),
    { frames: 225, sound: true },
  ],
  [
    'a fragmented MP4',
    () => draw([...picture, ...plainH264, '-movflags', 'frag_keyframe+empty_moov+default_base_moof']),
    { frames: 225, sound: true },
  ],
  [
    'one picture',
    () => draw([...lavfi(greyFrames('25', 1)), '-frames:v', '1', ...plainH264]),
    { frames: 1, sound: false },
  ],
  [
    'sixteen channels without a layout',
    () =>
      draw(
        [...lavfi(greyFrames('25', 2), tones(16)), '-c:v', 'libx264', '-qp', '8', '-c:a', 'pcm_s16le'],
        'film.mov',
      ),
    { frames: 50, sound: true },
  ],
  [
    'a sound track with nothing in it',
    () =>
      draw(
        [...lavfi(greyFrames('25', 2), 'anullsrc,atrim=0:1'), ...plainH264, '-bsf:a', 'noise=dropamount=1'],
        'film.mkv',
      ),
    { frames: 50, sound: false },
  ],
]

test.each(films)('%s', async (_name, make, { frames, sound }) => {
  const film = make()
  const made = await encodeFilm(film)
  const greys = greysOf(made.file(videosOf(made.timeline)[0]!))
  const whole = greysOf(film, 'setpts=PTS-STARTPTS,fps=25,')
  expect(greys.flatMap((grey, n) => (Math.abs(grey - (whole[n] ?? grey)) > 4 ? [n] : []))).toEqual([])
  // The ffmpeg of 2018 draws a first sample of three frames into fragments.
  expect(Math.abs(whole.length - frames)).toBeLessThanOrEqual(2)
  expect(Math.abs(greys.length - frames)).toBeLessThanOrEqual(1)
  expect(greys).toHaveLength(made.plan.video.frames)
  expect(audioOf(made.timeline) !== undefined).toBe(sound)
})
