// The bound on one answer against the encoder's own limits: it holds the largest segment that any plan can make.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { settings } from '../../shared/config/schema.ts'
import { largestSegmentBytes } from '../../shared/deliver/index.ts'
import { gridRate } from '../../shared/encode/frame-rate.ts'
import { planLadder } from '../../shared/encode/ladder.ts'
import { segmentSeconds } from '../../shared/encode/plan.ts'

const answerMaxBytes = settings.shape.ANSWER_MAX_BYTES.parse(undefined)

function largestOf(picture: { width: number; height: number }, rate: { num: number; den: number }): number {
  const { num, den } = gridRate(rate, rate)
  const framesPerSecond = num / den
  const frames = Math.max(1, Math.round(segmentSeconds * framesPerSecond))
  const sizes = planLadder(picture, framesPerSecond).map(({ maxrateKbps }) =>
    largestSegmentBytes({
      peakBitsPerSecond: maxrateKbps * 1000,
      bufferBits: 2 * maxrateKbps * 1000,
      durationSeconds: frames / framesPerSecond,
      frames,
    }),
  )
  return Math.max(...sizes)
}

test('no picture and no frame rate makes a segment that one answer can not hold', () => {
  const picture = fc.record({
    width: fc.integer({ min: 16, max: 8192 }),
    height: fc.integer({ min: 16, max: 8192 }),
  })
  const rate = fc.record({
    num: fc.integer({ min: 1, max: 300_000 }),
    den: fc.integer({ min: 1, max: 5000 }),
  })
  fc.assert(
    fc.property(picture, rate, (size, fps) => {
      expect(largestOf(size, fps)).toBeLessThan(answerMaxBytes)
    }),
    { numRuns: 5000 },
  )
})

test('the largest there is, 4K at 60 frames a second, needs four fifths of it', () => {
  const largest = largestOf({ width: 8192, height: 4320 }, { num: 60, den: 1 })
  expect(largest).toBeGreaterThan(13_000_000)
  expect(largest).toBeLessThan(0.82 * answerMaxBytes)
})

test('a segment is no larger than peak rate, full buffer, boxes and padding together', () => {
  const ceiling = { peakBitsPerSecond: 8000, bufferBits: 16_000, durationSeconds: 4, frames: 100 }
  expect(largestSegmentBytes(ceiling)).toBe(4000 + 2000 + 4096 + 1600 + 16)
})
