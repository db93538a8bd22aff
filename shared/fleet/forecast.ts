// What an audience will be when a machine that is woken now is ready: its trend, as far as that is surer than chance.
import type { Demand, Sample } from './ports.ts'

/** A trend is looked for in the last half minute, which sees an explosion, and in longer spans, which see through noise. */
const spansMs = [30_000, 60_000, 120_000, 240_000]
export const longestSpanMs = Math.max(...spansMs)
const fewestPoints = 4
/** Whatever the trend: a few looks after a start from nothing don't prove more. */
const mostGrowth = 4

type Audience = Extract<Demand, { kind: 'audience' }>

interface Point {
  readonly atMs: number
  readonly value: number
}

/** Least squares, less two standard errors: noise without a trend comes out at about zero, a clean ramp whole. */
function sureSlope(points: readonly Point[]): number {
  if (points.length < fewestPoints) return 0
  const mean = (of: (point: Point) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const at = mean(({ atMs }) => atMs)
  const level = mean(({ value }) => value)
  const spread = points.reduce((sum, { atMs }) => sum + (atMs - at) ** 2, 0)
  if (spread === 0) return 0
  const slope = points.reduce((sum, { atMs, value }) => sum + (atMs - at) * (value - level), 0) / spread
  const rest = points.reduce((sum, { atMs, value }) => sum + (value - level - slope * (atMs - at)) ** 2, 0)
  return slope - 2 * Math.sqrt(rest / (points.length - 2) / spread)
}

function foresee(points: readonly Point[], aheadMs: number): number {
  const now = points.at(-1)
  if (!now) return 0
  const slope = Math.max(
    0,
    ...spansMs.map((spanMs) => sureSlope(points.filter(({ atMs }) => now.atMs - atMs <= spanMs))),
  )
  return Math.min(now.value + slope * aheadMs, now.value * mostGrowth)
}

/** Never less than there is now. */
export function forecast(samples: readonly Sample[], demand: Audience, aheadMs: number): Audience {
  const of = (what: 'sessions' | 'bytesPerSecond') => {
    const points = samples.flatMap(({ atMs, demand: past }) =>
      past.kind === 'audience' ? [{ atMs, value: past[what] }] : [],
    )
    return Math.max(demand[what], foresee(points, aheadMs))
  }
  return { kind: 'audience', sessions: of('sessions'), bytesPerSecond: of('bytesPerSecond') }
}
