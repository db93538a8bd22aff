// Who does a unit: the app's own activity, or a worker that an orchestration waits for, whatever becomes of its events.
import { describe, expect, test } from 'vitest'
import { encodeAsset, encodeUnit } from '../../shared/encode/orchestrate.ts'
import { type Answers, play } from './pump.ts'
import { target } from './stage.ts'

const plan = 'ten/ast/v1/plan-x.json'
const prepared = { ok: true, plan, chunks: 4, window: 2, hasAudio: true, verified: false }
const begun: Answers = {
  'encode-admit': () => ({ ok: true, waitSeconds: 0 }),
  'encode-prepare': () => ({ ...prepared, fleetSinceMs: 5 }),
}
const over = { ok: true, over: true, waitSeconds: 0 }
const notYet = { ok: true, over: false, waitSeconds: 30 }

test('with the fleet every chunk and the sound are offered, and none is encoded by an activity', () => {
  const { outcome, calls, names } = play(encodeAsset, { ...begun, 'encode-offer': () => over })
  expect(outcome).toEqual({ ok: true })
  expect(names).not.toContain('encode-chunk')
  expect(names).not.toContain('encode-audio')
  const offers = calls.filter(({ name }) => name === 'encode-offer').map(({ input }) => input)
  expect(offers.map(({ kind, chunk }) => chunk ?? kind).sort()).toEqual([0, 1, 2, 3, 'audio'])
  for (const offer of offers)
    expect(offer).toMatchObject({
      ...target,
      plan,
      fleetSinceMs: 5,
      waits: expect.stringMatching(/^instance-/),
    })
})

describe('shared between the app and workers', () => {
  const shared: Answers = {
    ...begun,
    'encode-prepare': () => ({ ...prepared, fleetSinceMs: 5, shared: true }),
  }

  test('the opening and the sound are the app’s, the other chunks are offered', () => {
    const { outcome, calls, names } = play(encodeAsset, { ...shared, 'encode-offer': () => over })
    expect(outcome).toEqual({ ok: true })
    const inputsOf = (wanted: string) => calls.filter(({ name }) => name === wanted).map(({ input }) => input)
    expect(inputsOf('encode-chunk')).toEqual([expect.objectContaining({ chunk: 0 })])
    expect(inputsOf('encode-audio')).toHaveLength(1)
    const offers = inputsOf('encode-offer')
    expect(offers.map(({ chunk }) => chunk).sort()).toEqual([1, 2, 3])
    for (const offer of offers) expect(offer).toMatchObject({ fleetSinceMs: 5, shared: true, step: 2 })
    expect(names).not.toContain('encode-unclaimed')
    expect(names.slice(0, 5)).toEqual([
      'encode-admit',
      'encode-prepare',
      'encode-chunk',
      'encode-audio',
      'encode-poster',
    ])
  })

  test('what nobody claims an activity does; the next one of that part is offered with less patience', () => {
    const { outcome, calls } = play(encodeAsset, {
      ...shared,
      'encode-offer': ({ chunk }) => (chunk === 1 ? { ...notYet, waitSeconds: 0, unclaimed: true } : over),
    })
    expect(outcome).toEqual({ ok: true })
    const did = calls.filter(({ name }) => name === 'encode-unclaimed')
    expect(did.map(({ input }) => input)).toEqual([
      expect.objectContaining({ ...target, plan, chunk: 1, step: 2, passed: 0, kind: 'chunk' }),
    ])
    const offers = calls.filter(({ name }) => name === 'encode-offer').map(({ input }) => input)
    expect(offers.map(({ chunk, alone }) => [chunk, alone])).toEqual([
      [1, false],
      [3, true],
      [2, false],
    ])
  })

  test('one that a worker took at the last moment is waited for again', () => {
    const looks = [{ ...notYet, unclaimed: true }, notYet, over]
    const { outcome, names } = play(
      encodeUnit,
      { 'encode-offer': () => looks.shift(), 'encode-unclaimed': () => ({ ok: true, waitSeconds: 1 }) },
      { input: { ...target, plan, kind: 'chunk', chunk: 1, fleetSinceMs: 5, shared: true } },
    )
    expect(outcome).toEqual({ ok: true })
    expect(names).toEqual([
      'encode-offer',
      'encode-unclaimed',
      'timer',
      'encode-offer',
      'timer',
      'unit-reported',
      'encode-offer',
    ])
  })

  test('one that lets others pass again and again has short histories, and counts', () => {
    const passed: unknown[] = []
    const { outcome, executions } = play(
      encodeUnit,
      {
        'encode-offer': () => ({ ...notYet, unclaimed: true }),
        'encode-unclaimed': (input) => {
          passed.push(input['passed'])
          return { ok: true, ...(passed.length < 300 ? { waitSeconds: 1 } : {}) }
        },
      },
      { input: { ...target, plan, kind: 'chunk', chunk: 1, fleetSinceMs: 5, shared: true } },
    )
    expect(outcome).toEqual({ ok: true, unclaimed: true })
    expect(passed).toEqual(Array.from({ length: 300 }, (_, n) => n))
    expect(Math.max(...executions)).toBeLessThanOrEqual(2 * 64)
  })

  test('what the app can not do either ends the title', () => {
    const failure = { ok: false, code: 'source-truncated', detail: 'x' }
    const { outcome, names } = play(encodeAsset, {
      ...shared,
      'encode-offer': () => ({ ...notYet, unclaimed: true }),
      'encode-unclaimed': ({ chunk }) => (chunk === 2 ? failure : { ok: true }),
    })
    expect(outcome).toEqual(failure)
    expect(names.at(-1)).toBe('encode-fail')
  })

  test.each([25, 256])(
    '2000 chunks in a window of %i for workers: short histories, small payloads',
    (window) => {
      const seen: number[] = []
      const { outcome, executions, longestPayload } = play(encodeAsset, {
        ...shared,
        'encode-prepare': () => ({
          ...prepared,
          chunks: 2000,
          window,
          fleetSinceMs: 1_764_000_000_000,
          shared: true,
        }),
        'encode-offer': ({ chunk }) => {
          seen.push(chunk as number)
          return over
        },
      })
      expect(outcome).toEqual({ ok: true })
      expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 1999 }, (_, n) => n + 1))
      expect(Math.max(...executions)).toBeLessThanOrEqual(Math.max(64, window + 8))
      expect(longestPayload).toBeLessThan(400)
    },
  )
})

test('an event makes it look; early and doubled ones only make it look once more', () => {
  let looks = 0
  const { outcome, names } = play(
    encodeUnit,
    { 'encode-offer': () => (++looks < 5 ? notYet : over), 'unit-reported': () => looks !== 3 },
    { input: { ...target, plan, kind: 'chunk', chunk: 1, fleetSinceMs: 5 } },
  )
  expect(outcome).toEqual({ ok: true })
  expect(names.filter((name) => name === 'encode-offer')).toHaveLength(5)
  // The one that waited for its timer has none left to cancel.
  expect(names.filter((name) => name === 'cancel')).toHaveLength(3)
})

test('a lost event costs a while: the timer makes it look; a unit that takes days has short histories', () => {
  let looks = 0
  const { outcome, executions } = play(
    encodeUnit,
    { 'encode-offer': () => (++looks < 500 ? notYet : over) },
    { input: { ...target, plan, kind: 'audio', fleetSinceMs: 5 } },
  )
  expect(outcome).toEqual({ ok: true })
  expect(looks).toBe(500)
  expect(Math.max(...executions)).toBeLessThanOrEqual(2 * 64)
})

test('a unit that is given up ends its title as one that failed here does', () => {
  const failure = { ok: false, code: 'encode-failed', detail: 'x' }
  const { outcome, names } = play(encodeAsset, {
    ...begun,
    'encode-offer': ({ chunk }) => (chunk === 2 ? failure : over),
  })
  expect(outcome).toEqual(failure)
  expect(names.at(-1)).toBe('encode-fail')
})
