// Machines of one pool as the cloud runs them, moved through their states by the platform's own rules.
import type { Decision, Look } from '../../shared/fleet/decision.ts'
import {
  asleep,
  beaten,
  deallocated,
  gaveUp,
  registered,
  released,
  woken,
} from '../../shared/fleet/machine.ts'
import { type Place, type PoolPlan, placesOf } from '../../shared/fleet/plan.ts'
import type { Boot, Node, Pool, Reason } from '../../shared/fleet/ports.ts'
import { type Order, step } from '../../shared/fleet/step.ts'
import type { Agenda } from './agenda.ts'
import { createChance } from './chance.ts'
import type { Load } from './load.ts'
import type { Scenario } from './scenario.ts'
import { type Bucket, createBucket } from './throttle.ts'

/** A machine that was paid for, from when until when. */
export interface Bill {
  readonly id: string
  readonly pricePerHour: number
  readonly fromMs: number
  readonly toMs: number
}

interface Machine {
  readonly place: Place
  readonly starts: Bucket
  node: Node
  /** Since when it is paid for. */
  paidFromMs: number | undefined
  /** Its worker lives. */
  lives: boolean
}

export interface FleetOptions {
  readonly scenario: Scenario
  readonly plan: PoolPlan
  readonly agenda: Agenda
  readonly load: Load
  readonly seed: number
}

const msPerMinute = 60_000

export function createFleet({ scenario, plan, agenda, load, seed }: FleetOptions) {
  const { cloud, events } = scenario
  const startMs = agenda.now()
  const machines = placesOf(plan).map(
    (place): Machine => ({
      place,
      starts: createBucket(cloud.startsPerMachinePerMinute, cloud.startsPerMachineBurst),
      node: asleep(plan.name, place.id),
      paidFromMs: undefined,
      lives: false,
    }),
  )
  const byId = new Map(machines.map((machine) => [machine.place.id, machine]))
  const allStarts = createBucket(cloud.startsPerMinute, cloud.startsBurst)
  const bills: Bill[] = []
  let wakes = 0
  let spent = 0
  let countedToMs = startMs
  let perHour = 0
  let awake = 0
  let mostAwake = 0

  /** The other accounting: by rate and time, where the bills are by machine. */
  const accrue = (): void => {
    spent += (perHour * (agenda.now() - countedToMs)) / 3_600_000
    countedToMs = agenda.now()
  }
  const powerOn = (machine: Machine): void => {
    accrue()
    machine.paidFromMs = agenda.now()
    perHour += machine.place.group.pricePerHour
    mostAwake = Math.max(mostAwake, ++awake)
  }
  const powerOff = (machine: Machine): void => {
    if (machine.paidFromMs === undefined) return
    accrue()
    const { pricePerHour } = machine.place.group
    bills.push({ id: machine.place.id, pricePerHour, fromMs: machine.paidFromMs, toMs: agenda.now() })
    machine.paidFromMs = undefined
    perHour = --awake === 0 ? 0 : perHour - pricePerHour
  }

  const lacksCapacity = ({ group }: Place): boolean =>
    events.some((event) => {
      if (event.kind !== 'no-capacity') return false
      const minute = (agenda.now() - startMs) / msPerMinute
      const within = minute >= event.atMinutes && minute < event.atMinutes + event.forMinutes
      return within && isWhere(group, event)
    })

  const errand = (machine: Machine, run: (epoch: number) => void): void => {
    const { epoch } = machine.node
    agenda.after(cloud.errandSeconds * 1000, () => {
      if (machine.node.epoch === epoch) run(epoch)
    })
  }

  const stop = (machine: Machine): void =>
    errand(machine, (epoch) => {
      const chance = createChance(seed, `stop ${machine.place.id} ${epoch}`)
      const seconds = chance.between(cloud.stop.leastSeconds, cloud.stop.mostSeconds)
      agenda.after(machine.paidFromMs === undefined ? 0 : seconds * 1000, () => {
        powerOff(machine)
        machine.node = deallocated(machine.node, { epoch, nowMs: agenda.now() })
      })
    })

  const giveUp = (machine: Machine, epoch: number, reason: Reason): void => {
    const before = machine.node
    machine.node = gaveUp(before, { epoch, nowMs: agenda.now(), reason, restMs: plan.scarceMs })
    if (machine.node !== before) stop(machine)
  }

  const isStarting = ({ node }: Machine, epoch: number): boolean =>
    node.state === 'starting' && node.epoch === epoch

  function join(machine: Machine): void {
    const boot: Boot = { id: `boot-${machine.node.epoch}`, sha256: '', atMs: agenda.now(), version: '' }
    machine.node = registered(machine.node, boot)
    machine.lives = true
    load.joined(machine.place)
  }

  function request(machine: Machine, epoch: number): void {
    if (!isStarting(machine, epoch)) return
    const waitMs = Math.max(machine.starts.waitMs(agenda.now()), allStarts.waitMs(agenda.now()))
    if (waitMs > 0) {
      agenda.after(waitMs, () => request(machine, epoch))
      return
    }
    machine.starts.take()
    allStarts.take()
    if (lacksCapacity(machine.place)) {
      agenda.after(cloud.refusalSeconds * 1000, () => giveUp(machine, epoch, 'no-capacity'))
      return
    }
    wakes++
    powerOn(machine)
    const chance = createChance(seed, `boot ${machine.place.id} ${epoch}`)
    const { leastSeconds: least, mostSeconds: most } = cloud.boot
    const seconds = chance.logNormal({ median: cloud.bootMedianSeconds, spread: 1.35, least, most })
    if (chance.share() >= cloud.muteShare)
      agenda.after(seconds * 1000, () => isStarting(machine, epoch) && join(machine))
    agenda.after(plan.lateMs, () => giveUp(machine, epoch, 'never-beat'))
  }

  const leave = (machine: Machine, how: 'stopped' | 'died'): void => {
    if (!machine.lives) return
    machine.lives = false
    load.gone(machine.place, how)
  }

  function release(machine: Machine): void {
    const before = machine.node
    const { epoch } = before
    machine.node = released(before, { epoch, nowMs: agenda.now(), drainMs: plan.drainMs })
    if (machine.node === before) return
    leave(machine, 'stopped')
    stop(machine)
  }

  function emptied(machine: Machine): void {
    beat(machine)
    release(machine)
  }

  function beat(machine: Machine): void {
    if (!machine.lives) return
    const drains = machine.node.state === 'draining'
    const { holds, load: measured } = load.of(machine.place)
    const told = { atMs: agenda.now(), holds, load: measured, ...(drains ? { drains } : {}) }
    machine.node = beaten(machine.node, machine.node.boot?.id ?? '', told)
  }

  for (const [n, event] of events.entries())
    if (event.kind === 'death')
      agenda.at(startMs + event.atMinutes * msPerMinute, () => {
        const there = machines.filter(({ lives, place }) => lives && isWhere(place.group, event))
        const chance = createChance(seed, `death ${n}`)
        const drawn = there.map((machine) => ({ machine, lot: chance.share() })).sort((a, b) => a.lot - b.lot)
        for (const { machine } of drawn.slice(0, Math.round(event.share * there.length)))
          leave(machine, 'died')
      })

  function moved(machine: Machine, before: Node): void {
    const { state, epoch } = machine.node
    if (state === before.state) return
    if (state === 'starting') errand(machine, () => request(machine, epoch))
    if (state === 'stopping') stop(machine)
    if (state === 'failed') release(machine)
    if (state !== 'draining') return
    if (machine.lives) load.leaving(machine.place, () => emptied(machine))
    agenda.after(plan.drainMs, () => machine.node.epoch === epoch && release(machine))
  }

  /** The errands are this file: nobody loses one here. */
  const rules = { plan, deadMs: scenario.deadSeconds * 1000, strandedMs: Number.POSITIVE_INFINITY }
  let pool: Pool | undefined

  return {
    /** Those first in the order of preference are ready from the start. */
    begin(count: number): void {
      for (const machine of machines.slice(0, count)) {
        machine.node = woken(machine.node, 'minimum', agenda.now())
        powerOn(machine)
        join(machine)
      }
    },

    /** What `fleet-watch` does: one step of the pool, whose changes are then carried out. */
    watch(decide: (look: Look) => Decision, order: Order): Decision {
      for (const machine of machines) beat(machine)
      const nodes = machines.map(({ node }) => node).filter(({ epoch }) => epoch > 0)
      const now = { state: { pool, nodes }, demand: load.demand(), nowMs: agenda.now(), order }
      const { change, decision } = step({ ...rules, decide }, now)
      pool = change.pool
      for (const node of change.nodes) {
        const machine = byId.get(node.id)!
        const before = machine.node
        machine.node = node
        moved(machine, before)
      }
      return decision
    },

    /** What is still awake is paid for until now. */
    end(): Bill[] {
      for (const machine of machines) powerOff(machine)
      return bills
    },

    tally() {
      accrue()
      return { wakes, mostAwake, awake, spent }
    },
  }
}

export type Fleet = ReturnType<typeof createFleet>

interface Where {
  readonly zone?: string | undefined
  readonly size?: string | undefined
  readonly group?: string | undefined
}

const isWhere = (group: Place['group'], { zone, size, group: name }: Where): boolean =>
  (zone === undefined || group.zone === zone) &&
  (size === undefined || group.size === size) &&
  (name === undefined || group.name === name)
