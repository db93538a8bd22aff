// The states of a node, by properties: only legal moves, nothing late or repeated has an effect, and every node can sleep again.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  asleep,
  beaten,
  deallocated,
  drainAsked,
  driven,
  gaveUp,
  isLate,
  isSilent,
  isStranded,
  lost,
  registered,
  released,
  runsUnasked,
  woken,
} from '../../shared/fleet/machine.ts'
import type { Node, NodeState } from '../../shared/fleet/ports.ts'
import { sampleBoot, sampleLoad, sampleNode } from './documents.ts'

const legal: Record<NodeState, readonly NodeState[]> = {
  stopped: ['starting', 'stopping'],
  starting: ['ready', 'stopping'],
  ready: ['draining', 'failed'],
  draining: ['stopping', 'failed'],
  failed: ['stopping'],
  stopping: ['stopped'],
}

const restMs = 10_000
const drainMs = 300_000

/** Whatever may be said of a node, by whom it may be said, in any order; `age`: of which wake, counted from the latest. */
type Message =
  | { readonly is: 'wake' | 'drain' | 'lose' | 'unasked' | 'drive' }
  | { readonly is: 'register'; readonly boot: number }
  | { readonly is: 'beat'; readonly boot: number; readonly holds: number; readonly drains: boolean }
  | { readonly is: 'release' | 'give' | 'deallocated'; readonly age: number }

// Mostly of the latest wake and of one worker, so that nodes come far.
const age = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 }) },
)
const boot = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
)
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ is: fc.constantFrom('wake', 'wake', 'wake', 'drain', 'lose', 'unasked', 'drive') }),
  fc.record({ is: fc.constant('register' as const), boot }),
  fc.record({ is: fc.constant('beat' as const), boot, holds: fc.nat(2), drains: fc.boolean() }),
  fc.record({ is: fc.constantFrom('release', 'release', 'deallocated', 'deallocated', 'give'), age }),
)
const happening = fc.record({ message, afterMs: fc.integer({ min: 0, max: 200_000 }) })

function told(node: Node, said: Message, nowMs: number): Node {
  const at = { epoch: node.epoch - ('age' in said ? said.age : 0), nowMs }
  if (said.is === 'wake') return woken(node, 'demand', nowMs)
  if (said.is === 'drain') return drainAsked(node, 'idle', nowMs)
  if (said.is === 'lose') return lost(node, nowMs, restMs)
  if (said.is === 'unasked') return runsUnasked(node, nowMs)
  if (said.is === 'drive') return driven(node, at)
  if (said.is === 'register') return registered(node, sampleBoot(`boot-${said.boot}`, nowMs))
  if (said.is === 'release') return released(node, { ...at, drainMs })
  if (said.is === 'give') return gaveUp(node, { ...at, reason: 'no-capacity', restMs })
  if (said.is !== 'beat') return deallocated(node, at)
  const holds = Array.from({ length: said.holds }, (_, n) => `unit-${n}`)
  const drains = said.drains ? { drains: true as const } : {}
  return beaten(node, `boot-${said.boot}`, { atMs: nowMs, holds, load: sampleLoad, ...drains })
}

/** Every node there was, the first and the last included. */
function history(happenings: Array<{ message: Message; afterMs: number }>) {
  let node = asleep('encoder', 'encoder-z1-1')
  let nowMs = 1_000_000
  return happenings.map(({ message: said, afterMs }) => {
    nowMs += afterMs
    const before = node
    node = told(before, said, nowMs)
    return { before, said, after: node, nowMs }
  })
}

const histories = fc.array(happening, { maxLength: 100, size: 'max' })

describe('whatever is said, in any order', () => {
  test('a node moves only as it may, and its wakes are counted', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(histories, (happenings) => {
        for (const { before, after, nowMs } of history(happenings)) {
          expect(after.epoch).toBe(
            before.epoch + (before.state === 'stopped' && after.state === 'starting' ? 1 : 0),
          )
          if (after.state === before.state) continue
          seen.add(`${before.state} → ${after.state}`)
          expect(legal[before.state]).toContain(after.state)
          expect(after.sinceMs).toBe(nowMs)
        }
      }),
      { numRuns: 500 },
    )
    // All of them were walked, or the property says nothing.
    expect(seen.size).toBe(Object.values(legal).flat().length)
  })

  test('what is of an earlier wake gives back the very same node', () => {
    fc.assert(
      fc.property(
        histories,
        fc.constantFrom('release', 'give', 'deallocated'),
        fc.integer({ min: 1, max: 5 }),
        (happenings, is, older) => {
          for (const { after, nowMs } of history(happenings))
            expect(told(after, { is, age: older }, nowMs + drainMs)).toBe(after)
        },
      ),
    )
  })

  test('what is said twice is heard once', () => {
    fc.assert(
      fc.property(histories, (happenings) => {
        for (const { said, after, nowMs } of history(happenings)) {
          // Two steps of one errand are no repetition: failed is left for stopping, and drained with it.
          if (said.is === 'beat') expect(told(after, said, nowMs)).toEqual(after)
          else if (said.is !== 'wake' || after.state === 'starting')
            expect(told(after, said, nowMs)).toBe(after)
        }
      }),
    )
  })

  test('a worker is there only while the node serves, and nobody who left counts', () => {
    fc.assert(
      fc.property(histories, (happenings) => {
        for (const { after } of history(happenings)) {
          if (after.state === 'ready' || after.state === 'draining') expect(after.boot).toBeDefined()
          if (['starting', 'stopping', 'stopped'].includes(after.state))
            expect([after.boot, after.beat]).toEqual([undefined, undefined])
        }
      }),
    )
  })

  test('one that served is stopped only when it is empty and knows it, when its time is over, or when it is lost', () => {
    let stops = 0
    fc.assert(
      fc.property(histories, (happenings) => {
        for (const { before, after, nowMs } of history(happenings)) {
          if (before.state !== 'draining' || after.state !== 'stopping') continue
          stops++
          const { beat } = before
          const isEmpty = beat?.drains === true && beat.holds.length === 0
          expect(isEmpty || nowMs - before.sinceMs >= drainMs).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
    expect(stops).toBeGreaterThan(0)
  })

  test('every node can be brought to sleep, in five moves at most, and be woken again in its time', () => {
    fc.assert(
      fc.property(histories, (happenings) => {
        const last = history(happenings).at(-1)
        let nowMs = (last?.nowMs ?? 0) + drainMs
        let node = last?.after ?? asleep('encoder', 'encoder-z1-1')
        const moves: Message[] = [{ is: 'drain' }, { is: 'release', age: 0 }, { is: 'deallocated', age: 0 }]
        for (const move of moves) {
          nowMs += drainMs
          node = told(node, move, nowMs)
        }
        expect(node.state).toBe('stopped')
        expect(woken(node, 'demand', Math.max(nowMs, node.notBeforeMs)).state).toBe('starting')
      }),
    )
  })
})

describe('a wake that comes to nothing', () => {
  const starting = woken(sampleNode(), 'demand', 1000)

  test('is not repeated before its time, which grows with each failure, up to a bound', () => {
    let node = sampleNode()
    let nowMs = 0
    const rests: number[] = []
    for (let n = 0; n < 10; n++) {
      node = woken(node, 'demand', nowMs)
      node = gaveUp(node, { epoch: node.epoch, nowMs, reason: 'never-beat', restMs })
      node = deallocated(node, { epoch: node.epoch, nowMs })
      rests.push((node.notBeforeMs - nowMs) / restMs)
      expect(woken(node, 'demand', node.notBeforeMs - 1)).toBe(node)
      nowMs = node.notBeforeMs
    }
    expect(rests).toEqual([1, 2, 4, 8, 16, 32, 32, 32, 32, 32])
    expect(node.failures).toBe(10)
  })

  test('is forgiven once the node has worked and gone to sleep in good order', () => {
    const failed = { ...starting, failures: 3 }
    const ready = registered(failed, sampleBoot('a', 2000))
    expect(ready.failures).toBe(3)
    const draining = drainAsked(ready, 'idle', 3000)
    const beat = { atMs: 4000, holds: [], load: sampleLoad, drains: true as const }
    const stopping = released(beaten(draining, 'a', beat), { epoch: 1, nowMs: 5000, drainMs })
    expect([stopping.state, stopping.failures]).toEqual(['stopping', 0])
  })

  test('is late after its time, and no other state ever is', () => {
    expect([isLate(starting, 1999, 1000), isLate(starting, 2000, 1000)]).toEqual([false, true])
    expect(isLate(registered(starting, sampleBoot('a', 1500)), 9e9, 1000)).toBe(false)
  })
})

describe('a worker', () => {
  const ready = registered(woken(sampleNode(), 'demand', 1000), sampleBoot('a', 2000))
  const beat = (atMs: number) => ({ atMs, holds: [], load: sampleLoad })

  test('that was started again takes the place, what the one before says counts no more', () => {
    const again = registered(beaten(ready, 'a', beat(3000)), sampleBoot('b', 4000))
    expect(again).toMatchObject({ state: 'ready', sinceMs: 2000, boot: { id: 'b' } })
    expect(again.beat).toBeUndefined()
    expect(beaten(again, 'a', beat(5000))).toBe(again)
    expect(registered(again, sampleBoot('a', 2000))).toBe(again)
    expect(beaten(again, 'b', beat(5000)).beat?.atMs).toBe(5000)
  })

  test('that restarts while it drains goes on draining', () => {
    const draining = drainAsked(ready, 'idle', 3000)
    expect(registered(draining, sampleBoot('b', 4000))).toMatchObject({
      state: 'draining',
      boot: { id: 'b' },
    })
  })

  test('is silent from its last beat on, or from its boot', () => {
    expect([isSilent(ready, 31_999, 30_000), isSilent(ready, 32_000, 30_000)]).toEqual([false, true])
    expect(isSilent(beaten(ready, 'a', beat(9000)), 32_000, 30_000)).toBe(false)
  })

  test('an older beat than the last is not taken for news', () => {
    const later = beaten(ready, 'a', { ...beat(9000), holds: ['x'] })
    expect(beaten(later, 'a', beat(8000))).toBe(later)
  })
})

test('an errand is missed when nobody has had the node in hand for long, and only while it moves', () => {
  const starting = woken(sampleNode(), 'demand', 1000)
  expect([isStranded(starting, 60_999, 60_000), isStranded(starting, 61_000, 60_000)]).toEqual([false, true])
  expect(isStranded(driven(starting, { epoch: 1, nowMs: 50_000 }), 61_000, 60_000)).toBe(false)
  expect(driven(starting, { epoch: 0, nowMs: 50_000 })).toBe(starting)
  expect(isStranded(registered(starting, sampleBoot('a', 2000)), 9e9, 60_000)).toBe(false)
  expect(isStranded(sampleNode(), 9e9, 60_000)).toBe(false)
})
