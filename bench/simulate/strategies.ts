// Who decides: the platform's own rules, and the peers that they are measured against.

import { decide } from '../../shared/fleet/decide.ts'
import type { Decision, Look } from '../../shared/fleet/decision.ts'
import { placesOf } from '../../shared/fleet/plan.ts'

/** What the peers go by: how busy the ready machines are, and no more. */
export interface View extends Look {
  readonly utilisation: number
}

type Orders = Pick<Decision, 'wake' | 'drain'>

export interface Strategy {
  readonly name: string
  readonly title: string
  /** Ready from the start; without it, what the first viewers need. */
  readonly begins?: number
  decide(view: View): Decision
}

export const ours = (): Strategy => ({
  name: 'ours',
  title: 'Movidone',
  decide: ({ utilisation: _, ...look }) => decide(look),
})

/** The peers keep what they remember to themselves, and count no money; when they looked last, the platform must know. */
const memoryAt = (nowMs: number): Decision['memory'] => ({
  ...{ samples: [], peaks: [], watchedSinceMs: 0, wanted: 0 },
  spend: { countedToMs: nowMs, day: '', dayCost: 0, month: '', monthCost: 0 },
})

const peer = ({
  look,
  ...strategy
}: Omit<Strategy, 'decide'> & { look: (view: View) => Orders }): Strategy => ({
  ...strategy,
  decide: (view) => ({ ...look(view), wanted: 0, memory: memoryAt(view.nowMs) }),
})

export const alwaysOn = (count: number): Strategy =>
  peer({ name: 'always-on', title: 'always on', begins: count, look: (view) => toward(count, view) })

const metricMs = 5 * 60_000
const coolMs = 5 * 60_000
const evaluateMs = 60_000
const high = 0.7
const low = 0.3

interface ThresholdOptions {
  readonly name: string
  readonly title: string
  readonly more: (nodes: number) => number
  readonly fewer: (nodes: number) => number
}

/**
 * Usual defaults of clouds: out above 70 %, in below 30 %, each as the mean of five minutes, at most one step in five.
 * It is spared what some of them get wrong: with nothing awake it starts, and it steps in only when what is left
 * would not have to step out again.
 */
function threshold({ name, title, more, fewer }: ThresholdOptions): Strategy {
  let target: number | undefined
  let actedAtMs = Number.NEGATIVE_INFINITY
  let evaluatedAtMs = Number.NEGATIVE_INFINITY
  let samples: Array<{ atMs: number; utilisation: number }> = []
  return peer({
    name,
    title,
    look(view) {
      const { nowMs, utilisation, plan } = view
      target ??= awakeOf(view).length
      samples = [...samples.filter(({ atMs }) => nowMs - atMs < metricMs), { atMs: nowMs, utilisation }]
      if (nowMs - evaluatedAtMs >= evaluateMs) {
        evaluatedAtMs = nowMs
        const mean = samples.reduce((sum, sample) => sum + sample.utilisation, 0) / samples.length
        const next = mean > high ? more(target) : mean < low ? fewer(target) : target
        const wouldReturn = next < target && (mean * target) / Math.max(next, plan.minimum, 1) > high
        if (next !== target && nowMs - actedAtMs >= coolMs && !wouldReturn) {
          target = bounded(next, view)
          actedAtMs = nowMs
        }
      }
      target = bounded(target, view)
      return toward(target, view)
    },
  })
}

export const thresholdByOne = (): Strategy =>
  threshold({ name: 'threshold', title: 'threshold ±1', more: (n) => n + 1, fewer: (n) => n - 1 })

export const thresholdByShare = (): Strategy =>
  threshold({
    ...{ name: 'threshold-share', title: 'threshold +50/−25 %' },
    more: (n) => n + Math.max(1, Math.ceil(n * 0.5)),
    fewer: (n) => n - Math.max(1, Math.floor(n * 0.25)),
  })

/**
 * The best known of the reactive rules: as many as bring utilisation to 70 %, each minute, a tenth tolerated; at most
 * twice as many, or four more; fewer only when that was so for five minutes.
 */
export function tracking(): Strategy {
  let wished: Array<{ atMs: number; count: number }> = []
  let samples: Array<{ atMs: number; utilisation: number }> = []
  let target: number | undefined
  let evaluatedAtMs = Number.NEGATIVE_INFINITY
  return peer({
    name: 'tracking',
    title: 'target tracking 70 %',
    look(view) {
      const { nowMs, utilisation } = view
      target ??= awakeOf(view).length
      samples = [...samples.filter(({ atMs }) => nowMs - atMs < evaluateMs), { atMs: nowMs, utilisation }]
      if (nowMs - evaluatedAtMs >= evaluateMs) {
        evaluatedAtMs = nowMs
        const mean = samples.reduce((sum, sample) => sum + sample.utilisation, 0) / samples.length
        const ready = view.nodes.filter(({ state }) => state === 'ready').length
        const ratio = mean / high
        const right =
          Math.abs(ratio - 1) <= 0.1 ? target : Math.ceil(Math.max(ready, mean > 0 ? 1 : 0) * ratio)
        // While machines boot, what is busy says nothing of them: then it only grows.
        const booting = target > ready && right < target ? target : right
        wished = [...wished.filter(({ atMs }) => nowMs - atMs < coolMs), { atMs: nowMs, count: booting }]
        const calm = Math.max(...wished.map(({ count }) => count))
        const next =
          booting > target ? Math.min(booting, Math.max(2 * target, target + 4)) : Math.min(target, calm)
        target = next
      }
      target = bounded(target, view)
      return toward(target, view)
    },
  })
}

const awakeOf = ({ nodes }: Pick<View, 'nodes'>) =>
  nodes.filter(({ state }) => state === 'starting' || state === 'ready')

function bounded(count: number, { plan, floor, ceiling, nowMs }: View): number {
  const least = Math.max(plan.minimum, floor && floor.untilMs > nowMs ? floor.nodes : 0)
  const most = ceiling && ceiling.untilMs > nowMs ? ceiling.nodes : plan.maximum
  return Math.min(plan.maximum, most, Math.max(least, count))
}

/** The first ones of the list wake first and drain last; one that had no capacity is passed over. */
function toward(count: number, { plan, nodes, nowMs }: View): Orders {
  const known = new Map(nodes.map((node) => [node.id, node]))
  const places = placesOf(plan)
  const awake = places.filter(({ id }) => {
    const state = known.get(id)?.state
    return state === 'starting' || state === 'ready'
  })
  const asleep = places.filter(({ id }) => {
    const node = known.get(id)
    return !node || (node.state === 'stopped' && node.notBeforeMs <= nowMs)
  })
  return {
    wake: asleep.slice(0, Math.max(0, count - awake.length)).map(({ id }) => ({ id, reason: 'demand' })),
    drain: awake.slice(Math.max(0, count)).map(({ id }) => ({ id, reason: 'idle' })),
  }
}
