// Chunks that were encoded apart play as one film: every frame once and in its place, sound with it. FFMPEG names another build.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { chunkCount, segmentStart } from '../../shared/encode/grid.ts'
import { frameSeconds } from '../../shared/encode/plan.ts'
import { initBlob } from '../../shared/encode/timeline.ts'
import {
  audioOf,
  beeps,
  draw,
  type Encoded,
  encodeFilm,
  greyFrames,
  greyOf,
  greysOf,
  inspect,
  lavfi,
  onsetsOf,
  plainH264,
  videosOf,
} from './film.ts'
import { target } from './stage.ts'

const audioFrameSeconds = 1024 / 48_000

/** What must hold for every film, whatever its source was. */
function expectWhole({ plan, timeline, file, asset }: Encoded): void {
  expect(asset.state).toBe('ready')
  expect(timeline.ended).toBe(true)
  const { frames, frameTicks } = plan.video
  for (const rendition of videosOf(timeline)) {
    const { packets, warnings } = inspect(file(rendition))
    expect(warnings).toBe('')
    expect(packets).toHaveLength(frames)
    const shown = packets.map(({ pts }) => pts).sort((a, b) => a - b)
    expect(shown[0]).toBe(0)
    expect(new Set(shown.slice(1).map((pts, n) => pts - (shown[n] ?? 0)))).toEqual(
      new Set(frames > 1 ? [frameTicks] : []),
    )
    const decoded = new Set(packets.slice(1).map(({ dts }, n) => dts - (packets[n]?.dts ?? 0)))
    expect(decoded).toEqual(new Set(frames > 1 ? [frameTicks] : []))
    const keys = packets.flatMap(({ key }, n) => (key ? [n] : []))
    expect(keys.slice(0, rendition.segments.length)).toEqual(
      rendition.segments.map((_, n) => segmentStart(plan.video, n)),
    )
    // A tail that goes with the segment before it begins with a keyframe too.
    expect(keys.length).toBeLessThanOrEqual(rendition.segments.length + 1)
    const listed = rendition.segments.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0)
    expect(listed).toBeCloseTo(frames * frameSeconds(plan), 4)
    for (const { durationSeconds } of rendition.segments)
      expect(Math.round(durationSeconds)).toBeLessThanOrEqual(timeline.targetDurationSeconds)
  }
}

const far = (greys: readonly number[], expected: (n: number) => number): number[] =>
  greys.flatMap((grey, n) => (Math.abs(grey - expected(n)) > 4 ? [n] : []))

describe('a film at a constant rate', async () => {
  const film = draw([...lavfi(greyFrames('30000/1001', 21), beeps(21)), ...plainH264])
  const made = await encodeFilm(film)

  test('is whole, and every frame is the one of its number', () => {
    expect(chunkCount(made.plan.video)).toBeGreaterThanOrEqual(5)
    expectWhole(made)
    for (const rendition of videosOf(made.timeline)) {
      const greys = greysOf(made.file(rendition))
      expect(greys).toHaveLength(made.plan.video.frames)
      expect(far(greys, greyOf)).toEqual([])
    }
  })

  test('has its beeps on the second, within one frame of sound', () => {
    const audio = audioOf(made.timeline)
    const onsets = onsetsOf(made.file(audio!))
    expect(onsets.length).toBeGreaterThanOrEqual(20)
    for (const onset of onsets) expect(Math.abs(onset - Math.round(onset))).toBeLessThan(audioFrameSeconds)
    expect(audio!.segments.length).toBe(videosOf(made.timeline)[0]!.segments.length)
  })

  test('grew segment by segment, never backwards', () => {
    const lengths = made.stage.history.flatMap(({ timeline }) =>
      Number(/timeline-(\d+)/.exec(timeline ?? '')?.[1] ?? 0),
    )
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b))
    const percents = made.stage.history.map(({ progress }) => progress.percent)
    expect(percents).toEqual([...percents].sort((a, b) => a - b))
    expect(percents.at(-1)).toBe(100)
  })

  test('is the same, byte by byte, when its units are repeated', async () => {
    const before = new Map(
      [...made.stage.media].map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex')]),
    )
    for (const name of before.keys()) if (name.includes('.m4s')) made.stage.media.delete(name)
    const state = made.stage.asset()!
    made.stage.setAsset({ ...state, state: 'encoding' })
    const planned = { ...target, plan: made.outcome.ok ? made.outcome.plan : '' }
    made.stage.units.clear()
    for (const chunk of [3, 0]) expect(await made.encode.chunk({ ...planned, chunk })).toEqual({ ok: true })
    expect(await made.encode.audio(planned)).toEqual({ ok: true })
    const again = [...made.stage.media].filter(([name]) => name.endsWith('.m4s'))
    expect(again.length).toBeGreaterThan(5)
    for (const [name, bytes] of again)
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(before.get(name))
  })

  test('carries init segments that name the codec of the timeline', () => {
    for (const { name, codecs } of videosOf(made.timeline)) {
      expect(codecs).toMatch(/^avc1\.(64|4d)[0-9a-f]{4}$/)
      expect(made.stage.media.has(initBlob(target, made.plan, name))).toBe(true)
    }
  })
})

test('where the peak rate binds, a unit makes the same bytes each time, whatever else the machine does', async () => {
  const noise = 'testsrc2=s=854x480:r=25:d=4,noise=alls=40:allf=t'
  const made = await encodeFilm(draw([...lavfi(noise), ...plainH264, '-qp', '20']))
  const { stage, plan, outcome } = made
  const planned = { ...target, plan: outcome.ok ? outcome.plan : '' }
  const top = plan.renditions[0]!
  const { sizeBytes, durationSeconds } = videosOf(made.timeline)[0]!.segments[1]!
  expect((8 * sizeBytes) / durationSeconds).toBeGreaterThan(700 * top.maxrateKbps)
  stage.setAsset({ ...stage.asset()!, state: 'encoding' })
  for (let time = 0; time < 2; time++) {
    // Written once more over what is there, other bytes would be found out.
    stage.units.clear()
    expect(await made.encode.chunk({ ...planned, chunk: 1 })).toEqual({ ok: true })
  }
})

test('a variable rate is laid on the grid: what is missing is the frame before', async () => {
  const vfr = `${greyFrames('30', 10)},select='mod(n,7)*between(n,0,150)+not(mod(n,3))'`
  const film = draw([...lavfi(vfr), ...plainH264, '-vsync', 'vfr', '-video_track_timescale', '90000'])
  const made = await encodeFilm(film)
  expectWhole(made)
  const kept = (n: number) => (n <= 150 ? n % 7 !== 0 || n % 3 === 0 : n % 3 === 0)
  const expected = (n: number) => {
    let at = n
    while (at > 0 && !kept(at)) at--
    return greyOf(at)
  }
  expect(far(greysOf(made.file(videosOf(made.timeline)[0]!)), expected)).toEqual([])
})

test('sound that starts later than the picture stays late, sound that starts earlier is cut', async () => {
  const sources = [
    { argv: [...lavfi(greyFrames('25', 6)), '-itsoffset', '0.7', ...lavfi(beeps(5))], fraction: 0.7 },
    { argv: ['-itsoffset', '0.4', ...lavfi(greyFrames('25', 6)), ...lavfi(beeps(6))], fraction: 0.6 },
  ]
  for (const { argv, fraction } of sources) {
    const made = await encodeFilm(draw([...argv, '-map', '0:v', '-map', '1:a', ...plainH264], 'film.mkv'), 4)
    expectWhole(made)
    const onsets = onsetsOf(made.file(audioOf(made.timeline)!))
    expect(onsets.length).toBeGreaterThanOrEqual(4)
    for (const onset of onsets.slice(1)) {
      const off = onset - fraction - Math.round(onset - fraction)
      expect(Math.abs(off)).toBeLessThan(audioFrameSeconds)
    }
    expect(far(greysOf(made.file(videosOf(made.timeline)[0]!)), greyOf)).toEqual([])
  }
})

test('without sound there is no audio rendition', async () => {
  const silent = await encodeFilm(draw([...lavfi(greyFrames('25', 5)), ...plainH264]), 4)
  expectWhole(silent)
  expect(audioOf(silent.timeline)).toBeUndefined()
})

test.each([
  { sound: 3, lasts: 9, why: 'what is missing is silence' },
  { sound: 9.3, lasts: 9, why: 'the last segment has a little more of it' },
  { sound: 14, lasts: 14, why: 'the last picture is held' },
])('nine seconds of picture with $sound of sound end together: $why', async ({ sound, lasts }) => {
  const made = await encodeFilm(draw([...lavfi(greyFrames('25', 9), beeps(sound)), ...plainH264]), 1)
  expectWhole(made)
  const audio = audioOf(made.timeline)!
  const top = videosOf(made.timeline)[0]!
  expect(audio.segments).toHaveLength(top.segments.length)
  const heard = audio.segments.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0)
  expect(Math.abs(heard - Math.max(9, sound))).toBeLessThan(0.1)
  expect(made.timeline.durationSeconds).toBeCloseTo(Math.max(9, heard), 1)
  expect(onsetsOf(made.file(audio))).toHaveLength(Math.ceil(sound))
  const greys = greysOf(made.file(top))
  expect(Math.abs(greys.length - 25 * lasts)).toBeLessThanOrEqual(3)
  expect(far(greys, (n) => greyOf(Math.min(n, 224)))).toEqual([])
})

describe('pictures are seen as they were meant', () => {
  const sizeOf = ({ timeline }: Encoded) =>
    videosOf(timeline).map(({ width, height }) => `${width}x${height}`)

  test('odd sizes become even ones, never larger', async () => {
    const made = await encodeFilm(
      draw([...lavfi(greyFrames('25', 1, '455x257')), '-pix_fmt', 'yuv444p', ...plainH264]),
      4,
    )
    expectWhole(made)
    expect(sizeOf(made)[0]).toBe('454x256')
  })

  test('a phone on its side is set upright', async () => {
    const lying = draw([...lavfi(greyFrames('30', 1, '640x360')), ...plainH264])
    const turned = draw([
      '-i',
      `data:video/mp4;base64,${lying.toString('base64')}`,
      '-c',
      'copy',
      '-metadata:s:v',
      'rotate=90',
    ])
    const made = await encodeFilm(turned, 4)
    expectWhole(made)
    expect(sizeOf(made)[0]).toBe('360x640')
  })

  test('wide pixels become square ones', async () => {
    const made = await encodeFilm(
      draw([...lavfi(`${greyFrames('25', 1, '320x240')},setsar=2/1`), ...plainH264]),
      4,
    )
    expect(sizeOf(made)[0]).toBe('640x240')
    expect(inspect(made.file(videosOf(made.timeline)[0]!)).stream['sample_aspect_ratio']).toBe('1:1')
  })
})
