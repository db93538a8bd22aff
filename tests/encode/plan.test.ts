// Ladder, frame grid and chunks: rules that hold for every source there can be.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gridRate } from '../../shared/encode/frame-rate.ts'
import {
  chunkAt,
  chunkCount,
  type Grid,
  leadFrames,
  openingOf,
  segmentCount,
  segmentStart,
} from '../../shared/encode/grid.ts'
import { planLadder } from '../../shared/encode/ladder.ts'
import { seenPicture, sourceMatrix, toneMapping } from '../../shared/encode/picture.ts'
import { audioEdge, makePlan, Plan, plannedSeconds } from '../../shared/encode/plan.ts'
import { parseProbe } from '../../shared/encode/probe.ts'
import { parseRational, ratioOf } from '../../shared/encode/rational.ts'
import { sniffContainer } from '../../shared/encode/sniff.ts'

const rate = (text: string) => parseRational(text)

describe('the ladder', () => {
  const sides = fc.record({
    width: fc.integer({ min: 16, max: 8192 }),
    height: fc.integer({ min: 16, max: 8192 }),
  })
  test('has two to five rungs, even, never above the source, ever smaller', () => {
    fc.assert(
      fc.property(sides, fc.constantFrom(24, 25, 30, 60), (picture, fps) => {
        const rungs = planLadder(picture, fps)
        expect(rungs.length).toBeGreaterThanOrEqual(2)
        expect(rungs.length).toBeLessThanOrEqual(5)
        expect(new Set(rungs.map(({ name }) => name)).size).toBe(rungs.length)
        for (const [index, { name, width, height, maxrateKbps }] of rungs.entries()) {
          expect(name).toMatch(/^v\d+$/)
          expect([width % 2, height % 2]).toEqual([0, 0])
          expect(width).toBeGreaterThanOrEqual(2)
          expect(width).toBeLessThanOrEqual(picture.width)
          expect(height).toBeLessThanOrEqual(picture.height)
          expect(Math.max(width, height)).toBeLessThanOrEqual(3840)
          expect(Math.min(width, height)).toBeLessThanOrEqual(2160)
          const above = rungs[index - 1]
          if (above) expect(width * height).toBeLessThanOrEqual(above.width * above.height)
          if (above) expect(maxrateKbps).toBeLessThan(above.maxrateKbps)
          // VBV (H.264 annex C): four seconds at the peak rate and a full buffer fit into one answer of the range proxy.
          expect(((4.1 + 2) * maxrateKbps * 1000) / 8).toBeLessThan(16 << 20)
        }
      }),
    )
  })

  test.each([
    [1920, 1080, ['v1080 1920x1080', 'v720 1280x720', 'v480 854x480', 'v240 426x240']],
    [1920, 804, ['v1080 1920x804', 'v720 1280x536', 'v480 854x358', 'v240 426x178']],
    [1080, 1920, ['v1080 1080x1920', 'v720 720x1280', 'v480 480x854', 'v240 240x426']],
    [3840, 2160, ['v2160 3840x2160', 'v1080 1920x1080', 'v720 1280x720', 'v480 854x480', 'v240 426x240']],
    [7680, 4320, ['v2160 3840x2160', 'v1080 1920x1080', 'v720 1280x720', 'v480 854x480', 'v240 426x240']],
    [720, 576, ['v720 720x576', 'v480 600x480', 'v240 300x240']],
    [640, 480, ['v480 640x480', 'v240 320x240']],
    [320, 240, ['v240 320x240', 'v144 192x144']],
    [160, 120, ['v144 160x120', 'v72 80x60']],
    [17, 16, ['v144 16x16', 'v72 16x16']],
  ])('of %i × %i', (width, height, expected) => {
    const rungs = planLadder({ width, height }, 25)
    expect(rungs.map((rung) => `${rung.name} ${rung.width}x${rung.height}`)).toEqual(expected)
  })
})

describe('the frame grid', () => {
  test.each([
    ['30000/1001', '30000/1001', '30000/1001'],
    ['24000/1001', '24000/1001', '24000/1001'],
    ['25/2', '25/2', '25/2'],
    ['179/6', '179/6', '179/6'],
    ['30000/1001', '51600/1841', '30000/1001'],
    ['30/1', '630000/47281', '30/1'],
    ['60/1', '30/1', '30/1'],
    ['60/1', '1000/1', '60/1'],
    ['1000/1', '2997/100', '30000/1001'],
    ['90000/1', '24/1', '24/1'],
    ['120/1', '120/1', '60/1'],
    ['120000/1001', '120000/1001', '60000/1001'],
    ['100/1', '100/1', '50/1'],
    ['240/1', '240/1', '60/1'],
    ['1/5', '1/5', '1/1'],
  ])('real %s, average %s → %s', (real, average, expected) => {
    expect(gridRate(rate(real), rate(average))).toEqual(rate(expected))
  })

  test('is between 1 and 60 a second for any source, with ticks that fit', () => {
    const any = fc.record({ num: fc.integer({ min: 1, max: 1e9 }), den: fc.integer({ min: 1, max: 1e9 }) })
    fc.assert(
      fc.property(fc.option(any, { nil: undefined }), fc.option(any, { nil: undefined }), (real, average) => {
        const grid = gridRate(real, average)
        expect(ratioOf(grid)).toBeGreaterThanOrEqual(0.99)
        expect(ratioOf(grid)).toBeLessThanOrEqual(60.01)
        expect(grid.num).toBeLessThanOrEqual(120_000)
        expect(Number.isInteger(grid.num) && Number.isInteger(grid.den)).toBe(true)
      }),
    )
  })
})

/** As the plan makes one, at a whole rate. */
const gridOf = (frames: number, rate: number, chunkSegments: number): Grid => ({
  frames,
  openingFrames: openingOf({ frames, most: 2 * rate, least: rate }),
  segmentFrames: 4 * rate,
  chunkSegments,
  leastFrames: rate,
})
const grids = fc
  .record({
    frames: fc.integer({ min: 1, max: 100_000 }),
    rate: fc.integer({ min: 1, max: 60 }),
    perUnit: fc.integer({ min: 1, max: 15 }),
  })
  .map(({ frames, rate, perUnit }) => ({ grid: gridOf(frames, rate, perUnit), rate }))
const chunksOf = (grid: Grid) => Array.from({ length: chunkCount(grid) }, (_, n) => chunkAt(grid, n))

describe('segments and chunks', () => {
  test('the opening lasts two seconds, all others but the last four, and none is too short to be shown', () => {
    fc.assert(
      fc.property(grids, ({ grid, rate }) => {
        const count = segmentCount(grid)
        const lasts = Array.from(
          { length: count },
          (_, n) => segmentStart(grid, n + 1) - segmentStart(grid, n),
        )
        expect(lasts.reduce((sum, frames) => sum + frames, 0)).toBe(grid.frames)
        if (count > 1) expect(lasts[0]).toBe(2 * rate)
        else expect(lasts[0]).toBeLessThan(Math.max(3 * rate, 2 * rate + leadFrames + 1))
        for (const frames of lasts.slice(1, -1)) expect(frames).toBe(4 * rate)
        // Every segment outlasts the lead of its pictures; a last one is no longer than that and a whole one.
        if (count > 1) expect(lasts.at(-1)).toBeGreaterThan(leadFrames)
        if (count > 1) expect(lasts.at(-1)).toBeLessThanOrEqual(4 * rate + leadFrames)
      }),
    )
  })

  test('chunks cover every frame once: the opening alone, then one segment, two, and as many as a unit takes', () => {
    fc.assert(
      fc.property(grids, ({ grid, rate }) => {
        const chunks = chunksOf(grid)
        let frame = 0
        let segment = 0
        for (const chunk of chunks) {
          expect(chunk.firstFrame).toBe(frame)
          expect(chunk.firstSegment).toBe(segment)
          expect(chunk.firstFrame).toBe(segmentStart(grid, segment))
          frame += chunk.frames
          segment += chunk.segments
          expect(chunk.segments).toBeLessThanOrEqual(grid.chunkSegments + 1)
        }
        expect([frame, segment]).toEqual([grid.frames, segmentCount(grid)])
        expect(chunks[0]).toMatchObject({ segments: 1, frames: grid.openingFrames })
        if (chunks.length > 1)
          expect(chunks.at(-1)?.frames).toBeGreaterThanOrEqual(Math.min(rate, grid.leastFrames))
        const grown = [1, 1, Math.min(2, grid.chunkSegments)]
        if (chunks.length > 3) expect(chunks.slice(0, 3).map(({ segments }) => segments)).toEqual(grown)
        for (const { segments } of chunks.slice(3, -1)) expect(segments).toBe(grid.chunkSegments)
      }),
    )
  })

  test('there is no chunk before the first or behind the last', () => {
    const grid = gridOf(1000, 25, 4)
    expect(chunkAt(grid, chunkCount(grid) - 1).frames).toBeGreaterThan(0)
    for (const number of [-1, chunkCount(grid), 0.5]) expect(() => chunkAt(grid, number)).toThrow(RangeError)
  })
})

const stream = {
  index: 0,
  codec_type: 'video',
  codec_name: 'h264',
  width: 1920,
  height: 1080,
  r_frame_rate: '30/1',
  avg_frame_rate: '30/1',
}
const probeOf = (video: object, audio?: object) =>
  parseProbe(
    JSON.stringify({
      format: { format_name: 'mov', duration: '100' },
      streams: [{ ...stream, ...video }, ...(audio ? [audio] : [])],
    }),
  )
const sound = {
  index: 1,
  codec_type: 'audio',
  codec_name: 'aac',
  channels: 6,
  sample_rate: '44100',
  start_time: '0',
  duration: '100',
}
const draft = (video: object, audio?: object, durationSeconds = 100) => {
  const probe = probeOf(video, audio)
  return makePlan({
    probe: { ...probe, video: probe.video! },
    container: sniffContainer(Buffer.from('\0\0\0\x20ftypisom')),
    source: { blob: 'b', etag: 'e', sizeBytes: 1 },
    durationSeconds,
    build: 'x',
    filters: new Set(['zscale', 'tonemap']),
    threads: 2,
    chunkSegments: 4,
  })
}

describe('the plan', () => {
  test('is the same for the same source, and says all of it', () => {
    expect(draft({}, sound)).toEqual(draft({}, sound))
    const plan = Plan.parse({ ...draft({}, sound), hash: 'h' })
    expect(plan.video).toMatchObject({ frames: 3000, segmentFrames: 120, timescale: 15360, frameTicks: 512 })
    expect(plan.video).toMatchObject({ sourceFrames: 3000, openingFrames: 60 })
    expect(plan.audio).toEqual({ stream: 1, channels: 2, frames: 4688 })
    expect(chunksOf(plan.video).map(({ segments }) => segments)).toEqual([1, 1, 2, 4, 4, 4, 4, 4, 2])
  })

  test('stays small however long the film is', () => {
    const plan = draft({ duration: String(48 * 3600) }, { ...sound, duration: String(48 * 3600) }, 48 * 3600)
    expect(chunkCount(plan.video)).toBeGreaterThan(10_000)
    expect(JSON.stringify(plan).length).toBeLessThan(3000)
  })

  test('sound is never shorter than the picture; where it goes on for long, the last picture is held', () => {
    for (const [duration, seconds, frames] of [
      ['3', 100, 3000],
      ['100.4', 100.4, 3000],
      ['130', 130, 3900],
    ] as const) {
      const plan = draft({}, { ...sound, duration })
      expect(plan.video).toMatchObject({ frames, sourceFrames: 3000 })
      expect(plannedSeconds({ ...plan, hash: '' })).toBeCloseTo(seconds, 1)
      expect(audioEdge(plan, segmentCount(plan.video))).toBe(plan.audio?.frames)
    }
  })

  test('audio edges lie within half a frame of the picture’s, and mono stays mono', () => {
    const plan = draft(
      { r_frame_rate: '30000/1001', avg_frame_rate: '30000/1001' },
      { ...sound, channels: 1 },
      8000,
    )
    expect(plan.audio?.channels).toBe(1)
    for (let n = 0; n < segmentCount(plan.video); n++) {
      const apart = (audioEdge(plan, n) * 1024) / 48_000 - segmentStart(plan.video, n) * (1001 / 30_000)
      expect(Math.abs(apart)).toBeLessThanOrEqual(512.5 / 48_000)
    }
  })

  test('HDR is pressed into SDR where the filters are there', () => {
    const hdr = probeOf({ color_transfer: 'smpte2084', color_space: 'bt2020nc' }).video!
    expect(toneMapping(hdr, new Set(['zscale', 'tonemap'])).join()).toContain('tonemap=hable')
    expect(toneMapping(hdr, new Set(['tonemap']))).toEqual([])
    expect(toneMapping(probeOf({}).video!, new Set(['zscale', 'tonemap']))).toEqual([])
    expect(sourceMatrix(probeOf({}).video!)).toBe('bt709')
    expect(sourceMatrix(probeOf({ width: 640, height: 480 }).video!)).toBe('smpte170m')
    expect(sourceMatrix(probeOf({ pix_fmt: 'gbrp' }).video!)).toBe('rgb')
  })
})

describe('what is seen', () => {
  test.each([
    [
      { sample_aspect_ratio: '4:3', width: 1440 },
      { width: 1920, height: 1080 },
    ],
    [{ sample_aspect_ratio: '0:1' }, { width: 1920, height: 1080 }],
    [{ sample_aspect_ratio: '1000:1' }, { width: 1920, height: 1080 }],
    [{ side_data_list: [{ rotation: -90 }] }, { width: 1080, height: 1920 }],
    [{ side_data_list: [{}, { rotation: 180 }] }, { width: 1920, height: 1080 }],
    [{ tags: { rotate: '270' } }, { width: 1080, height: 1920 }],
  ])('%j', (video, expected) => {
    expect(seenPicture(probeOf(video).video!)).toEqual(expected)
  })
})
