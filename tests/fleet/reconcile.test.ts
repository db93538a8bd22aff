// What a machine is found to be, against its node's document: what is older than the document is no news.
import { expect, test } from 'vitest'
import { beaten, drainAsked, registered, woken } from '../../shared/fleet/machine.ts'
import type { Node, Power } from '../../shared/fleet/ports.ts'
import { corrected } from '../../shared/fleet/reconcile.ts'
import { sampleBoot, sampleLoad, sampleNode } from './documents.ts'

const askedAtMs = 100_000
const found = (node: Node, power: Power) =>
  corrected(node, { power, askedAtMs, beatMs: 5000, restMs: 60_000 })

const asleep = sampleNode({ sinceMs: 50_000 })
const starting = woken(sampleNode(), 'demand', 50_000)
const ready = registered(starting, sampleBoot('a', 60_000))
const beatenAt = (atMs: number) => beaten(ready, 'a', { atMs, holds: [], load: sampleLoad })

test.each(['starting', 'running', 'stopping', 'stopped'] as const)(
  'a node that sleeps while its machine is %s is stopped: it is paid for',
  (power) => {
    expect(found(asleep, power)).toMatchObject({ state: 'stopping', reason: 'not-asked', epoch: 0 })
    expect(found(sampleNode(), power)).toMatchObject({ state: 'stopping' })
  },
)
test.each(['deallocating', 'deallocated', 'unknown'] as const)('one whose machine is %s sleeps', (power) => {
  expect(found(asleep, power)).toBe(asleep)
})

test.each(['stopped', 'deallocating', 'deallocated'] as const)(
  'a node that serves while its machine is %s is lost, unless it was heard just now',
  (power) => {
    expect(found(beatenAt(90_000), power)).toMatchObject({ state: 'failed', reason: 'lost', failures: 1 })
    expect(found(drainAsked(beatenAt(90_000), 'idle', 95_000), power)).toMatchObject({ state: 'failed' })
    const heard = beatenAt(90_001)
    expect(found(heard, power)).toBe(heard)
  },
)
test.each(['starting', 'running', 'stopping', 'unknown'] as const)(
  'one whose machine is %s serves',
  (power) => {
    const silent = beatenAt(60_000)
    expect(found(silent, power)).toBe(silent)
  },
)

test('what has changed since the question was asked is left alone, and so is what an errand has in hand', () => {
  const late = [sampleNode({ sinceMs: askedAtMs }), sampleNode({ sinceMs: askedAtMs + 1 })]
  for (const node of late) expect(found(node, 'running')).toBe(node)
  const booted = registered(woken(sampleNode(), 'demand', 50_000), sampleBoot('a', askedAtMs))
  expect(found(booted, 'deallocated')).toBe(booted)
  const stopping = drainAsked(starting, 'idle', 60_000)
  for (const power of ['running', 'deallocated'] as const)
    for (const node of [starting, stopping]) expect(found(node, power)).toBe(node)
})
