// How many viewers want to watch at a time: the points of a scenario, joined by straight lines or by gentle ones.
import type { ViewersPart } from './scenario.ts'

type Points = ViewersPart['curve']

/** Slow at both ends, steepest in the middle. */
const eased = (share: number): number => share * share * (3 - 2 * share)

export function viewersAt(curve: Points, atMinutes: number): number {
  const next = curve.findIndex((point) => point.atMinutes > atMinutes)
  const [first, last] = [curve[0]!, curve[curve.length - 1]!]
  if (next === 0) return first.viewers
  if (next === -1) return last.viewers
  const [from, to] = [curve[next - 1]!, curve[next]!]
  const share = (atMinutes - from.atMinutes) / (to.atMinutes - from.atMinutes)
  return from.viewers + (to.viewers - from.viewers) * (to.by === 'ease' ? eased(share) : share)
}

export const mostViewers = (curve: Points): number => Math.max(...curve.map(({ viewers }) => viewers))
