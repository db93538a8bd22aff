// A title's states: whatever comes in whatever order, it only moves forward, and a failed one stays failed.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  abandoned,
  cleaned,
  completed,
  failed,
  finished,
  planned,
  progressed,
  published,
  removed,
  renewed,
  timelineLength,
  wakingEncoders,
} from '../../shared/assets/machine.ts'
import { type Asset, AssetDocument, progressStages } from '../../shared/assets/model.ts'
import { isoTime } from '../../shared/core/clock.ts'
import { sampleAsset } from '../support/documents.ts'

const uploading = sampleAsset({ createdAt: isoTime(0), updatedAt: isoTime(0) })
const timelineOf = (length: number) => `ten/ast/v1/timeline-${length}.json`
const made = (length: number, version = 1) => ({
  version,
  timeline: timelineOf(length),
  durationSeconds: 9,
  renditions: [],
})

type Step = (asset: Asset, nowMs: number) => Asset | 'unchanged'
const version = fc.constantFrom(1, 1, 1, 2)
const length = fc.integer({ min: 1, max: 9 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>((asset, now) => completed(asset, { etag: 'e' }, now)),
  fc
    .record({
      version,
      percent: fc.integer({ min: -5, max: 120 }),
      stage: fc.constantFrom('probing', 'encoding', 'finishing'),
    })
    .map(
      (facts): Step =>
        (asset, now) =>
          progressed(asset, facts as never, now),
    ),
  fc.tuple(length, version).map(
    ([n, v]): Step =>
      (asset, now) =>
        published(asset, made(n, v), now),
  ),
  fc.tuple(length, version).map(
    ([n, v]): Step =>
      (asset, now) =>
        finished(asset, made(n, v), now),
  ),
  version.map(
    (v): Step =>
      (asset, now) =>
        failed(asset, { version: v, code: 'source-truncated' }, now),
  ),
  fc.integer({ min: 0, max: 50_000 }).map(
    (before): Step =>
      (asset, now) =>
        abandoned(asset, { updatedBefore: isoTime(before) }, now),
  ),
  fc.constant<Step>((asset, now) => (asset.state === 'failed' ? cleaned(asset, now) : 'unchanged')),
)

const rank = { uploading: 0, encoding: 1, ready: 2, failed: 3 }

describe('in any order of facts', () => {
  test('a title only moves forward', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let asset = uploading
        for (const [index, change] of steps.entries()) {
          let next: Asset | 'unchanged'
          try {
            next = change(asset, (index + 1) * 1000)
          } catch (error) {
            expect(error).toMatchObject({ code: 'upload-closed' })
            continue
          }
          if (next === 'unchanged') continue
          AssetDocument.parse(next)
          expect(rank[next.state]).toBeGreaterThanOrEqual(rank[asset.state])
          expect(next.progress.percent).toBeGreaterThanOrEqual(asset.progress.percent)
          expect(progressStages.indexOf(next.progress.stage)).toBeGreaterThanOrEqual(
            progressStages.indexOf(asset.progress.stage),
          )
          expect(next.updatedAt > asset.updatedAt).toBe(true)
          if (asset.state === 'ready') expect(next).toEqual(asset)
          if (asset.state === 'failed')
            expect(next).toEqual({ ...asset, cleanedAt: next.cleanedAt, updatedAt: next.updatedAt })
          if (next.state === 'failed')
            expect([next.timeline, next.renditions, typeof next.error]).toEqual([undefined, [], 'object'])
          else expect(timelineLength(next.timeline)).toBeGreaterThanOrEqual(timelineLength(asset.timeline))
          if (next.state === 'ready') expect(next.progress).toEqual({ percent: 100, stage: 'done' })
          asset = next
        }
      }),
    )
  })
})

describe('a title that waits for encoders', () => {
  const encoding = progressed(
    completed(uploading, { etag: 'e' }, 1000) as Asset,
    { version: 1, percent: 10, stage: 'encoding', etaSeconds: 9 },
    2000,
  ) as Asset
  const waits = { version: 1, waits: true }
  const waiting = wakingEncoders(encoding, waits, 3000) as Asset

  test('says so, and nobody knows for how long', () => {
    expect(waiting.progress).toEqual({ percent: 10, stage: 'waking-encoders' })
    expect(AssetDocument.parse(waiting)).toEqual(waiting)
    expect(wakingEncoders(waiting, waits, 4000)).toBe('unchanged')
    expect(wakingEncoders(encoding, { ...waits, version: 2 }, 4000)).toBe('unchanged')
  })

  test('until one comes, whatever is made of it meanwhile; its percent never goes down', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 120 }), { maxLength: 9 }), (percents) => {
        let asset = waiting
        for (const percent of percents) {
          const facts = { version: 1, percent, stage: 'encoding', etaSeconds: 5 } as const
          const next = progressed(asset, facts, 4000)
          if (next === 'unchanged') continue
          expect(next.progress.percent).toBeGreaterThan(asset.progress.percent)
          expect(next.progress).toEqual({ percent: next.progress.percent, stage: 'waking-encoders' })
          asset = next
        }
        const awake = wakingEncoders(asset, { version: 1, waits: false }, 5000) as Asset
        expect(awake.progress).toEqual({ percent: asset.progress.percent, stage: 'encoding' })
        expect(wakingEncoders(awake, { version: 1, waits: false }, 6000)).toBe('unchanged')
      }),
    )
  })

  test('and not before its units are there, nor once they are done', () => {
    for (const stage of ['probing', 'finishing'] as const) {
      const asset = { ...encoding, progress: { percent: 10, stage } }
      for (const is of [true, false])
        expect(wakingEncoders(asset, { version: 1, waits: is }, 3000)).toBe('unchanged')
    }
    expect(progressed(waiting, { version: 1, percent: 99, stage: 'finishing' }, 4000)).toMatchObject({
      progress: { percent: 99, stage: 'finishing' },
    })
  })
})

test('the usual way', () => {
  const encoding = completed(uploading, { etag: 'e' }, 1000) as Asset
  expect(encoding).toMatchObject({
    state: 'encoding',
    source: { etag: 'e' },
    progress: { percent: 0, stage: 'queued' },
  })
  expect(completed(encoding, { etag: 'other' }, 2000)).toBe('unchanged')
  const half = progressed(
    encoding,
    { version: 1, percent: 50.7, stage: 'encoding', etaSeconds: 9 },
    2000,
  ) as Asset
  expect(half.progress).toEqual({ percent: 50, stage: 'encoding', etaSeconds: 9 })
  expect(progressed(half, { version: 1, percent: 50, stage: 'encoding', etaSeconds: 4 }, 3000)).toBe(
    'unchanged',
  )
  expect(progressed(half, { version: 1, percent: 200, stage: 'probing' }, 3000)).toMatchObject({
    progress: { percent: 99, stage: 'encoding' },
  })
  const ready = finished(published(half, made(2), 3000) as Asset, made(3), 4000) as Asset
  expect(ready).toMatchObject({
    state: 'ready',
    timeline: timelineOf(3),
    progress: { percent: 100, stage: 'done' },
  })
  expect(failed(ready, { version: 1, code: 'encode-failed' }, 5000)).toBe('unchanged')
})

test('the first error stays, with advice where no detail is given; another version changes nothing', () => {
  const encoding = completed(uploading, { etag: 'e' }, 1000) as Asset
  expect(failed(encoding, { version: 2, code: 'encode-failed' }, 2000)).toBe('unchanged')
  const dead = failed(encoding, { version: 1, code: 'source-truncated' }, 2000) as Asset
  expect(dead.error).toEqual({
    code: 'source-truncated',
    detail: 'The file is cut off; upload the whole of it again.',
  })
  expect(failed(dead, { version: 1, code: 'encode-failed', detail: 'later' }, 3000)).toBe('unchanged')
  expect(cleaned(dead, 4000)).toMatchObject({ cleanedAt: isoTime(4000) })
})

test('an upload is abandoned unless somebody moved it; one that ended takes no completion', () => {
  expect(abandoned(uploading, { updatedBefore: isoTime(0) }, 9000)).toBe('unchanged')
  const gone = abandoned(uploading, { updatedBefore: isoTime(1) }, 9000) as Asset
  expect(gone).toMatchObject({ state: 'failed', error: { code: 'upload-abandoned' } })
  expect(() => completed(gone, { etag: 'e' }, 9500)).toThrow(
    expect.objectContaining({ code: 'upload-closed' }),
  )
  expect(() => cleaned(uploading, 1)).toThrow(expect.objectContaining({ code: 'conflict' }))
})

test('a deleted title is nobody’s from any state, and is cleaned anew', () => {
  const encoding = completed(uploading, { etag: 'e' }, 1000) as Asset
  for (const asset of [
    uploading,
    encoding,
    { ...encoding, state: 'failed', cleanedAt: isoTime(5) } as Asset,
  ]) {
    const next = removed(asset, 6000) as Asset
    expect(next).toMatchObject({ state: 'failed', deletedAt: isoTime(6000) })
    expect(next.cleanedAt).toBeUndefined()
    expect(removed(next, 7000)).toBe('unchanged')
  }
})

test('a version follows one plan; another plan begins the next version from the source', () => {
  const encoding = completed(uploading, { etag: 'e' }, 1000) as Asset
  const first = planned(encoding, { version: 1, plan: 'a' }, 2000) as Asset
  expect(first).toMatchObject({ plan: 'a', progress: { stage: 'encoding' } })
  expect(planned(first, { version: 1, plan: 'a' }, 3000)).toBe('unchanged')
  expect(() => planned(first, { version: 1, plan: 'b' }, 3000)).toThrow(
    expect.objectContaining({ code: 'encode-outdated' }),
  )
  const playing = published(first, made(2), 3000) as Asset
  const next = renewed(playing, { version: 1 }, 4000) as Asset
  expect(next).toMatchObject({ state: 'encoding', version: 2, progress: { percent: 0, stage: 'queued' } })
  expect([next.plan, next.timeline]).toEqual([undefined, undefined])
  expect(next.source).toEqual(playing.source)
  expect(renewed(next, { version: 1 }, 5000)).toBe('unchanged')
  expect(planned(next, { version: 2, plan: 'b' }, 6000)).toMatchObject({ plan: 'b' })
})
