// Whatever container a film comes in, a chunk begins at its very frame: seeks that land late or early are made good.

import { expect, test } from 'vitest'
import { chunkAt, chunkCount } from '../../shared/encode/grid.ts'
import { createEncode } from '../../shared/encode/index.ts'
import { Plan } from '../../shared/encode/plan.ts'
import { initBlob, segmentBlob } from '../../shared/encode/timeline.ts'
import type { Outcome, Prepared } from '../../shared/encode/work.ts'
import {
  audioOf,
  beeps,
  draw,
  encodeFilm,
  greyFrames,
  greyOf,
  greysOf,
  lavfi,
  onsetsOf,
  plainH264,
  videosOf,
} from './film.ts'
import { setStage, target } from './stage.ts'

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

test('a transport stream with one keyframe: a chunk begins to read as far back as it has to', async () => {
  const single = [...plainH264, '-bf', '0', '-g', '1000', '-sc_threshold', '0']
  const stage = setStage(draw([...lavfi(greyFrames('10', 90)), ...single], 'film.ts'))
  const encode = createEncode(stage.parts)
  const prepared = (await encode.prepare(target)) as Outcome<Prepared>
  const at = { ...target, plan: prepared.ok ? prepared.plan : '' }
  const stored = (blob: string) => Buffer.from(stage.media.get(blob) ?? '')
  const plan = Plan.parse(JSON.parse(stored(at.plan).toString()))
  const rendition = plan.renditions[0]?.name ?? ''
  // Of these the first is found on the second try, the other one on the third.
  for (const chunk of [3, 6]) {
    expect(await encode.chunk({ ...at, chunk })).toEqual({ ok: true })
    const { firstSegment, segments, firstFrame, frames } = chunkAt(plan.video, chunk)
    const blobs = Array.from({ length: segments }, (_, n) =>
      segmentBlob(target, plan, { rendition, number: firstSegment + n }),
    )
    const greys = greysOf(Buffer.concat([initBlob(target, plan, rendition), ...blobs].map(stored)))
    const wrong = greys.flatMap((grey, n) => (Math.abs(grey - greyOf(firstFrame + n)) > 4 ? [n] : []))
    expect([greys.length, wrong]).toEqual([frames, []])
  }
})
