// What drives a node to where its document says it should be: each step looks at the document, then asks the resource manager.
import type { Log } from '../core/log.ts'
import { deallocated, driven, gaveUp, isLate, released } from './machine.ts'
import type { PoolPlan } from './plan.ts'
import type { Asked, FleetStore, MachineLook, Machines, Node, PoolName, Reason } from './ports.ts'
import { type Step, Target } from './work.ts'

export interface ErrandDeps {
  readonly store: FleetStore
  readonly machines: Machines
  readonly log: Log
  readonly planOf: (pool: PoolName) => Pick<PoolPlan, 'lateMs' | 'drainMs' | 'scarceMs'>
  /** Between two looks at a machine; the resource manager takes twelve a minute. */
  readonly lookMs: number
  /** What was asked and shows no effect is asked again. */
  readonly askAgainMs: number
  /** Until a resource manager that can't be reached is tried again. */
  readonly awayMs: number
}

const refusedSeconds = 60
const over: Step = { next: 'over', waitSeconds: 0 }
/** Reasons of a wake that came to nothing: the errand that gave it up goes on until the machine sleeps. */
const inVain = new Set<Reason | undefined>(['never-beat', 'no-capacity', 'refused'])
const capacityCode = /Allocation|Capacity|SkuNotAvailable|Quota/i

export function createErrands(deps: ErrandDeps) {
  const { store, machines, log, planOf } = deps
  const lookSeconds = deps.lookMs / 1000
  const awaySeconds = deps.awayMs / 1000

  /** The node after `change`, if that wake of it is still the latest. */
  async function move(target: Target, change: (node: Node) => Node): Promise<Node | undefined> {
    let before: Node | undefined
    const after = await store.changeNode(target.pool, target.node, (node) => {
      before = node
      const next = node && driven(change(node), { epoch: target.epoch, nowMs: store.now() })
      return next === undefined || next === node ? 'unchanged' : next
    })
    if (after && before && after.state !== before.state) tell(before, after)
    return after?.epoch === target.epoch ? after : undefined
  }

  function tell(before: Node, { id: node, state, reason }: Node): void {
    if (state === 'stopped') log('info', 'fleet.stopped', { node, reason })
    else if (before.state === 'starting') log('warn', 'fleet.gave-up', { node, reason })
    else log('info', 'fleet.stopping', { node, reason })
  }

  const give = (target: Target, reason: Reason): Promise<Node | undefined> =>
    move(target, (node) =>
      gaveUp(node, {
        ...{ epoch: target.epoch, nowMs: store.now(), reason },
        restMs: planOf(target.pool).scarceMs,
      }),
    )

  const orLate = (target: Target): Promise<Node | undefined> => {
    const { lateMs, scarceMs: restMs } = planOf(target.pool)
    return move(target, (node) => {
      const nowMs = store.now()
      if (!isLate(node, nowMs, lateMs)) return node
      return gaveUp(node, { epoch: target.epoch, nowMs, reason: 'never-beat', restMs })
    })
  }

  /** Where a wake goes on once its node starts no more. */
  function afterwards(node: Node | undefined): Step {
    if (node?.state === 'ready') log('info', 'fleet.ready', { node: node.id, reason: node.reason })
    return node?.state === 'stopping' && inVain.has(node.reason) ? { next: 'stop', waitSeconds: 0 } : over
  }

  /** What is away is asked again; its silence is no news of any machine. */
  async function ask<T>(target: Target, question: () => Promise<T>): Promise<T | 'away'> {
    try {
      return await question()
    } catch (error) {
      log('warn', 'fleet.manager-away', { node: target.node, cause: String(error).slice(0, 200) })
      return 'away'
    }
  }

  const askedTo = (what: 'start' | 'stop', waitSeconds = lookSeconds): Step => ({
    ...{ next: 'look', waitSeconds },
    asked: { what, atMs: store.now() },
  })

  async function notStarted(target: Target, asked: Exclude<Asked, { is: 'begun' | 'later' }>): Promise<Step> {
    if (asked.is === 'no-capacity') log('warn', 'fleet.no-capacity', { node: target.node, code: asked.code })
    else log('error', 'fleet.refused', { node: target.node, code: asked.code })
    return afterwards(await give(target, asked.is))
  }

  async function start(input: unknown): Promise<Step> {
    const target = Target.parse(input)
    const node = await orLate(target)
    if (node?.state !== 'starting') return afterwards(node)
    const asked = await ask(target, () => machines.start(target.node))
    if (asked === 'away') return { next: 'start', waitSeconds: awaySeconds }
    if (asked.is === 'begun') return askedTo('start')
    if (asked.is === 'later') return { next: 'start', waitSeconds: asked.waitSeconds }
    return notStarted(target, asked)
  }

  async function stop(input: unknown): Promise<Step> {
    const target = Target.parse(input)
    const { drainMs } = planOf(target.pool)
    const { epoch } = target
    const node = await move(target, (current) => released(current, { epoch, nowMs: store.now(), drainMs }))
    if (node?.state === 'draining') return { next: 'stop', waitSeconds: lookSeconds }
    if (node?.state !== 'stopping') return over
    const asked = await ask(target, () => machines.deallocate(target.node))
    if (asked === 'away') return { next: 'stop', waitSeconds: awaySeconds }
    if (asked.is === 'begun') return askedTo('stop')
    if (asked.is === 'later') return { next: 'stop', waitSeconds: asked.waitSeconds }
    log('error', 'fleet.refused', { node: target.node, code: asked.code })
    return askedTo('stop', refusedSeconds)
  }

  /** Whether what was asked so long ago should show by now. */
  const isOverdue = ({ asked }: Target): boolean => store.now() - (asked?.atMs ?? 0) >= deps.askAgainMs

  const later = ({ asked }: Target, waitSeconds = lookSeconds): Step => ({
    ...{ next: 'look', waitSeconds },
    ...(asked ? { asked } : {}),
  })

  async function lookAtStart(target: Target, machine: MachineLook | undefined): Promise<Step> {
    if (!machine) return notStarted(target, { is: 'refused', code: 'NotFound' })
    const { power, failure } = machine
    if (power === 'starting' || power === 'running') return later(target)
    if (failure) {
      const is = capacityCode.test(failure) ? 'no-capacity' : 'refused'
      return notStarted(target, { is, code: failure })
    }
    return isOverdue(target) ? { next: 'start', waitSeconds: 0 } : later(target)
  }

  async function lookAtStop(target: Target, machine: MachineLook | undefined): Promise<Step> {
    if (!machine || machine.power === 'deallocated') {
      const { epoch } = target
      await move(target, (node) => deallocated(node, { epoch, nowMs: store.now() }))
      return over
    }
    const goesOn = machine.power === 'deallocating' || !isOverdue(target)
    return goesOn ? later(target) : { next: 'stop', waitSeconds: 0 }
  }

  async function look(input: unknown): Promise<Step> {
    const target = Target.parse(input)
    const node = await orLate(target)
    const stops = node?.state === 'stopping' && target.asked?.what === 'stop'
    if (node?.state !== 'starting' && !stops) return afterwards(node)
    const machine = await ask(target, () => machines.look(target.node))
    if (machine === 'away') return later(target, awaySeconds)
    return stops ? lookAtStop(target, machine) : lookAtStart(target, machine)
  }

  return { start, look, stop }
}
