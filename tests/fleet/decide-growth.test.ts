// Audiences that explode and that climb to a million, against machines that take one to three minutes to boot.
import { expect, test } from 'vitest'
import { decide } from '../../shared/fleet/decide.ts'
import type { Memory } from '../../shared/fleet/ports.ts'
import { seeded } from '../support/seeded.ts'
import { groupOf, noon, planOf } from './pool-history.ts'
import { createPoolModel, noFaults } from './pool-model.ts'

const minuteMs = 60_000
const lookMs = 10_000

interface Evening {
  readonly sessions: number
  readonly count: number
  readonly minutes: number
  /** Viewers so long after the beginning. */
  readonly curve: (ms: number) => number
}

interface Course {
  /** Of all viewers at that look, those for whom nobody was ready. */
  readonly refused: (fromMinute: number, toMinute: number) => number
  readonly ready: (atMinute: number) => number
  readonly wakes: number
  readonly hours: number
}

function run({ sessions, count, minutes, curve }: Evening, seed: number): Course {
  const plan = planOf({ groups: [groupOf({ name: 'a', count, sessions })] })
  const model = createPoolModel(plan, seeded(seed), noFaults)
  const looks: { asked: number; ready: number }[] = []
  let memory: Memory | undefined
  for (let ms = 0; ms <= minutes * minuteMs; ms += lookMs) {
    const nowMs = noon + ms
    model.advance(nowMs)
    const asked = Math.round(curve(ms))
    const nodes = model.nodes()
    const demand = { kind: 'audience', sessions: asked, bytesPerSecond: 0 } as const
    const decision = decide({ plan, nodes, demand, memory, nowMs })
    memory = decision.memory
    looks.push({ asked, ready: nodes.filter(({ state }) => state === 'ready').length })
    for (const { id, reason } of decision.drain) model.drain(id, reason, nowMs)
    for (const { id, reason } of decision.wake) model.wake(id, reason, nowMs)
  }
  const endMs = noon + minutes * minuteMs
  return {
    refused(fromMinute, toMinute) {
      const some = looks.slice((fromMinute * minuteMs) / lookMs, (toMinute * minuteMs) / lookMs)
      const all = some.reduce((sum, { asked }) => sum + asked, 0)
      return some.reduce((sum, { asked, ready }) => sum + Math.max(0, asked - ready * sessions), 0) / all
    },
    ready: (atMinute) => looks[(atMinute * minuteMs) / lookMs]?.ready ?? 0,
    wakes: model.bills.length,
    hours: model.bills.reduce(
      (sum, { fromMs, toMs }) => sum + (Math.min(toMs, endMs) - fromMs) / 3_600_000,
      0,
    ),
  }
}

const seeds = [1, 2, 3]

test.each(seeds)('0 to 20,000 in five minutes: served once the first boots are done (seed %i)', (seed) => {
  const curve = (ms: number) => Math.min(20_000, (ms / (5 * minuteMs)) * 20_000)
  const course = run({ sessions: 500, count: 80, minutes: 60, curve }, seed)
  expect(course.refused(4, 5)).toBeLessThan(0.1)
  expect(course.refused(6, 60)).toBe(0)
  // What the trend promised and nobody watched goes back to sleep, and nobody is woken again.
  expect(course.wakes).toBeLessThan(65)
  expect(course.ready(30)).toBe(40)
})

test.each([1])('a ramp to a million in an hour is always a boot ahead (seed %i)', (seed) => {
  const curve = (ms: number) => Math.min(1e6, (ms / (60 * minuteMs)) * 1e6)
  const course = run({ sessions: 5000, count: 300, minutes: 100, curve }, seed)
  expect(course.refused(5, 100)).toBeLessThan(0.001)
  expect(course.wakes).toBeLessThan(215)
  expect(course.ready(99)).toBe(200)
})

test.each([1])('so is growth by a tenth each minute (seed %i)', (seed) => {
  const curve = (ms: number) => Math.min(1e6, 5000 * 1.1 ** (ms / minuteMs))
  const course = run({ sessions: 5000, count: 300, minutes: 80, curve }, seed)
  expect(course.refused(5, 80)).toBeLessThan(0.01)
})

test('an evening that comes and goes costs little more than what it needs', () => {
  const curve = (ms: number) => 50_000 * (1 - Math.cos((ms / (360 * minuteMs)) * 2 * Math.PI))
  const course = run({ sessions: 5000, count: 40, minutes: 360, curve }, 1)
  let needed = 0
  for (let ms = 0; ms < 360 * minuteMs; ms += lookMs)
    needed += (Math.ceil(curve(ms) / 5000) * lookMs) / 3_600_000
  expect(course.refused(5, 360)).toBeLessThan(0.001)
  expect(course.hours / needed).toBeLessThan(1.2)
})
