// Which changes of a title are events: each once, counted without a gap, and nothing else is.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AssetEventDocument, counted, eventOf } from '../../shared/assets/events.ts'
import { completed, failed, finished, progressed, removed } from '../../shared/assets/machine.ts'
import type { Asset } from '../../shared/assets/model.ts'
import { sampleAsset } from '../support/documents.ts'

const nowMs = Date.parse('2026-11-22T10:00:00.000Z')

type Step = (asset: Asset) => Asset | 'unchanged'
const complete: Step = (asset) => completed(asset, { etag: '"e"' }, nowMs)
const progress =
  (percent: number): Step =>
  (asset) =>
    progressed(asset, { version: 1, percent, stage: 'encoding' }, nowMs)
const finish: Step = (asset) => {
  const timeline = `${asset.tenantId}/${asset.id}/v1/timeline-9.json`
  return finished(asset, { version: 1, timeline, durationSeconds: 8, renditions: [] }, nowMs)
}
const fail: Step = (asset) => failed(asset, { version: 1, code: 'encode-failed' }, nowMs)
const remove: Step = (asset) => removed(asset, nowMs)
const rename: Step = (asset) => ({ ...asset, title: 'Another' })

/** As the store does it: each step changes the document, and some of them are events. */
function tell(steps: readonly Step[], from = sampleAsset()) {
  const events = []
  let asset = from
  for (const step of steps) {
    const next = counted(asset, step(asset))
    if (next === 'unchanged') continue
    const event = eventOf(asset, next)
    if (event) events.push(AssetEventDocument.parse(event))
    asset = next
  }
  return { events, asset, names: events.map(({ name, sequence }) => `${sequence} ${name}`) }
}

test('a title tells each tenth of its way, and that it is ready', () => {
  const { names, events, asset } = tell([
    complete,
    progress(4),
    progress(13),
    progress(19),
    progress(55),
    finish,
  ])
  expect(names).toEqual(['1 asset.progress', '2 asset.progress', '3 asset.ready'])
  expect(events.map((event) => event.asset.progress.percent)).toEqual([13, 55, 100])
  expect(events.at(-1)).toMatchObject({
    tenantId: asset.tenantId,
    assetId: asset.id,
    asset: { state: 'ready' },
  })
  // What is told of a title is what its tenant may read of it anyway.
  expect(Object.keys(events.at(-1)?.asset ?? {})).not.toContain('source')
})

test('a failure is told once, with its error; a repetition, a new name or a removal is nothing', () => {
  const { events, names } = tell([complete, rename, fail, fail, rename, remove])
  expect(names).toEqual(['1 asset.failed'])
  expect(events[0]?.asset.error).toMatchObject({ code: 'encode-failed' })
  expect(tell([remove]).names).toEqual([])
  expect(tell([complete, finish, rename, remove]).names).toEqual(['1 asset.ready'])
})

test('another version that takes over is ready anew', () => {
  const { asset } = tell([complete, finish])
  expect(tell([(current) => ({ ...current, version: 2 })], asset).names).toEqual(['2 asset.ready'])
})

test('whatever happens: no gap in the count, at most one a tenth, at most one end, and each its own id', () => {
  const step = fc.oneof(
    fc.integer({ min: 0, max: 120 }).map(progress),
    fc.constantFrom(complete, finish, fail, remove, rename),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { events } = tell([complete, ...steps])
      expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, n) => n + 1))
      expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
      const tenths = events
        .filter(({ name }) => name === 'asset.progress')
        .map((event) => event.asset.progress.percent)
      expect(new Set(tenths.map((percent) => Math.floor(percent / 10))).size).toBe(tenths.length)
      expect(events.filter(({ name }) => name !== 'asset.progress').length).toBeLessThanOrEqual(1)
    }),
    { numRuns: 500 },
  )
})

test('the same change is the same event, wherever it is seen', () => {
  const before = tell([complete]).asset
  const after = counted(before, fail(before)) as Asset
  expect(eventOf(before, after)).toEqual(eventOf(before, after))
  expect(eventOf(before, after)?.id).toMatch(/^evt_[0-9a-z]{20}$/)
  expect(eventOf(sampleAsset(), sampleAsset())).toBeUndefined()
  expect(eventOf(undefined, after)).toBeUndefined()
  expect(eventOf(after, undefined)).toBeUndefined()
})
