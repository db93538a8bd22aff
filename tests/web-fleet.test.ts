// The words of the fleet's page, which need no browser: states, reasons, units, demand and what has changed.
import { expect, test } from 'vitest'
import { nodeStates } from '../shared/fleet/ports.ts'
import type { FleetNode, NodeState } from '../web/fleet-api.ts'
import {
  boundWords,
  changeWords,
  demandWords,
  heldWords,
  loadWords,
  lookOf,
  lookWords,
  placeWords,
  unitWords,
  whyWords,
} from '../web/fleet-wording.ts'
import { moment } from '../web/wording.ts'

const since = '2026-03-01T08:00:00.000Z'
const nowMs = Date.parse(since) + 34_000
const node = (more: Partial<FleetNode> = {}): FleetNode => ({
  ...{ id: 'encoder-z1-1', group: 'z1', size: 'Standard_F8s_v2', zone: '1', pricePerHour: 0.338 },
  ...{ state: 'ready', since, failures: 0, holds: [] },
  ...more,
})
const load = { sessions: 0, bytesPerSecond: 0, cpu: 0.717 }

test('every state has words of its own, and work is told from waiting for it', () => {
  const looks = nodeStates.map((state: NodeState) => lookWords[lookOf(node({ state }))])
  expect(new Set(looks).size).toBe(nodeStates.length)
  expect(lookOf(node())).toBe('awake')
  expect(lookOf(node({ load }))).toBe('awake')
  expect(lookOf(node({ holds: ['encode-ast_1-v1.3'] }))).toBe('working')
  expect(lookOf(node({ load: { ...load, sessions: 3 } }))).toBe('working')
})

test('a machine says why it is as it is, and when it is tried again', () => {
  expect(whyWords(node({ state: 'starting', reason: 'demand' }), nowMs)).toBe('for 34 s · it is needed')
  expect(whyWords(node({ state: 'stopped', reason: 'idle' }), nowMs)).toBe('')
  const notBefore = new Date(nowMs + 600_000).toISOString()
  const scarce = node({ state: 'stopped', reason: 'no-capacity', failures: 2, notBefore })
  expect(whyWords(scarce, nowMs)).toBe(
    `no capacity for its size in its zone · 2 times in a row · not woken before ${moment(notBefore, new Date(nowMs))}`,
  )
  expect(whyWords(scarce, nowMs + 700_000)).not.toContain('not woken')
  expect(placeWords(node(), 'EUR')).toBe('Standard_F8s_v2 · zone 1 · €0.338/h')
  expect(placeWords(node({ size: 'local', zone: '' }), 'EUR')).toBe('local · €0.338/h')
})

test('load, units and demand read as people say them', () => {
  expect(loadWords(node())).toBe('')
  expect(loadWords(node({ load }))).toBe('72 % of its cores')
  expect(loadWords(node({ load: { ...load, sessions: 1240, bytesPerSecond: 4e8 } }))).toBe(
    '72 % of its cores · 1,240 sessions · 3200.0 Mbit/s',
  )
  expect(['encode-ast_1-v2.12', 'encode-ast_1-v2.audio', 'audience'].map(unitWords)).toEqual([
    'chunk 12 of ast_1-v2',
    'audio of ast_1-v2',
    'its last viewers',
  ])
  expect([
    demandWords({ kind: 'work', seconds: 0, parallel: 0 }),
    demandWords({ kind: 'work', seconds: 1080, parallel: 12 }),
    demandWords({ kind: 'audience', sessions: 0, bytesPerSecond: 0 }),
    demandWords({ kind: 'audience', sessions: 1, bytesPerSecond: 125_000 }),
  ]).toEqual([
    ['Nothing to encode', ''],
    ['18 min of work', '12 parts at once'],
    ['Nobody is watching', ''],
    ['1 session', '1.0 Mbit/s'],
  ])
  expect([heldWords(undefined), heldWords('budget')]).toEqual(['', 'More would pass the budget.'])
})

test('an admin’s bounds are told with when they lapse', () => {
  const until = new Date(nowMs + 60_000).toISOString()
  const at = moment(until, new Date(nowMs))
  expect(boundWords({ nodes: [node()] }, nowMs)).toBe('')
  expect(boundWords({ floor: { nodes: 2, until }, ceiling: { nodes: 3, until }, nodes: [] }, nowMs)).toBe(
    `At least 2 awake until ${at}. At most 3 awake until ${at}.`,
  )
  const resting = node({ state: 'stopped', reason: 'asked', notBefore: until })
  expect(boundWords({ nodes: [node(), resting] }, nowMs)).toBe('encoder-z1-1 is kept asleep.')
  expect(boundWords({ nodes: [resting, resting] }, nowMs)).toBe('2 machines are kept asleep.')
  expect(boundWords({ nodes: [resting] }, nowMs + 60_000)).toBe('')
})

test('what is said aloud is what has changed, and never a list of many', () => {
  const before = ['a', 'b', 'c', 'd'].map((id) => node({ id, state: 'stopped' }))
  const after = before.map((one) => ({ ...one, state: 'starting' as const }))
  expect(changeWords(before, before)).toBe('')
  expect(changeWords([], after)).toBe('')
  expect(changeWords(before, [after[0]!, ...before.slice(1)])).toBe('a: waking.')
  expect(changeWords(before, after)).toBe('4 machines have changed.')
})
