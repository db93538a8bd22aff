// When the work that is still undone came in, and how many slots it takes so that all of it is done by its goal.
import type { PoolPlan } from './plan.ts'
import type { Demand, Sample } from './ports.ts'

/** What comes in within this part of the goal has come at once. */
const partsOfGoal = 8
const mostKept = 40
/** Less than this is only how numbers are rounded. */
const leastSeconds = 0.001

type Work = Extract<Demand, { kind: 'work' }>

interface Arrival {
  readonly atMs: number
  /** Still undone. */
  readonly seconds: number
}

const toSample = ({ atMs, seconds }: Arrival, { parallel }: Work): Sample => ({
  atMs,
  demand: { kind: 'work', seconds, parallel },
})

const toArrivals = (samples: readonly Sample[]): Arrival[] =>
  samples.flatMap(({ atMs, demand }) => (demand.kind === 'work' ? [{ atMs, seconds: demand.seconds }] : []))

/** More than there was has come in just now; of less, what came first was done first. */
export function arrivals(
  samples: readonly Sample[],
  { demand, nowMs, goalMs }: { demand: Work; nowMs: number; goalMs: number },
): Sample[] {
  const before = toArrivals(samples)
  const kept: Arrival[] = []
  let left = demand.seconds
  // From the youngest: as much of each as is still undone.
  for (const { atMs, seconds } of before.toReversed()) {
    const undone = Math.min(seconds, left)
    if (undone > 0) kept.unshift({ atMs: Math.min(atMs, nowMs), seconds: undone })
    left -= undone
  }
  if (left > leastSeconds) {
    const last = kept.at(-1)
    if (last && (nowMs - last.atMs < goalMs / partsOfGoal || kept.length >= mostKept))
      kept.splice(-1, 1, { ...last, seconds: last.seconds + left })
    else kept.push({ atMs: nowMs, seconds: left })
  }
  return kept.map((arrival) => toSample(arrival, demand))
}

/**
 * What a boot takes is not counted against the goal: it can't be helped. Were the goal counted from each look anew, work
 * would be given the fewer slots the less is left of it, and never be done. What is late is given a quarter of the goal.
 */
export function slotsFor(
  samples: readonly Sample[],
  { parallel }: Work,
  { plan, nowMs }: { plan: Pick<PoolPlan, 'goalMs' | 'bootMs'>; nowMs: number },
): number {
  const { goalMs, bootMs } = plan
  let seconds = 0
  let slots = 0
  for (const arrival of toArrivals(samples)) {
    seconds += arrival.seconds
    const leftMs = Math.max(goalMs / 4, Math.min(goalMs, arrival.atMs + goalMs + bootMs - nowMs))
    slots = Math.max(slots, Math.ceil((seconds * 1000) / leftMs))
  }
  // Never none while there is work, even if none of it can begin yet.
  return seconds > 0 ? Math.max(1, Math.min(parallel, slots)) : 0
}
