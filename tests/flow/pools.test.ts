// An admin looks at a pool, wakes nodes and sends them to sleep, on the whole platform with real workers; each order is on record.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PoolView } from '../../shared/fleet/schema.ts'
import { poolsOfTests } from '../support/fleet.ts'
import { type Platform, startPlatform } from '../support/platform.ts'

const [one, two] = ['encoder-local-1', 'encoder-local-2']
let platform: Platform

beforeAll(async () => {
  platform = await startPlatform({
    env: {
      FLEET_POOLS: poolsOfTests({ count: 2 }),
      MOVIDONE_BOOT_SECONDS: '1',
      NODE_BEAT_SECONDS: '0.5',
      NODE_DEAD_SECONDS: '300',
    },
  })
})
afterAll(() => platform?.stop())

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: whatever a route answers
  readonly json: any
}

async function call(method: string, path: string, body?: object): Promise<Answer> {
  const reply = await fetch(`${platform.apiUrl}/api/v1/${path}`, {
    method,
    headers: { 'x-movidone-admin': platform.adminKey, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: reply.status, json: await reply.json() }
}
const view = async (): Promise<PoolView> => (await call('GET', 'fleet/pools/encoder')).json
const states = ({ nodes }: PoolView) => nodes.map(({ id, state }) => [id, state])
const patience = { timeout: 120_000, interval: 200 }

test('a pool that nobody needs lies asleep and costs nothing', async () => {
  const { status, json } = await call('GET', 'fleet/pools')
  expect(status).toBe(200)
  expect(json.items).toHaveLength(1)
  expect(json.items[0]).toMatchObject({
    ...{ pool: 'encoder', currency: 'EUR', wanted: 0, demand: { kind: 'work', seconds: 0, parallel: 0 } },
    cost: { perHourNow: 0, today: 0 },
  })
  expect(states(await view())).toEqual([
    [one, 'stopped'],
    [two, 'stopped'],
  ])
})

test('nodes are woken and stay, cost what they cost, and sleep again when they are told to', async () => {
  const woken = await call('POST', 'fleet/pools/encoder/wake', { nodes: 2, minutes: 5 })
  expect(woken.status).toBe(202)
  expect(states(woken.json)).toEqual([
    [one, 'starting'],
    [two, 'starting'],
  ])
  expect(woken.json).toMatchObject({ wanted: 2, floor: { nodes: 2 } })
  await expect
    .poll(async () => states(await view()), patience)
    .toEqual([
      [one, 'ready'],
      [two, 'ready'],
    ])
  const there = await view()
  const price = there.nodes.reduce((sum, { pricePerHour }) => sum + pricePerHour, 0)
  expect(there.cost.perHourNow).toBeCloseTo(price)
  await expect.poll(async () => (await view()).cost.today, patience).toBeGreaterThan(0)
  // One that is ready has registered, and beats for the first time a moment later.
  const told = async () =>
    (await view()).nodes.map(({ holds, lastBeatAt, bootedAt, failures }) => [
      holds,
      typeof lastBeatAt,
      typeof bootedAt,
      failures,
    ])
  const awake = [[], 'string', 'string', 0]
  await expect.poll(told, patience).toEqual([awake, awake])

  // One by name: it stays asleep, though two were wanted, and the other one stays.
  const drained = await call('POST', 'fleet/pools/encoder/drain', { nodes: [one], minutes: 5 })
  expect([drained.status, drained.json.floor.nodes]).toEqual([202, 1])
  await expect
    .poll(async () => states(await view()), patience)
    .toEqual([
      [one, 'stopped'],
      [two, 'ready'],
    ])
  // All of them.
  expect((await call('POST', 'fleet/pools/encoder/drain', { keep: 0, minutes: 5 })).status).toBe(202)
  await expect
    .poll(async () => states(await view()), patience)
    .toEqual([
      [one, 'stopped'],
      [two, 'stopped'],
    ])
  const asleep = await view()
  expect([asleep.cost.perHourNow, asleep.floor, asleep.ceiling?.nodes]).toEqual([0, undefined, 0])
  expect(asleep.nodes.map(({ reason }) => reason)).toEqual(['asked', 'asked'])

  const { json } = await call('GET', 'audit/platform')
  const recorded = json.items.map(({ action, outcome }: { action: string; outcome?: { status: number } }) => [
    action,
    outcome?.status,
  ])
  for (const action of ['fleet-pool-wake', 'fleet-pool-drain']) expect(recorded).toContainEqual([action, 202])
})

test('what was asked is taken back: what is decided counts alone again, however often that is said', async () => {
  const asked = await call('POST', 'fleet/pools/encoder/drain', { nodes: [one], keep: 1, minutes: 600 })
  expect(asked.json).toMatchObject({ ceiling: { nodes: 1 }, nodes: [{ id: one, state: 'stopped' }, {}] })
  expect(Date.parse(asked.json.nodes[0].notBefore)).toBeGreaterThan(Date.now())
  for (let n = 0; n < 2; n++) {
    const { status, json } = await call('DELETE', 'fleet/pools/encoder/orders')
    expect([status, json.floor, json.ceiling, json.wanted]).toEqual([202, undefined, undefined, 0])
    expect(json.nodes.map((node: object) => 'notBefore' in node)).toEqual([false, false])
  }
  expect(await view()).not.toHaveProperty('ceiling')
  expect((await call('DELETE', 'fleet/pools/edge/orders')).status).toBe(404)
})

describe('what makes no sense is refused, and changes nothing', () => {
  const orders: Array<[number, string, object]> = [
    [404, 'sfu/wake', { nodes: 1 }],
    [404, 'edge/wake', { nodes: 1 }],
    [404, 'nothing/drain', { keep: 0 }],
    [404, 'encoder/drain', { nodes: ['encoder-local-3'] }],
    [400, 'encoder/drain', {}],
    [400, 'encoder/drain', { nodes: [] }],
    [400, 'encoder/drain', { keep: -1 }],
    [400, 'encoder/wake', {}],
    [400, 'encoder/wake', { nodes: 0 }],
    [400, 'encoder/wake', { nodes: 1.5 }],
    [400, 'encoder/wake', { nodes: 3 }],
    [400, 'encoder/wake', { nodes: 1, minutes: 1441 }],
    [400, 'encoder/wake', { nodes: 1, hours: 1 }],
  ]
  test.each(orders)('%i %s %j', async (status, path, order) => {
    const before = await view()
    const answer = await call('POST', `fleet/pools/${path}`, order)
    expect([answer.status, answer.json.status]).toEqual([status, status])
    const after = await view()
    expect([states(after), after.floor, after.ceiling]).toEqual([
      states(before),
      before.floor,
      before.ceiling,
    ])
  })

  test('a pool that is not there', async () => {
    for (const name of ['edge', 'sfu', 'encoder2'])
      expect([name, (await call('GET', `fleet/pools/${encodeURIComponent(name)}`)).status]).toEqual([
        name,
        404,
      ])
  })
})
