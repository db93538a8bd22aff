// The store's clock: right ones are left alone, wrong ones are set, by what the date of an answer proves and no more.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createStoreClock } from '../../shared/azure/store-clock.ts'

/** A store whose clock is ahead of this node's by `aheadMs`, and whose answers take their time. */
function setUp(aheadMs: number, startMs = 1_000_000_000_000) {
  let nowMs = startMs
  const clock = createStoreClock({ now: () => nowMs })
  const ask = (thereMs: number, backMs: number) => {
    const askedAtMs = nowMs
    nowMs += thereMs
    const date = new Date(nowMs + aheadMs).toUTCString()
    nowMs += backMs
    clock.observe(askedAtMs, date)
  }
  const errorMs = () => clock.now() - (nowMs + aheadMs)
  return { clock, ask, errorMs, pass: (ms: number) => (nowMs += ms), now: () => nowMs }
}

const way = fc.integer({ min: 0, max: 400 })
const asks = fc.array(fc.tuple(way, way, fc.integer({ min: 0, max: 5000 })), { minLength: 1, maxLength: 30 })
const skewMs = fc.integer({ min: -86_400_000, max: 86_400_000 })

test('a clock that is right is never corrected', () => {
  fc.assert(
    fc.property(asks, fc.integer({ min: 0, max: 999 }), (all, startMs) => {
      const { clock, ask, pass, now } = setUp(0, 1_000_000_000_000 + startMs)
      for (const [there, back, then] of all) {
        ask(there, back)
        expect(clock.now()).toBe(now())
        pass(then)
      }
    }),
  )
})

test('one that is wrong is right to a second and the way of one answer after the first, whatever it was', () => {
  fc.assert(
    fc.property(skewMs, asks, (aheadMs, all) => {
      const { ask, errorMs, pass } = setUp(aheadMs)
      for (const [there, back, then] of all) {
        ask(there, back)
        expect(Math.abs(errorMs())).toBeLessThanOrEqual(1000 + there + back)
        pass(then)
      }
    }),
  )
})

test('with every answer it only comes closer', () => {
  fc.assert(
    fc.property(skewMs, asks, (aheadMs, all) => {
      const { ask, errorMs, pass } = setUp(aheadMs)
      let worst = Number.POSITIVE_INFINITY
      for (const [there, back, then] of all) {
        ask(there, back)
        expect(Math.abs(errorMs())).toBeLessThanOrEqual(Math.max(worst, 0))
        worst = Math.abs(errorMs())
        pass(then)
      }
    }),
  )
})

test('an answer without a date, or with another one, changes nothing', () => {
  const { clock, now } = setUp(0)
  for (const date of [undefined, '', 'yesterday', 12]) clock.observe(now(), date)
  expect(clock.now()).toBe(now())
  clock.observe(now() + 5000, new Date(now() + 60_000).toUTCString())
  expect(clock.now(), 'asked after it was answered: the clock was set meanwhile').toBe(now())
})
