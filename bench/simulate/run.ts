// One strategy in one scenario: time passes, demand comes, the watch looks every ten seconds, and all is counted.
import { type PoolPlan, placesOf } from '../../shared/fleet/plan.ts'
import type { Bound } from '../../shared/fleet/ports.ts'
import type { Order } from '../../shared/fleet/step.ts'
import { createAgenda } from './agenda.ts'
import { type AudienceFigures, createAudience, placesOn } from './audience.ts'
import { mostViewers, viewersAt } from './curve.ts'
import { type Bill, createFleet } from './fleet.ts'
import type { Load } from './load.ts'
import type { Scenario } from './scenario.ts'
import { alwaysOn, ours, type Strategy, thresholdByOne, thresholdByShare, tracking } from './strategies.ts'
import { createWork, type WorkFigures } from './work.ts'

/** What a plot shows at one time; of what passes quickly the most since the point before. */
export interface Point {
  readonly minute: number
  readonly wanted: number
  readonly places: number
  readonly without: number
  readonly awake: number
  readonly cost: number
}

export interface PoolRun {
  readonly pool: PoolPlan['name']
  readonly strategy: string
  readonly title: string
  readonly audience?: AudienceFigures
  readonly work?: WorkFigures
  readonly bills: readonly Bill[]
  readonly vmHours: number
  readonly cost: number
  /** By rate and time, second by second; the bills must say the same. */
  readonly costCounted: number
  readonly wakes: number
  readonly mostAwake: number
  /** Machines woken within ten minutes of another one's drain: a fleet that does not know what it wants. */
  readonly turns: number
  readonly points: readonly Point[]
}

/** As often as `fleet-watch` fires. */
const lookSeconds = 10
const plotPoints = 480
const turnMs = 10 * 60_000

export interface RunOptions {
  readonly scenario: Scenario
  readonly plan: PoolPlan
  readonly strategy: Strategy
  readonly seed: number
}

export function runPool({ scenario, plan, strategy, seed }: RunOptions): PoolRun {
  const startMs = Date.parse(scenario.startsAt)
  const agenda = createAgenda(startMs)
  const { viewers, work: workPart } = scenario
  const audience =
    plan.name === 'edge' && viewers ? createAudience({ scenario, viewers, plan, agenda, seed }) : undefined
  const work = plan.name === 'encoder' && workPart ? createWork({ work: workPart, agenda }) : undefined
  const load: Load = (audience ?? work)!.load
  const fleet = createFleet({ scenario, plan, agenda, load, seed })
  fleet.begin(Math.max(plan.minimum, nodesAtStart(scenario, plan, strategy)))

  const seconds = Math.round(scenario.hours * 3600)
  const every = Math.max(1, Math.ceil(seconds / plotPoints))
  const points: Point[] = []
  let without = 0
  let drainedAtMs = Number.NEGATIVE_INFINITY
  let turns = 0

  for (let second = 0; second < seconds; second++) {
    agenda.runTo(startMs + second * 1000)
    load.step()
    if (second % lookSeconds === 0) {
      const utilisation = load.utilisation()
      const orders = fleet.watch((look) => strategy.decide({ ...look, utilisation }), asked())
      if (orders.wake.length > 0 && agenda.now() - drainedAtMs < turnMs) turns += orders.wake.length
      if (orders.drain.length > 0) drainedAtMs = agenda.now()
    }
    const now = load.gauge()
    without = Math.max(without, now.without)
    if (second % every !== 0) continue
    const { awake, spent } = fleet.tally()
    points.push({ minute: second / 60, ...now, without, awake, cost: spent })
    without = 0
  }
  agenda.runTo(startMs + seconds * 1000)
  const bills = fleet.end()
  const { wakes, mostAwake, spent } = fleet.tally()
  const hours = ({ fromMs, toMs }: Bill): number => (toMs - fromMs) / 3_600_000

  /** What an admin said since the last look. */
  function asked(): Order {
    const minute = (agenda.now() - startMs) / 60_000
    const order: { floor?: Bound; ceiling?: Bound } = {}
    for (const event of scenario.events) {
      if (!('pool' in event) || event.pool !== plan.name) continue
      if (event.atMinutes > minute || event.atMinutes <= minute - lookSeconds / 60) continue
      const bound = { nodes: event.nodes, untilMs: startMs + (event.atMinutes + event.forMinutes) * 60_000 }
      order[event.kind === 'wake' ? 'floor' : 'ceiling'] = bound
    }
    return order
  }

  return {
    ...{ pool: plan.name, strategy: strategy.name, title: strategy.title },
    ...(audience ? { audience: audience.figures() } : {}),
    ...(work ? { work: work.figures() } : {}),
    ...{ bills, wakes, mostAwake, turns, points, costCounted: spent },
    vmHours: bills.reduce((sum, bill) => sum + hours(bill), 0),
    cost: bills.reduce((sum, bill) => sum + hours(bill) * bill.pricePerHour, 0),
  }
}

/** How many of the first machines have places for so many viewers. */
function machinesFor(count: number, scenario: Scenario, plan: PoolPlan): number {
  if (!scenario.viewers) return 0
  let left = count
  let machines = 0
  for (const place of placesOf(plan)) {
    if (left <= 0) break
    left -= placesOn(place, scenario.viewers)
    machines++
  }
  return Math.min(plan.maximum, machines)
}

/** A scenario begins in calm: whoever watches already has a place, on machines that are busy to at most 70 %. */
const calm = 0.7
/** Chance may bring some more than the curve says. */
const slack = 1.03

function nodesAtStart(scenario: Scenario, plan: PoolPlan, strategy: Strategy): number {
  if (strategy.begins !== undefined) return strategy.begins
  const { viewers } = scenario
  if (!viewers || plan.name !== 'edge') return 0
  const first = viewersAt(viewers.curve, 0)
  return first <= plan.appSessions ? 0 : machinesFor(first / calm, scenario, plan)
}

/** Who is always on has what the peak needs; of work, as many as ours had awake at most. */
export function peersOf(scenario: Scenario, plan: PoolPlan, own: PoolRun): Strategy[] {
  const { viewers } = scenario
  const peak =
    viewers && plan.name === 'edge'
      ? machinesFor(mostViewers(viewers.curve) * slack, scenario, plan)
      : own.mostAwake
  return [alwaysOn(Math.max(peak, plan.minimum)), thresholdByOne(), thresholdByShare(), tracking()]
}

export function compare(scenario: Scenario, plan: PoolPlan, seed: number): PoolRun[] {
  const run = (strategy: Strategy): PoolRun => runPool({ scenario, plan, strategy, seed })
  const own = run(ours())
  return [own, ...peersOf(scenario, plan, own).map(run)]
}
