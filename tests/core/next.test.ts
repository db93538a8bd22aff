// A title that is encoded anew plays as it is until the next version is whole, whatever happens to that on the way.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eventOf } from '../../shared/assets/events.ts'
import {
  cancelled,
  charged,
  failed,
  finished,
  newCharge,
  nextCleaned,
  planned,
  progressed,
  published,
  reencoded,
  rekeyed,
  removed,
  renewed,
  sessionsEnded,
} from '../../shared/assets/machine.ts'
import { type Asset, AssetDocument, viewAsset } from '../../shared/assets/model.ts'
import { encodeOf, latestVersion, versionUnderWay } from '../../shared/assets/next.ts'
import { sampleAsset } from '../support/documents.ts'

const nowMs = Date.parse('2026-11-22T10:00:00Z')
const until = '2026-11-22T22:00:00.000Z'
const rendition = { name: 'v720', kind: 'video', codecs: 'avc1.64001f', averageBandwidth: 1 } as const
const ready = sampleAsset({
  state: 'ready',
  progress: { percent: 100, stage: 'done' },
  source: { blob: 'b', sizeBytes: 1, etag: 'e' },
  plan: 'ten/ast/v1/plan-a.json',
  timeline: 'ten/ast/v1/timeline-9.json',
  poster: 'ten/ast/v1/poster.jpg',
  durationSeconds: 32,
  renditions: [rendition],
  charged: { month: '2026-10', seconds: 32 },
})
const made = (version: number) => ({
  version,
  timeline: `ten/ast/v${version}/timeline-5.json`,
  durationSeconds: 31,
  renditions: [{ ...rendition, name: 'v1080' }],
  poster: `ten/ast/v${version}/poster.jpg`,
  formerUntil: until,
})

type Step = (asset: Asset) => Asset | 'unchanged'
const apply = (asset: Asset, step: Step): Asset => {
  const next = step(asset)
  return next === 'unchanged' ? asset : next
}
const begun = apply(ready, (asset) => reencoded(asset, nowMs))

/** What plays, and where everything of it lies. */
const played = ({
  state,
  version,
  timeline,
  renditions,
  poster,
  durationSeconds,
  plan,
  progress,
}: Asset) => ({
  ...{ state, version, timeline, renditions, poster, durationSeconds, plan, progress },
})

describe('the next version', () => {
  test('begins once, and is a number that was never used', () => {
    expect(versionUnderWay(begun)).toBe(2)
    expect(reencoded(begun, nowMs)).toBe('unchanged')
    const over = apply(begun, (asset) => cancelled(asset, nowMs))
    expect([versionUnderWay(over), latestVersion(over)]).toEqual([undefined, 2])
    expect(versionUnderWay(apply(over, (asset) => reencoded(asset, nowMs)))).toBe(3)
    for (const state of ['uploading', 'encoding', 'failed'] as const)
      expect(() => reencoded(sampleAsset({ state }), nowMs)).toThrow(
        expect.objectContaining({ code: 'conflict' }),
      )
  })

  test('takes over at once, and what it replaced stays for whoever is in the middle of it', () => {
    const { next: _, ...after } = apply(begun, (asset) => finished(asset, made(2), nowMs))
    expect(_).toBeUndefined()
    expect(after).toMatchObject({
      state: 'ready',
      version: 2,
      timeline: 'ten/ast/v2/timeline-5.json',
      poster: 'ten/ast/v2/poster.jpg',
      durationSeconds: 31,
      progress: { percent: 100, stage: 'done' },
      former: [{ timeline: 'ten/ast/v1/timeline-9.json', until }],
    })
    expect(eventOf(begun, { ...after, events: 1 })?.name).toBe('asset.ready')
    // Late, or repeated.
    expect(finished(after, made(2), nowMs)).toBe('unchanged')
    expect(failed(after, { version: 2, code: 'encode-failed' }, nowMs)).toBe('unchanged')
  })

  test('takes over from keys that were changed meanwhile', () => {
    const facts = { version: 1, from: ready.timeline ?? '', timeline: 'ten/ast/v1/timeline-g1.json', until }
    const other = apply(begun, (asset) => rekeyed(asset, facts, nowMs))
    expect(versionUnderWay(other)).toBe(2)
    expect(
      apply(other, (asset) => finished(asset, made(2), nowMs)).former?.map(({ timeline }) => timeline),
    ).toEqual(['ten/ast/v1/timeline-9.json', 'ten/ast/v1/timeline-g1.json'])
  })

  test('leaves the title as it is when it fails, and says why until the next one begins', () => {
    const over = apply(begun, (asset) => failed(asset, { version: 2, code: 'encode-too-slow' }, nowMs))
    expect(viewAsset(over)).toMatchObject({
      state: 'ready',
      playable: true,
      nextVersion: { progress: { stage: 'failed' }, error: { code: 'encode-too-slow' } },
    })
    expect(viewAsset(over).error).toBeUndefined()
    expect(eventOf(begun, { ...over, events: 1 })).toMatchObject({
      name: 'asset.failed',
      asset: { state: 'ready', nextVersion: { error: { code: 'encode-too-slow' } } },
    })
    expect(versionUnderWay(over)).toBeUndefined()
    expect(encodeOf(over, 2)).toBe(over)
    expect(nextCleaned(over, { version: 3 }, nowMs)).toBe('unchanged')
    const cleaned = apply(over, (asset) => nextCleaned(asset, { version: 2 }, nowMs))
    expect(cleaned.next?.cleanedAt).toBeDefined()
    const again = apply(cleaned, (asset) => reencoded(asset, nowMs))
    expect(viewAsset(again).nextVersion).toEqual({ progress: { percent: 0, stage: 'queued' } })
    expect(eventOf(over, { ...again, events: 1 })).toBeUndefined()
  })

  test('is charged once, beside what was charged before, and not once more when it takes over', () => {
    const charge = { version: 2, month: '2026-11', seconds: 31 }
    const paid = apply(begun, (asset) => charged(asset, charge, nowMs))
    expect(newCharge(begun, paid)).toEqual({ month: '2026-11', seconds: 31 })
    expect(charged(paid, charge, nowMs)).toBe('unchanged')
    const moved = apply(paid, (asset) => renewed(asset, { version: 2 }, nowMs))
    expect(versionUnderWay(moved)).toBe(3)
    expect(charged(moved, { ...charge, version: 3 }, nowMs)).toBe('unchanged')
    for (const before of [moved, { ...moved, charged: undefined }] as Asset[])
      expect(
        newCharge(
          before,
          apply(before, (asset) => finished(asset, made(3), nowMs)),
        ),
      ).toBeUndefined()
  })

  test('stops when its title is deleted', () => {
    const gone = apply(begun, (asset) => removed(asset, nowMs))
    expect(encodeOf(gone, 2).state).toBe('failed')
    expect(finished(gone, made(2), nowMs)).toBe('unchanged')
  })
})

test('nothing but the end of the next version changes what plays', () => {
  const version = fc.integer({ min: 1, max: 4 })
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.tuple(version, fc.integer({ min: 0, max: 120 })).map(
      ([v, percent]): Step =>
        (asset) =>
          progressed(asset, { version: v, percent, stage: 'encoding' }, nowMs),
    ),
    version.map(
      (v): Step =>
        (asset) =>
          charged(asset, { version: v, month: '2026-11', seconds: 1 }, nowMs),
    ),
    version.map(
      (v): Step =>
        (asset) =>
          renewed(asset, { version: v }, nowMs),
    ),
    version.map(
      (v): Step =>
        (asset) =>
          failed(asset, { version: v, code: 'encode-failed' }, nowMs),
    ),
    version.map(
      (v): Step =>
        (asset) =>
          published(asset, made(v), nowMs),
    ),
    version.map(
      (v): Step =>
        (asset) =>
          nextCleaned(asset, { version: v }, nowMs),
    ),
    version.map(
      (v): Step =>
        (asset) => {
          const current = encodeOf(asset, v)
          return current.plan ? 'unchanged' : planned(asset, { version: v, plan: `p${v}` }, nowMs)
        },
    ),
    fc.constant<Step>((asset) => reencoded(asset, nowMs)),
    fc.constant<Step>((asset) => (versionUnderWay(asset) ? cancelled(asset, nowMs) : 'unchanged')),
    fc.constant<Step>((asset) => sessionsEnded(asset, { atMs: nowMs }, nowMs)),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      let latest = 1
      const after = steps.reduce((asset, each) => {
        const next = AssetDocument.parse(apply(asset, each))
        expect(latestVersion(next)).toBeGreaterThanOrEqual(latest)
        latest = latestVersion(next)
        return next
      }, ready)
      expect(played(after)).toEqual(played(ready))
      expect(after.former).toBeUndefined()
      const whole = apply(after, (asset) => finished(asset, made(versionUnderWay(asset) ?? 99), nowMs))
      expect(whole.version).toBe(versionUnderWay(after) ?? 1)
    }),
  )
})

test('a first encode that is cancelled fails, and stays so; there must be one', () => {
  const encoding = sampleAsset({ state: 'encoding' })
  const over = apply(encoding, (asset) => cancelled(asset, nowMs))
  expect(over).toMatchObject({ state: 'failed', error: { code: 'encode-cancelled' } })
  expect(eventOf(encoding, { ...over, events: 1 })?.name).toBe('asset.failed')
  expect(cancelled(over, nowMs)).toBe('unchanged')
  for (const asset of [ready, sampleAsset(), sampleAsset({ state: 'failed' })])
    expect(() => cancelled(asset, nowMs)).toThrow(expect.objectContaining({ code: 'conflict' }))
})
