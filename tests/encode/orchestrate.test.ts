// The orchestrations by themselves: what they call, in which order, with what, and how every failure ends in cleaning.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cleanAsset, encodeAsset, retireVersions } from '../../shared/encode/orchestrate.ts'
import { partsOf } from '../../shared/encode/work.ts'
import { type Answers, play } from './pump.ts'
import { target } from './stage.ts'

const plan = 'ten/ast/v1/plan-x.json'
const prepared = { ok: true, plan, chunks: 4, window: 2, hasAudio: true, verified: true }
const turn = { 'encode-admit': () => ({ ok: true, waitSeconds: 0 }) }
const ready: Answers = { ...turn, 'encode-prepare': () => prepared }

test('prepares, does all units, finishes; the opening and the sound come first', () => {
  const { outcome, calls, names } = play(encodeAsset, ready)
  expect(outcome).toEqual({ ok: true })
  expect(names).toEqual([
    'encode-admit',
    'encode-prepare',
    'encode-chunk',
    'encode-audio',
    'encode-poster',
    'encode-part',
    'encode-part',
    'encode-verify',
    'encode-chunk',
    'encode-chunk',
    'encode-chunk',
    'encode-images',
    'encode-finish',
  ])
  expect(calls.filter(({ name }) => name === 'encode-chunk').map(({ input }) => input['chunk'])).toEqual([
    0, 1, 3, 2,
  ])
  for (const { input } of calls) expect(input).toMatchObject(target)
})

test('has no units for what is not there', () => {
  const { names } = play(encodeAsset, {
    ...turn,
    'encode-prepare': () => ({ ...prepared, chunks: 1, hasAudio: false, verified: false }),
  })
  expect(names).toEqual([
    'encode-admit',
    'encode-prepare',
    'encode-chunk',
    'encode-poster',
    'encode-images',
    'encode-finish',
  ])
})

describe('of a film of any length', () => {
  const films = fc.record({
    chunks: fc.integer({ min: 1, max: 3000 }),
    window: fc.integer({ min: 1, max: 256 }),
  })

  test('the parts hold every chunk but the opening once, in order, never more of them than the window', () => {
    fc.assert(
      fc.property(films, ({ chunks, window }) => {
        const parts = partsOf({ ...target, plan }, { chunks, window })
        expect(parts.length).toBe(Math.min(window, chunks - 1))
        const dealt = parts.flatMap(({ chunk, step }) =>
          Array.from({ length: Math.ceil((chunks - chunk) / step) }, (_, n) => chunk + n * step),
        )
        expect(dealt.sort((a, b) => a - b)).toEqual(Array.from({ length: chunks - 1 }, (_, n) => 1 + n))
        // The first of all parts are neighbours: the title grows from its start.
        expect(parts.map(({ chunk }) => chunk)).toEqual(parts.map((_, n) => 1 + n))
      }),
    )
  })

  test.each([1, 8, 256])(
    '10,000 chunks in a window of %i: short histories, small payloads, each chunk once',
    (window) => {
      const seen: number[] = []
      const { outcome, executions, longestPayload } = play(encodeAsset, {
        ...turn,
        'encode-prepare': () => ({ ...prepared, chunks: 10_000, window }),
        'encode-chunk': ({ chunk }) => {
          seen.push(chunk as number)
          return { ok: true }
        },
      })
      expect(outcome).toEqual({ ok: true })
      expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 10_000 }, (_, n) => n))
      expect(Math.max(...executions)).toBeLessThanOrEqual(Math.max(64, window + 8))
      expect(longestPayload).toBeLessThan(400)
    },
  )
})

describe('a title whose turn has not come', () => {
  test('asks again after the time it was told, with a history that begins anew', () => {
    let asked = 0
    const { outcome, calls, executions } = play(encodeAsset, {
      ...ready,
      'encode-admit': () => ({ ok: true, waitSeconds: ++asked < 200 ? 7 : 0 }),
    })
    expect(outcome).toEqual({ ok: true })
    expect(asked).toBe(200)
    const timers = calls.filter(({ name }) => name === 'timer')
    expect(timers.map(({ input }) => input['seconds'])).toEqual(Array.from({ length: 199 }, () => 7))
    expect(Math.max(...executions)).toBeLessThanOrEqual(128)
    expect(calls.findIndex(({ name }) => name === 'encode-prepare')).toBe(2 * 199 + 1)
  })

  test('a chunk that steps back is asked for again, and none is left out', () => {
    const tries = new Map<unknown, number>()
    const { outcome, calls } = play(encodeAsset, {
      ...ready,
      'encode-chunk': ({ chunk }) => {
        tries.set(chunk, (tries.get(chunk) ?? 0) + 1)
        return { ok: true, waitSeconds: chunk !== 0 && (tries.get(chunk) ?? 0) < 3 ? 1 : 0 }
      },
    })
    expect(outcome).toEqual({ ok: true })
    expect([...tries].sort()).toEqual([
      [0, 1],
      [1, 3],
      [2, 3],
      [3, 3],
    ])
    expect(calls.at(-1)?.name).toBe('encode-finish')
  })
})

const truncated = { ok: false, code: 'source-truncated', detail: 'cut' }
const failures: Array<[string, Answers, { ok: false; code: string }]> = [
  [
    'admission',
    { 'encode-admit': () => ({ ...truncated, code: 'asset-failed' }) },
    { ok: false, code: 'asset-failed' },
  ],
  ['prepare', { ...turn, 'encode-prepare': () => truncated }, truncated as never],
  [
    'a chunk',
    { ...ready, 'encode-chunk': ({ chunk }) => (chunk === 2 ? truncated : { ok: true }) },
    truncated as never,
  ],
  ['the images', { ...ready, 'encode-images': () => truncated }, truncated as never],
  ['finish', { ...ready, 'encode-finish': () => truncated }, truncated as never],
  [
    'a unit whose retries are used up',
    { ...ready, 'encode-audio': () => new Error('lost') },
    { ok: false, code: 'encode-failed' },
  ],
]
test.each(failures)('a failure of %s ends in cleaning, once', (_name, answers, expected) => {
  const { outcome, calls, names } = play(encodeAsset, answers)
  expect(outcome).toMatchObject(expected)
  expect(names.at(-1)).toBe('encode-fail')
  expect(names.filter((name) => name === 'encode-fail')).toHaveLength(1)
  expect(calls.at(-1)?.input).toMatchObject({ ...target, code: expected.code })
})

test('a chunk whose retries are used up fails its title at once, so that the other parts stop; its part does no more', () => {
  let failed = false
  const late: unknown[] = []
  const { outcome, names } = play(encodeAsset, {
    ...turn,
    'encode-prepare': () => ({ ...prepared, chunks: 100, window: 2 }),
    'encode-chunk': ({ chunk }) => {
      if (chunk === 5) return new Error('lost')
      if (failed) late.push(chunk)
      return failed ? { ok: false, code: 'asset-failed', detail: '' } : { ok: true }
    },
    'encode-fail': () => {
      failed = true
      return { ok: true }
    },
  })
  expect(outcome).toMatchObject({ ok: false, code: 'encode-failed' })
  expect(late).toEqual([2])
  expect(names).not.toContain('encode-finish')
  expect(names.at(-1)).toBe('encode-fail')
})

test('what failed outside of an encode is only cleaned', () => {
  const { outcome, calls } = play(cleanAsset, {})
  expect(outcome).toEqual({ ok: true })
  expect(calls).toEqual([{ name: 'encode-fail', input: target }])
})

const outdated = { ok: false, code: 'encode-outdated', detail: 'another ffmpeg' }
test('a plan of another ffmpeg is not the title’s fault: the next version begins, as an instance of its own', () => {
  const { outcome, calls, names } = play(encodeAsset, {
    ...ready,
    'encode-chunk': (input) => (input['chunk'] === 0 ? truncated : outdated),
    'encode-asset': () => ({ ok: true }),
  })
  expect(outcome).toEqual({ ok: true })
  expect(names.slice(-2)).toEqual(['encode-renew', `encode-asset encode-${target.assetId}-v2`])
  expect(calls.at(-1)?.input).toEqual({ ...target, version: 2 })
  expect(names).not.toContain('encode-fail')
})

describe('of a title that was encoded anew', () => {
  const until = new Date(100 * 3_600_000).toISOString()

  test('the version before goes once nobody is in the middle of it', () => {
    const { outcome, calls, names } = play(encodeAsset, {
      ...ready,
      'encode-finish': () => ({ ok: true, until }),
    })
    expect(outcome).toEqual({ ok: true })
    expect(names.at(-1)).toBe(`encode-retire retire-${target.assetId}-v1`)
    expect(calls.at(-1)?.input).toEqual({ ...target, until })
  })

  test('a wait for days is taken in steps, and a store that is away only delays it', () => {
    const away = [new Error('away'), { ok: true }]
    const { outcome, calls } = play(
      retireVersions,
      { 'encode-retire-versions': () => away.shift() },
      { input: { ...target, until } },
    )
    expect(outcome).toEqual({ ok: true })
    const hours = calls.map(({ name, input }) => (name === 'timer' ? Number(input['seconds']) / 3600 : name))
    expect(hours).toEqual([72, 28, 'encode-retire-versions', 0.25, 'encode-retire-versions'])
  })
})
