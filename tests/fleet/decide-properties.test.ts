// Whatever a pool goes through, every decision keeps to the rules; and what stays as it is comes to rest.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide } from '../../shared/fleet/decide.ts'
import { type Needs, needIn, rules } from './decide-rules.ts'
import { histories, lookThrough } from './pool-history.ts'
import { noFaults } from './pool-model.ts'

test('every look keeps to the rules, among faults, admins and a clock that trembles', () => {
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
    { numRuns: 25 },
  )
  // Rules that nothing has met would prove nothing.
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

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}
