// Who does a unit: the app's own activity, or a worker that an orchestration waits for, whatever becomes of its events.
import { expect, test } from 'vitest'
import { encodeAsset, encodeUnit } from '../../shared/encode/orchestrate.ts'
import { type Answers, play } from './pump.ts'
import { target } from './stage.ts'

const plan = 'ten/ast/v1/plan-x.json'
const prepared = { ok: true, plan, chunks: 4, window: 2, hasAudio: true, hasChecksum: false }
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
