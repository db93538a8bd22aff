// What counts against a tenant's limits, when a month begins anew, and what is said to whoever reaches one.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { charged, cleaned, failed, removed } from '../../shared/assets/machine.ts'
import { type Asset, keptOf } from '../../shared/assets/model.ts'
import { admitEncode, admitTitle, shownMinutes } from '../../shared/tenants/limits.ts'
import { blockSize } from '../../shared/tenants/session-count.ts'
import { noUsage, usageAfter } from '../../shared/tenants/usage.ts'
import { newTenantId, sampleAsset } from '../support/documents.ts'

const nowMs = Date.parse('2026-11-22T10:00:00Z')

test('a title counts until it is deleted, its source until it is gone', () => {
  const asset = sampleAsset({ source: { blob: 'b', sizeBytes: 700 } })
  const broken = failed(asset, { version: 1, code: 'source-not-media' }, nowMs) as Asset
  const swept = cleaned(broken, nowMs) as Asset
  const counts = [
    undefined,
    asset,
    broken,
    swept,
    removed(swept, nowMs) as Asset,
    removed(asset, nowMs) as Asset,
  ]
  expect(counts.map(keptOf)).toEqual([
    { titles: 0, bytes: 0 },
    { titles: 1, bytes: 700 },
    { titles: 1, bytes: 700 },
    { titles: 1, bytes: 0 },
    { titles: 0, bytes: 0 },
    { titles: 0, bytes: 0 },
  ])
})

test('an encode is charged once, whatever repeats it', () => {
  const asset = sampleAsset({ state: 'encoding' })
  const once = charged(asset, { version: 1, month: '2026-11', seconds: 60 }, nowMs) as Asset
  expect(once.charged).toEqual({ month: '2026-11', seconds: 60 })
  expect(charged(once, { version: 1, month: '2026-12', seconds: 99 }, nowMs)).toBe('unchanged')
  const ready = sampleAsset({ state: 'ready' })
  expect(charged(ready, { version: 1, month: '2026-11', seconds: 1 }, nowMs)).toBe('unchanged')
})

test('each month begins at nothing, and what comes late for one that is over changes none', () => {
  const charge = (month: string, seconds: number) => ({ titles: 0, bytes: 0, encode: { month, seconds } })
  const november = usageAfter(
    usageAfter(noUsage(newTenantId()), charge('2026-11', 60)),
    charge('2026-11', 30),
  )
  expect(november).toMatchObject({ month: '2026-11', encodedSeconds: 90 })
  const december = usageAfter(november, charge('2026-12', 10))
  expect(december).toMatchObject({ month: '2026-12', encodedSeconds: 10 })
  expect(usageAfter(december, charge('2026-11', 99))).toEqual(december)
  expect(usageAfter(december, charge('2027-01', 1))).toMatchObject({ month: '2027-01', encodedSeconds: 1 })
})

describe('a refusal names the limit, what is used, and what to do', () => {
  const kept = { titles: 3, bytes: 900 }
  test('of titles', () => {
    expect(() => admitTitle({ titles: 3 }, kept, 100)).not.toThrow()
    expect(() => admitTitle({ titles: 2 }, kept, 100)).toThrow(
      /has 2 titles, and may have 2\. Delete one, or ask/,
    )
  })
  test('of bytes', () => {
    expect(() => admitTitle({ bytes: 900 }, kept, 100)).not.toThrow()
    expect(() => admitTitle({ bytes: 899 }, kept, 100)).toThrow(
      /have 800 bytes, and may have 899; this one has 100/,
    )
  })
  test('of encoded minutes', () => {
    expect(() => admitEncode({ encodedMinutes: 2 }, 120, 30)).not.toThrow()
    expect(() => admitEncode({ encodedMinutes: 2 }, 120.5, 30.5)).toThrow(
      /1\.5 minutes .* 2 may be; this title has 0\.51/,
    )
  })
  test('no limit limits nothing', () => {
    expect(() => admitTitle({}, { titles: 1e9, bytes: 1e18 }, 1)).not.toThrow()
    expect(() => admitEncode({}, 1e12, 1)).not.toThrow()
  })
})

test('what is used is never shown as nothing', () => {
  expect([0, 0.1, 60, 61].map(shownMinutes)).toEqual([0, 0.01, 1, 1.02])
})

test('blocks of sessions: never beyond the limit, one by one when it is near, large when it is far', () => {
  const used = fc.nat(2_000_000)
  fc.assert(
    fc.property(used, fc.nat(1_000_000), fc.constantFrom(1, 2, 8, 64), (before, limit, wanted) => {
      const size = blockSize(before, limit, wanted)
      const left = Math.max(0, limit - before)
      expect(size).toBeLessThanOrEqual(Math.min(left, wanted))
      if (left > 0) expect(size).toBeGreaterThan(0)
      if (left <= Math.max(100, limit / 10)) expect(size).toBeLessThanOrEqual(1)
      // However large a block, it ends before the limit is near.
      if (size > 1) expect(left - size).toBeGreaterThanOrEqual(Math.max(100, limit / 10))
    }),
  )
  expect(blockSize(0, 10_000, 64)).toBe(64)
  expect(blockSize(1e9, undefined, 64)).toBe(64)
})
