// Which constant grid of frames a title gets: the source's own rate, exactly, at most 60 a second.
import { parseRational, type Rational, ratioOf, reduced } from './rational.ts'

const highest = 60.001
const standard = [
  '12/1',
  '15/1',
  '24000/1001',
  '24/1',
  '25/1',
  '30000/1001',
  '30/1',
  '48/1',
  '50/1',
  '60000/1001',
  '60/1',
]
  .map(parseRational)
  .filter((rate) => rate !== undefined)
/** A larger numerator would be the track's timescale, and 32 bits of it run out within a film. */
const largestNumerator = 120_000

const near = (a: number, b: number, tolerance: number): boolean => Math.abs(a - b) <= b * tolerance

/** Half, a third … of a rate above 60: every frame that stays is one of the source's. */
const within60 = (rate: Rational): Rational =>
  reduced(rate.num, rate.den * Math.max(1, Math.ceil(ratioOf(rate) / highest)))

const sameStandard = (rate: number): Rational | undefined =>
  standard.find((candidate) => near(rate, ratioOf(candidate), 0.0002))

const nextStandard = (rate: number): Rational =>
  sameStandard(rate) ?? standard.find((candidate) => ratioOf(candidate) >= rate * 0.99) ?? { num: 60, den: 1 }

function fine(rate: Rational): Rational {
  if (ratioOf(rate) < 1) return { num: 1, den: 1 }
  const exact = rate.num <= largestNumerator ? rate : reduced(Math.round(ratioOf(rate) * 1000), 1000)
  return sameStandard(ratioOf(rate)) ?? exact
}

/**
 * `real` is the lowest rate on which all of the source's times lie, `average` what it has on the whole. They differ for a
 * variable rate, where a grid as fine as `real` keeps every frame; but some containers only tell their clock (1000 or
 * 90,000 a second) or count fields, and then the average decides.
 */
export function gridRate(real: Rational | undefined, average: Rational | undefined): Rational {
  if (!real || !average) return fine(within60(real ?? average ?? { num: 25, den: 1 }))
  const [r, a] = [ratioOf(real), ratioOf(average)]
  if (r <= highest) return fine(near(r, 2 * a, 0.01) ? average : real)
  return fine(near(r, a, 0.01) && r <= 300 ? within60(real) : nextStandard(Math.min(a, 60)))
}
