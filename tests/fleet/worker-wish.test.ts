// What a node's document tells its worker: only its own boot is meant, and nothing but ready means work.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asleep, beaten, drainAsked, lost, registered, released, woken } from '../../shared/fleet/machine.ts'
import { type Node, nodeStates } from '../../shared/fleet/ports.ts'
import { isWokenAnew, stricter, wishes, wishOf } from '../../worker/wish.ts'

const load = { sessions: 0, bytesPerSecond: 0, cpu: 0 }
const boot = (id: string, atMs: number) => ({ id, atMs, sha256: 'x', version: '1' })

test.each(nodeStates.map((state) => [state]))('%s, by whose boot is there', (state) => {
  const node = { ...asleep('encoder', 'encoder-z1-1'), state, boot: boot('mine', 1) }
  const mine = { ready: 'work', draining: 'drain' }[state as string] ?? 'leave'
  expect(wishOf(node, 'mine')).toBe(mine)
  expect(wishOf(node, 'another')).toBe('leave')
  const { boot: _, ...vacant } = node
  expect(wishOf(vacant, 'mine')).toBe('leave')
  expect(isWokenAnew(node)).toBe(state === 'starting')
})

test('nobody ever woke it: it leaves everything alone', () => {
  expect(wishOf(undefined, 'mine')).toBe('leave')
  expect(isWokenAnew(undefined)).toBe(false)
})

test('the stricter of two wishes holds', () => {
  for (const [n, a] of wishes.entries())
    for (const [m, b] of wishes.entries()) expect(stricter(a, b)).toBe(wishes[Math.max(n, m)])
})

const moves = fc.array(
  fc.record({
    act: fc.constantFrom('wake', 'a', 'b', 'drain', 'lose', 'release', 'stop', 'beat a', 'beat b'),
    afterMs: fc.integer({ min: 1, max: 1000 }),
  }),
  { maxLength: 60 },
)

test('whatever becomes of a node, at most one boot is to work or to drain', () => {
  fc.assert(
    fc.property(moves, (all) => {
      let node: Node = asleep('encoder', 'encoder-z1-1')
      let nowMs = 1000
      for (const { act, afterMs } of all) {
        nowMs += afterMs
        const at = { epoch: node.epoch, nowMs }
        if (act === 'wake') node = woken(node, 'demand', nowMs)
        else if (act === 'a' || act === 'b') node = registered(node, boot(act, nowMs))
        else if (act === 'drain') node = drainAsked(node, 'idle', nowMs)
        else if (act === 'lose') node = lost(node, nowMs, 0)
        else if (act === 'release') node = released(node, { ...at, drainMs: 0 })
        else if (act === 'stop' && node.state === 'stopping') node = { ...node, state: 'stopped' }
        else if (act.startsWith('beat')) node = beaten(node, act.slice(5), { atMs: nowMs, holds: [], load })
        const bid = ['a', 'b'].filter((id) => wishOf(node, id) !== 'leave')
        expect(bid.length).toBeLessThanOrEqual(1)
        if (bid.length > 0) expect(['ready', 'draining']).toContain(node.state)
      }
    }),
  )
})
