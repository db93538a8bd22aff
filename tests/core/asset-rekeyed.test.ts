// A title whose content keys are changed: one timeline plays, those before it go on until they are retired, none is lost.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formerRetired, rekeyed, timelineGeneration, timelineLength } from '../../shared/assets/machine.ts'
import type { Asset } from '../../shared/assets/model.ts'
import { sampleAsset } from '../support/documents.ts'

const blob = (generation: number, version = 1) =>
  generation === 0
    ? `ten/ast/v${version}/timeline-9.json`
    : `ten/ast/v${version}/timeline-g${generation}.json`
const ready = sampleAsset({ state: 'ready', timeline: blob(0) })
const until = '2030-01-01T00:00:00.000Z'
const facts = (from: number) => ({ version: 1, from: blob(from), timeline: blob(from + 1), until })

test('the names of timelines tell segments and generations apart', () => {
  expect([blob(0), blob(3), undefined].map(timelineGeneration)).toEqual([0, 3, 0])
  expect([blob(0), blob(3), undefined].map(timelineLength)).toEqual([9, 0, 0])
})

test('only of the version and the timeline that it was made from, and only of a title that is ready', () => {
  expect(rekeyed(ready, facts(0), 1)).toMatchObject({
    timeline: blob(1),
    former: [{ timeline: blob(0), until }],
  })
  const others: Array<[Partial<Asset>, object]> = [
    [{ state: 'failed' }, {}],
    [{ state: 'encoding' }, {}],
    [{ version: 2 }, {}],
    [{}, { version: 2 }],
    [{}, { from: blob(1) }],
    [{ timeline: blob(1) }, {}],
  ]
  for (const [asset, other] of others)
    expect(rekeyed({ ...ready, ...asset }, { ...facts(0), ...other }, 1)).toBe('unchanged')
})

test('in whatever order changes and retirements come, and come again, nothing that plays is forgotten', () => {
  const step = fc.record({ change: fc.boolean(), generation: fc.integer({ min: 0, max: 5 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let asset: Asset = ready
      const retired = new Set<string>()
      for (const { change, generation } of steps) {
        const before = timelineGeneration(asset.timeline)
        const was = asset.former?.map(({ timeline }) => timeline) ?? []
        const next = change
          ? rekeyed(asset, facts(generation), 1)
          : formerRetired(asset, { timeline: blob(generation) }, 1)
        if (next === 'unchanged') continue
        if (!change) retired.add(blob(generation))
        asset = next
        const former = asset.former?.map(({ timeline }) => timeline) ?? []
        expect(timelineGeneration(asset.timeline)).toBe(change ? before + 1 : before)
        expect(former).toEqual(
          change ? [...was, blob(before)] : was.filter((one) => one !== blob(generation)),
        )
        expect(former).not.toContain(asset.timeline)
        if ('former' in asset) expect(former.length).toBeGreaterThan(0)
      }
      const now = timelineGeneration(asset.timeline)
      const kept = (asset.former ?? []).map(({ timeline }) => timeline)
      const all = Array.from({ length: now }, (_, generation) => blob(generation))
      expect([...kept, ...retired].sort()).toEqual(all.sort())
    }),
  )
})
