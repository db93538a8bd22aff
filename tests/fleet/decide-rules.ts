// What every decision must keep to, reckoned anew and in another way than the decision itself: each rule says what broke it.
import { isDeepStrictEqual } from 'node:util'
import { slotsFor } from '../../shared/fleet/arrivals.ts'
import { decide } from '../../shared/fleet/decide.ts'
import type { Choice, Look } from '../../shared/fleet/decision.ts'
import { forecast } from '../../shared/fleet/forecast.ts'
import { type Group, type Place, placesOf } from '../../shared/fleet/plan.ts'
import type { Need, Node } from '../../shared/fleet/ports.ts'
import type { Moment } from './pool-history.ts'

/** What was needed at each look so far, this one included. */
export type Needs = readonly { readonly atMs: number; readonly need: Need }[]
export type Rule = (moment: Moment, needs: Needs) => boolean

const ids = (choices: readonly Choice[]): string[] => choices.map(({ id }) => id)
const nodeOf = ({ nodes }: Look, id: string): Node | undefined => nodes.find((node) => node.id === id)
const activeIn = ({ nodes, plan, nowMs }: Look): Node[] =>
  nodes.filter(
    ({ state, sinceMs }) => state === 'ready' || (state === 'starting' && nowMs - sinceMs < plan.lateMs),
  )
const awakeIn = ({ nodes }: Look): number => nodes.filter(({ state }) => state !== 'stopped').length

/** May be woken now. */
const isFree = (look: Look, id: string): boolean => {
  const node = nodeOf(look, id)
  return !node || (node.state === 'stopped' && node.notBeforeMs <= look.nowMs)
}
const highOf = ({ plan, ceiling, nowMs }: Look): number =>
  Math.min(plan.maximum, ceiling && nowMs < ceiling.untilMs ? ceiling.nodes : plan.maximum)
const lowOf = (look: Look): number => {
  const { plan, floor, nowMs } = look
  return Math.min(highOf(look), Math.max(plan.minimum, floor && nowMs < floor.untilMs ? floor.nodes : 0))
}

/** The demand as it will be when a machine that is woken now is ready. */
export function needIn({ look, decision }: Moment): Need {
  const { plan, demand, nowMs } = look
  const { samples } = decision.memory
  const none = { slots: 0, sessions: 0, bytesPerSecond: 0 }
  if (demand.kind === 'work') return { ...none, slots: slotsFor(samples, demand, { plan, nowMs }) }
  return { ...forecast(samples, demand, plan.bootMs + 10_000), slots: 0 }
}

const isNone = (need: Need): boolean => need.slots + need.sessions + need.bytesPerSecond === 0
const covers = (groups: readonly Group[], need: Need): boolean =>
  (['slots', 'sessions', 'bytesPerSecond'] as const).every(
    (what) => groups.reduce((sum, group) => sum + group[what], 0) >= need[what],
  )

/** Whether these, the last of them the reserve, are enough. */
function areEnough(look: Look, awake: ReadonlySet<string>, need: Need): boolean {
  const { plan } = look
  const groups = placesOf(plan).flatMap(({ id, group }) => (awake.has(id) ? [group] : []))
  if (groups.length >= highOf(look)) return true
  const working = isNone(need) ? groups : groups.slice(0, Math.max(0, groups.length - plan.reserve))
  return groups.length >= lowOf(look) && covers(working, need)
}

function activeAfter({ look, decision }: Moment): Set<string> {
  const gone = new Set(ids(decision.drain))
  const there = activeIn(look).filter(({ id }) => !gone.has(id))
  return new Set([...there.map(({ id }) => id), ...ids(decision.wake)])
}

const readyAfter = ({ look, decision }: Moment): string[] =>
  look.nodes
    .filter(({ id, state }) => state === 'ready' && !ids(decision.drain).includes(id))
    .map(({ id }) => id)

/** Its rank, behind all others where its like have just found no capacity. */
function orderOf(look: Look, { rank, group }: Place): number {
  const isScarce = look.nodes.some(
    ({ id, state, reason, notBeforeMs }) =>
      id.split('-')[1] === group.name &&
      reason === 'no-capacity' &&
      (state === 'stopping' || (state === 'stopped' && look.nowMs < notBeforeMs)),
  )
  return rank + (isScarce ? 1000 : 0)
}

/** As the pool would be a moment later, with the decision done. */
function done({ look, decision }: Moment): Look {
  const woken = decision.wake.map(({ id }): Node => {
    const blank = { id, pool: look.plan.name, type: 'node', schema: 2, epoch: 1, failures: 0 } as const
    return { ...blank, state: 'starting', sinceMs: look.nowMs, drivenAtMs: look.nowMs, notBeforeMs: 0 }
  })
  const others = look.nodes.filter(({ id }) => !ids(decision.wake).includes(id))
  const nodes = others.map((node): Node => {
    if (!ids(decision.drain).includes(node.id)) return node
    return { ...node, state: node.state === 'ready' ? 'draining' : 'stopping', sinceMs: look.nowMs }
  })
  return { ...look, nodes: [...nodes, ...woken], memory: decision.memory }
}

export const rules: Readonly<Record<string, Rule>> = {
  'wakes only machines of the plan that sleep and may be tried, each once': ({ look, decision }) => {
    const planned = new Set(placesOf(look.plan).map(({ id }) => id))
    const woken = ids(decision.wake)
    return new Set(woken).size === woken.length && woken.every((id) => planned.has(id) && isFree(look, id))
  },

  'never wakes more than are missing': (moment) => {
    const last = moment.decision.wake.at(-1)
    if (!last) return true
    const others = activeAfter(moment)
    others.delete(last.id)
    return !areEnough(moment.look, others, needIn(moment))
  },

  'never has more awake than the maximum and an admin allow': ({ look, decision }) =>
    decision.wake.length === 0 || awakeIn(look) + decision.wake.length <= highOf(look),

  'wakes all that are missing, or says what stands in the way': (moment) => {
    const { look, decision } = moment
    if (areEnough(look, activeAfter(moment), needIn(moment))) return true
    // What those who are there will have done before another were ready wakes nobody: that is shown by example.
    if (look.demand.kind === 'work' && activeIn(look).length > 0) return true
    if (decision.held !== 'no-capacity') return awakeIn(look) + decision.wake.length >= highOf(look)
    return placesOf(look.plan).every(({ id }) => !isFree(look, id) || ids(decision.wake).includes(id))
  },

  'wakes the most preferred first, those last whose like had no capacity': ({ look, decision }) => {
    const free = placesOf(look.plan).filter(({ id }) => isFree(look, id))
    const first = free.toSorted((a, b) => orderOf(look, a) - orderOf(look, b)).map(({ id }) => id)
    return isDeepStrictEqual(ids(decision.wake), first.slice(0, decision.wake.length))
  },

  'drains nobody for idleness before its time, nor soon after it was woken': ({ look, decision, model }) =>
    decision.drain.every(({ id, reason }) => {
      const node = nodeOf(look, id)
      if (reason !== 'idle' || !node) return reason !== 'idle'
      const { stayMs, coolMs } = look.plan
      const isOld = look.nowMs - node.sinceMs >= stayMs && look.nowMs - model.wokenAtMs(id) >= coolMs
      return node.state === 'ready' && isOld
    }),

  'drains nobody for idleness whom any look of late has needed': (moment, needs) => {
    const { look, decision } = moment
    if (!decision.drain.some(({ reason }) => reason === 'idle')) return true
    const rest = new Set(readyAfter(moment))
    const { coolMs } = look.plan
    return (
      look.nowMs - (needs[0]?.atMs ?? 0) >= coolMs &&
      // As far as a clock that trembles by a second and a half can tell.
      needs.every(
        ({ atMs, need }) => Math.max(0, look.nowMs - atMs) >= coolMs - 3000 || areEnough(look, rest, need),
      )
    )
  },

  'never drains the last that is ready while there is demand, unless an admin says so': (moment) => {
    const { look } = moment
    const { demand } = look
    const isAsked = demand.kind === 'work' ? demand.seconds > 0 : demand.sessions + demand.bytesPerSecond > 0
    const wasReady = look.nodes.some(({ state }) => state === 'ready')
    return !isAsked || !wasReady || readyAfter(moment).length > 0 || highOf(look) === 0
  },

  'drains those that an admin has no place for, at once, and only so many': ({ look, decision }) => {
    const asked = decision.drain.filter(({ reason }) => reason === 'asked').length
    return asked === Math.max(0, activeIn(look).length - highOf(look))
  },

  'decides the same for the same': ({ look, decision }) => isDeepStrictEqual(decide(look), decision),

  'adds nothing when the look before was done a moment ago': (moment) => {
    const again = decide(done(moment))
    return again.wake.length + again.drain.length === 0
  },

  'remembers little': ({ decision: { memory } }) =>
    memory.peaks.length <= 17 && memory.samples.length <= 60 && JSON.stringify(memory).length < 8000,
}
