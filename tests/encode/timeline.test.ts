// A timeline is a function of the units: any order, any repeats, late ones too; it only grows, and says what is there.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Timeline } from '../../shared/assets/timeline.ts'
import { chunkAt, chunkCount, segmentCount } from '../../shared/encode/grid.ts'
import { audioEdge, iframeRendition, makePlan, Plan } from '../../shared/encode/plan.ts'
import type { Unit } from '../../shared/encode/ports.ts'
import { parseProbe } from '../../shared/encode/probe.ts'
import { sniffContainer } from '../../shared/encode/sniff.ts'
import { makeTimeline, timelineBlob } from '../../shared/encode/timeline.ts'
import { addUp, audioUnit, chunkUnit, playableSegments } from '../../shared/encode/units.ts'
import { target } from './stage.ts'

function planOf(seconds: number, audioSeconds: number): Plan {
  const streams = [
    {
      index: 0,
      codec_type: 'video',
      codec_name: 'h264',
      width: 854,
      height: 480,
      r_frame_rate: '30000/1001',
      avg_frame_rate: '30000/1001',
    },
    {
      index: 1,
      codec_type: 'audio',
      codec_name: 'aac',
      channels: 2,
      sample_rate: '48000',
      duration: String(audioSeconds),
    },
  ]
  const probe = parseProbe(JSON.stringify({ streams: audioSeconds > 0 ? streams : streams.slice(0, 1) }))
  const facts = {
    source: { blob: 'b', etag: 'e', sizeBytes: 1 },
    durationSeconds: seconds,
    build: 'x',
    filters: new Set<string>(),
    threads: 2,
  }
  const container = sniffContainer(Buffer.from('\0\0\0\x20ftypisom'))
  return Plan.parse({
    ...makePlan({ ...facts, probe: { ...probe, video: probe.video! }, container, chunkSegments: 3 }),
    hash: 'h',
  })
}

const jobId = 'encode-x-v1'
const sizeOf = (name: string, number: number): number => 1000 + name.length * 100 + number * 7
const sizes = (name: string, first: number, count: number) =>
  Array.from({ length: count }, (_, n) => sizeOf(name, first + n))

/** The unit as it is written when it is done. */
const doneChunk = (plan: Plan, chunk: number): Unit => {
  const { firstSegment, segments, frames } = chunkAt(plan.video, chunk)
  const names = [...plan.renditions.map(({ name }) => name), iframeRendition]
  const all = names.map((name) => [name, sizes(name, firstSegment, segments)])
  return chunkUnit(jobId, { plan, chunk }, { frames, done: true, sizes: Object.fromEntries(all) })
}
const runningChunk = (plan: Plan, chunk: number, share: number): Unit =>
  chunkUnit(
    jobId,
    { plan, chunk },
    { frames: Math.floor(chunkAt(plan.video, chunk).frames * share), done: false, sizes: {} },
  )

function sound(plan: Plan, segments: number, ended: boolean): Unit {
  const all = plan.audio?.frames ?? 0
  const frames = ended ? all : audioEdge(plan, segments)
  return audioUnit(jobId, {
    frames,
    done: ended,
    sizes: { audio: sizes('audio', 0, ended ? audioSegments(plan) : segments) },
  })
}
/** As many as there are of pictures, in any film. */
const audioSegments = (plan: Plan): number => (plan.audio ? segmentCount(plan.video) : 0)
const chunksOf = (plan: Plan): number[] => Array.from({ length: chunkCount(plan.video) }, (_, n) => n)

const facts = (plan: Plan, units: readonly Unit[]) => {
  const names = [...plan.renditions.map(({ name }) => name), 'audio', iframeRendition]
  return {
    target,
    plan,
    progress: addUp(plan, units),
    keyIds: Object.fromEntries(names.map((name) => [name, '0'.repeat(32)])),
    tracks: Object.fromEntries(names.map((name) => [name, { codecs: `codec-${name}`, initBytes: 700 }])),
  }
}

const lengths = fc.record({ video: fc.integer({ min: 1, max: 90 }), audio: fc.integer({ min: 0, max: 120 }) })

describe('while units come in any order', () => {
  test('the same segments always make the same bytes, and the playable part only grows', () => {
    fc.assert(
      fc.property(lengths, fc.infiniteStream(fc.nat(1_000_000)), ({ video, audio }, dice) => {
        const plan = planOf(video, audio)
        const written = new Map<string, string>()
        const units = new Map<string, Unit>()
        const waiting = chunksOf(plan)
        let heard = 0
        let longest = 0
        const put = (unit: Unit) => {
          units.set(unit.id, unit)
          const known = facts(plan, [...units.values()])
          const playable = playableSegments(plan, known.progress)
          expect(playable).toBeGreaterThanOrEqual(longest)
          longest = playable
          if (playable === 0) return
          const timeline = Timeline.parse(makeTimeline({ ...known, playable }))
          for (const { segments } of timeline.renditions) expect(segments).toHaveLength(playable)
          expect(timeline.renditions).toHaveLength(plan.renditions.length + (plan.audio ? 2 : 1))
          expect(timeline.ended).toBe(false)
          const text = JSON.stringify(timeline)
          const name = timelineBlob(target, playable)
          expect(written.get(name) ?? text).toBe(text)
          written.set(name, text)
        }
        while (waiting.length > 0 || (plan.audio && !units.get(`${jobId}.audio`))) {
          const roll = dice.next().value as number
          const chunk = waiting[roll % (waiting.length || 1)]
          if (roll % 3 === 0 && plan.audio) {
            heard = Math.min(heard + (roll % 4), audioSegments(plan))
            put(sound(plan, heard, heard === audioSegments(plan)))
          } else if (chunk !== undefined && roll % 3 === 1) {
            put(runningChunk(plan, chunk, (roll % 100) / 100))
          } else if (chunk !== undefined) {
            waiting.splice(waiting.indexOf(chunk), 1)
            put(doneChunk(plan, chunk))
            // A late duplicate, half way through.
            put(runningChunk(plan, chunk, 0.5))
          }
        }
        const last = Timeline.parse(
          makeTimeline({ ...facts(plan, [...units.values()]), playable: undefined }),
        )
        const progress = addUp(plan, [...units.values()])
        expect(progress.frames).toBe(plan.video.frames)
        expect([progress.videoDone, progress.audioDone, last.ended]).toEqual([true, true, true])
        const lasts = last.renditions.map(({ segments }) =>
          segments.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0),
        )
        expect(new Set(last.renditions.map(({ segments }) => segments.length)).size).toBe(1)
        for (const seconds of lasts.slice(0, plan.renditions.length))
          expect(seconds).toBeCloseTo((plan.video.frames * 1001) / 30_000, 3)
        if (plan.audio)
          expect(lasts[plan.renditions.length]).toBeCloseTo((plan.audio.frames * 1024) / 48_000, 3)
        expect(last.durationSeconds).toBeCloseTo(Math.max(...lasts), 3)
        for (const { segments } of last.renditions)
          for (const { durationSeconds } of segments)
            expect(Math.round(durationSeconds)).toBeLessThanOrEqual(last.targetDurationSeconds)
      }),
      { numRuns: 60 },
    )
  })
})

test('a gap holds back what lies behind it, and sound what it has not reached', () => {
  const plan = planOf(60, 60)
  expect(chunksOf(plan).map((chunk) => chunkAt(plan.video, chunk).segments)).toEqual([1, 1, 2, 3, 3, 3, 3])
  const playable = (units: Unit[]) => playableSegments(plan, addUp(plan, units))
  expect(playable([doneChunk(plan, 1), sound(plan, 9, false)])).toBe(0)
  expect(playable([doneChunk(plan, 0), doneChunk(plan, 2), sound(plan, 9, false)])).toBe(1)
  expect(playable([doneChunk(plan, 0), doneChunk(plan, 1), doneChunk(plan, 2), sound(plan, 3, false)])).toBe(
    3,
  )
  expect(playable([doneChunk(plan, 0), doneChunk(plan, 1), sound(plan, 0, false)])).toBe(0)
})

test('the last segment comes with the end', () => {
  const plan = planOf(60, 60)
  const all = [
    ...chunksOf(plan).map((chunk) => doneChunk(plan, chunk)),
    sound(plan, audioSegments(plan), true),
  ]
  const count = segmentCount(plan.video)
  expect(playableSegments(plan, addUp(plan, all))).toBe(count - 1)
  const { renditions, ended } = makeTimeline({ ...facts(plan, all), playable: undefined })
  expect(ended).toBe(true)
  for (const { segments } of renditions) expect(segments).toHaveLength(count)
  const short = planOf(1, 1)
  expect(playableSegments(short, addUp(short, [doneChunk(short, 0), sound(short, 1, true)]))).toBe(0)
})

test('sound that turns out to be empty leaves a title without', () => {
  const plan = planOf(4, 4)
  const empty = audioUnit(jobId, { frames: 0, done: true, sizes: { audio: [] } })
  const timeline = makeTimeline({ ...facts(plan, [doneChunk(plan, 0), empty]), playable: undefined })
  expect(timeline.renditions.map(({ kind }) => kind)).toEqual([
    ...plan.renditions.map(() => 'video'),
    'iframes',
  ])
})

test('bandwidths are those of the segments there are; a peak that is still to come is the most there can be', () => {
  const plan = planOf(6.006, 0)
  const units = chunksOf(plan).map((chunk) => doneChunk(plan, chunk))
  const [video] = makeTimeline({ ...facts(plan, units), playable: undefined }).renditions
  const [first, second] = [sizeOf('v480', 0), sizeOf('v480', 1)]
  expect(video?.bandwidth).toBe(Math.ceil((first * 8) / 2.002))
  expect(video?.averageBandwidth).toBe(Math.ceil(((first + second) * 8) / 6.006))
  const [growing] = makeTimeline({ ...facts(plan, units), playable: 1 }).renditions
  expect(growing?.bandwidth).toBe(1_400_000)
  // Of I-frames it is what the rendition that they are of may take: their whole segment takes no more.
  const { renditions } = makeTimeline({ ...facts(plan, units), playable: 1 })
  expect(renditions.at(-1)).toMatchObject({ kind: 'iframes', bandwidth: 400_000 })
})
