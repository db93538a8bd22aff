// Whatever container a film comes in, a chunk begins at its very frame: seeks that land late or early are made good.

import { expect, test } from 'vitest'
import { chunkCount } from '../../shared/encode/grid.ts'
import {
  audioOf,
  beeps,
  draw,
  encodeFilm,
  greyFrames,
  greysOf,
  lavfi,
  onsetsOf,
  plainH264,
  videosOf,
} from './film.ts'

const picture = [...lavfi(greyFrames('25', 13), beeps(13))]
const mpeg = (codec: string) => ['-c:v', codec, '-q:v', '2', '-g', '100', '-c:a', 'mp2', '-b:a', '128k']

const containers: Array<[string, readonly string[]]> = [
  ['film.ts', plainH264],
  ['film.flv', [...plainH264, '-ar', '44100']],
  ['film.avi', ['-c:v', 'mpeg4', '-q:v', '2', '-g', '100', '-c:a', 'mp3']],
  ['film.mpg', [...mpeg('mpeg2video'), '-bf', '2']],
  [
    'film.webm',
    [
      '-c:v',
      'libvpx',
      '-b:v',
      '1M',
      '-g',
      '100',
      '-deadline',
      'realtime',
      '-cpu-used',
      '8',
      '-c:a',
      'libopus',
    ],
  ],
]

test.each(containers)('%s', async (name, codecs) => {
  const film = draw([...picture, ...codecs], name)
  const made = await encodeFilm(film)
  expect(chunkCount(made.plan.video)).toBeGreaterThanOrEqual(3)
  const greys = greysOf(made.file(videosOf(made.timeline)[0]!))
  expect(greys).toHaveLength(made.plan.video.frames)
  // A program stream only tells when its last pictures but a few are shown.
  expect(Math.abs(greys.length - 325)).toBeLessThanOrEqual(4)
  // Some writers leave holes: the same film in one go, laid on the same grid, is the measure.
  const whole = greysOf(film, 'setpts=PTS-STARTPTS,fps=25,')
  const wrong = greys.flatMap((grey, n) => (Math.abs(grey - (whole[n] ?? grey)) > 4 ? [n] : []))
  expect(wrong).toEqual([])
  expect(new Set(whole).size).toBeGreaterThan(150)
  const onsets = onsetsOf(made.file(audioOf(made.timeline)!))
  expect(onsets.length).toBeGreaterThanOrEqual(12)
  for (const onset of onsets) expect(Math.abs(onset - Math.round(onset))).toBeLessThan(0.03)
})
