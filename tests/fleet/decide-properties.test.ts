// Whatever a pool goes through, every decision keeps to the rules; and what stays as it is comes to rest.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide } from '../../shared/fleet/decide.ts'
import type { Memory } from '../../shared/fleet/ports.ts'
import { seeded } from '../support/seeded.ts'
import { type Needs, needIn, rules } from './decide-rules.ts'
import { anyFaults, groupOf, histories, lookThrough, noon, planOf } from './pool-history.ts'
import { createPoolModel, noFaults } from './pool-model.ts'

// One that has met every rule each time, and others: rules that nothing has met would prove nothing.
test.each([
  { seed: 4, isKnown: true },
  { seed: Date.now() % 1_000_000, isKnown: false },
])('every look keeps to the rules, among faults, admins and a clock that trembles ($seed)', (lives) => {
  const seen = { wakes: 0, idle: 0, asked: 0, lost: 0, held: new Set<string>() }
  fc.assert(
    fc.property(histories({ jitterMs: 1500 }), (history) => {
      let needs: Needs = []
      for (const moment of lookThrough(history)) {
        const { look, decision } = moment
        needs = [...needs.slice(-100), { atMs: look.nowMs, need: needIn(moment) }]
        const broken = Object.entries(rules).filter(([, keeps]) => !keeps(moment, needs))
        if (broken.length > 0) expect(broken.map(([name]) => name)).toEqual([])
        seen.wakes += decision.wake.length
        seen.idle += decision.drain.filter(({ reason }) => reason === 'idle').length
        seen.asked += decision.drain.filter(({ reason }) => reason === 'asked').length
        seen.lost += look.nodes.filter(({ state }) => state === 'failed').length
        if (decision.held) seen.held.add(decision.held)
      }
    }),
    { numRuns: 15, seed: lives.seed },
  )
  if (!lives.isKnown) return
  for (const count of [seen.wakes, seen.idle, seen.asked, seen.lost]) expect(count).toBeGreaterThan(0)
  expect([...seen.held].toSorted()).toEqual(['asked', 'maximum', 'no-capacity'])
})

test('what it was given is left as it was', () => {
  fc.assert(
    fc.property(histories(), (history) => {
      for (const { look } of lookThrough({ ...history, stretches: history.stretches.slice(0, 1) }))
        decide(deepFreeze(structuredClone(look)))
    }),
    { numRuns: 10 },
  )
})

const level = fc.constantFrom(0, 0.01, 0.3, 0.6, 1)

test('a demand that stays as it is comes to rest: all that is needed is there, and nothing happens any more', () => {
  fc.assert(
    fc.property(histories({ faults: fc.constant(noFaults), orders: false }), level, (history, rest) => {
      const { plan } = history
      const calmMs = 3 * (plan.bootMs + plan.drainMs + plan.coolMs + plan.stayMs + 300_000)
      const hold = { minutes: calmMs / 60_000 + 60, level: rest, shape: 'hold' } as const
      const stretches = [...history.stretches.slice(0, 2), hold]
      const restsAtMs =
        history.startMs + stretches.slice(0, 2).reduce((sum, { minutes }) => sum + minutes, 0) * 60_000
      for (const { look, decision } of lookThrough({ ...history, stretches })) {
        if (look.nowMs < restsAtMs + calmMs) continue
        const count = look.nodes.filter(({ state }) => state === 'ready').length
        expect([decision.wake, decision.drain]).toEqual([[], []])
        if (history.kind === 'audience') expect(count).toBe(decision.wanted)
        // Fewer, where those will have done it all before another were ready.
        else
          expect([Math.min(1, count), count <= decision.wanted]).toEqual([Math.min(1, decision.wanted), true])
      }
    }),
    { numRuns: 8 },
  )
})

test('a new plan under an audience leaves no gap: the old machines go when the new ones have come', () => {
  const plan = planOf({ groups: [groupOf({ name: 'new', count: 6 })], maximum: 6 })
  const demand = { kind: 'audience', sessions: 2500, bytesPerSecond: 0 } as const
  fc.assert(
    fc.property(fc.integer(), anyFaults, (seed, faults) => {
      const model = createPoolModel(plan, seeded(seed), {
        ...faults,
        barren: [],
        lifeMs: Number.POSITIVE_INFINITY,
      })
      for (const n of [1, 2, 3]) model.put(`edge-old-${n}`, 'ready', noon)
      let memory: Memory | undefined
      for (let nowMs = noon; nowMs < noon + 7_200_000; nowMs += 10_000) {
        model.advance(nowMs)
        const decision = decide({ plan, nodes: model.nodes(), demand, memory, nowMs })
        memory = decision.memory
        for (const { id, reason } of decision.drain) model.drain(id, reason, nowMs)
        for (const { id, reason } of decision.wake) model.wake(id, reason, nowMs)
        expect(model.nodes().filter(({ state }) => state === 'ready').length).toBeGreaterThanOrEqual(3)
      }
      const awake = model.nodes().filter(({ state }) => state !== 'stopped')
      expect(awake.filter(({ id }) => id.startsWith('edge-old'))).toEqual([])
    }),
    { numRuns: 10 },
  )
})

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}
