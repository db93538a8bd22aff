// A worker's life on a real Cosmos protocol: it obeys its document, falls silent in time, and never fights for its place.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { silentLog } from '../../shared/core/log.ts'
import { asleep, registered, woken } from '../../shared/fleet/machine.ts'
import { createNodes } from '../../shared/fleet/nodes.ts'
import { createLife, type Life } from '../../worker/life.ts'
import type { Role } from '../../worker/role.ts'
import type { Wish } from '../../worker/wish.ts'
import { type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { type FleetOnCosmos, pace, schemas, startFleet } from './stores.ts'

const times = { beatMs: 100, deadMs: 1600 }
/** The worker's clock stands until a test moves it: whatever holds this machine up makes nobody silent. */
let nowMs = Date.UTC(2026, 10, 22)
const clock = { now: () => nowMs, wait: systemClock.wait }
let fleet: FleetOnCosmos
let proxy: FaultProxy
/** What becomes of requests of the worker; the test's own go past it. */
let fault: Fault | undefined
let node: string
let n = 0
const lives: Life[] = []

beforeAll(async () => {
  fleet = await startFleet()
  proxy = await startFaultProxy(fleet.cosmos.endpoint, () => fault)
})
afterAll(async () => {
  await proxy.stop()
  await fleet.stop()
})
beforeEach(() => {
  node = `encoder-test-${++n}`
  fault = undefined
})
afterEach(async () => {
  fault = undefined
  await Promise.all(lives.splice(0).map((life) => life.end('leave')))
})

/** Does nothing but note what it is told, and hold what the test puts into its hands. */
function actor() {
  const obeyed: Wish[] = []
  const holds = new Set<string>()
  const role: Role = {
    obey: (wish) => void obeyed.push(wish),
    holds: () => [...holds],
    load: () => ({ sessions: 3, bytesPerSecond: 0 }),
    async idle() {
      while (obeyed.at(-1) === 'drain' && holds.size > 0) await systemClock.wait(10)
    },
    close: async () => {},
  }
  return { role, obeyed, holds, now: () => obeyed.at(-1) ?? 'leave' }
}

function live(role: Role): Life {
  const { fleet: store } = createCosmosStores(
    { ...fleet.cosmos, endpoint: proxy.origin },
    { ...pace, schemas },
  )
  const life = createLife({
    ...{ node, role, version: '1.2.3', log: silentLog, cpu: () => 0.5, ...pace, clock, ...times },
    fleet: createNodes({ store, clock }),
  })
  lives.push(life)
  life.start()
  return life
}

const wake = () =>
  fleet.set(node, (current) => woken({ ...current, state: 'stopped' }, 'demand', fleet.store.now()))

test('nobody woke it: it idles; woken, it makes itself known, works and beats', async () => {
  const { role, obeyed, holds, now } = actor()
  live(role)
  await systemClock.wait(500)
  expect(await fleet.find(node)).toBeUndefined()
  expect(obeyed).toEqual([])
  await wake()
  const ready = await fleet.until(node, ({ state, beat }) => state === 'ready' && beat !== undefined)
  expect(ready.boot).toMatchObject({ version: '1.2.3', id: expect.stringMatching(/^[0-9a-f]{20}$/) })
  expect(now()).toBe('work')
  holds.add('job.1')
  const { beat } = await fleet.until(node, (one) => one.beat?.holds.length === 1)
  expect(beat).toMatchObject({ holds: ['job.1'], load: { sessions: 3, bytesPerSecond: 0, cpu: 0.5 } })
  const later = await fleet.until(node, (one) => (one.beat?.atMs ?? 0) > (beat?.atMs ?? 0))
  expect(later.boot).toEqual(ready.boot)
})

test('a platform that is away when it starts is waited for', async () => {
  fault = 'reset'
  const { role, now } = actor()
  await wake()
  live(role)
  await systemClock.wait(700)
  expect((await fleet.find(node))?.state).toBe('starting')
  fault = undefined
  await fleet.until(node, ({ state }) => state === 'ready')
  await expect.poll(now).toBe('work')
})

test('draining it takes nothing new, says what it still holds, and says so when that is nothing', async () => {
  const { role, holds, now } = actor()
  await wake()
  live(role)
  await expect.poll(now).toBe('work')
  holds.add('job.1')
  await fleet.set(node, { state: 'draining' })
  const heard = await fleet.until(node, ({ beat }) => beat?.drains === true)
  expect(heard.beat?.holds).toEqual(['job.1'])
  expect(now()).toBe('drain')
  holds.clear()
  const done = await fleet.until(node, ({ beat }) => beat?.holds.length === 0)
  expect(done).toMatchObject({ state: 'draining', beat: { drains: true } })
})

test('what it takes in the very moment in which it is to drain is never denied', async () => {
  const { role, holds, now, obeyed } = actor()
  live(role)
  for (let turn = 0; turn < 12; turn++) {
    await fleet.set(node, () => ({ ...asleep('encoder', node), epoch: turn }))
    await wake()
    await expect.poll(now).toBe('work')
    await fleet.set(node, { state: 'draining' })
    // As a claim does that was under way: it has not heard of it yet.
    const late = systemClock.wait((turn / 12) * times.beatMs).then(() => {
      if (obeyed.at(-1) === 'work') holds.add('job.late')
    })
    const { beat } = await fleet.until(node, (one) => one.beat?.drains === true)
    await late
    expect(beat?.holds).toEqual([...holds])
    holds.clear()
  }
  expect(obeyed).toContain('drain')
})

test('stopped it leaves at once; woken without a reboot it works again, as somebody new', async () => {
  const { role, now } = actor()
  await wake()
  const life = live(role)
  await expect.poll(now).toBe('work')
  const before = life.credential()
  const id = (await fleet.find(node))?.boot?.id
  await fleet.set(node, () => ({ ...asleep('encoder', node), state: 'stopping', epoch: 1 }))
  await expect.poll(now).toBe('leave')
  await wake()
  const again = await fleet.until(node, ({ state }) => state === 'ready')
  await expect.poll(now).toBe('work')
  expect(again.boot?.id).not.toBe(id)
  expect(life.credential()).not.toBe(before)
  // What it was known by before opens nothing any more.
  expect(await fleet.nodes.authenticate(life.credential())).toBe(node)
  expect(await fleet.nodes.authenticate(before)).toBeUndefined()
})

test('one that comes after it takes its place, and it never fights for it', async () => {
  const [first, second] = [actor(), actor()]
  await wake()
  live(first.role)
  await expect.poll(first.now).toBe('work')
  const one = (await fleet.find(node))?.boot?.id
  live(second.role)
  await expect.poll(second.now).toBe('work')
  await expect.poll(first.now).toBe('leave')
  const two = (await fleet.find(node))?.boot?.id
  expect(two).not.toBe(one)
  const seen = new Set<string | undefined>()
  for (let look = 0; look < 30; look++) {
    seen.add((await fleet.find(node))?.boot?.id)
    await systemClock.wait(30)
  }
  expect([...seen]).toEqual([two])
  expect([first.now(), second.now()]).toEqual(['leave', 'work'])
})

test.each(['hang', 'reset'] as const)(
  'cut off (%s) it leaves before it is taken for dead, and works on once it is heard',
  async (how) => {
    const { role, now, obeyed } = actor()
    await wake()
    const life = live(role)
    await expect.poll(now).toBe('work')
    const { boot } = await fleet.until(node, ({ beat }) => beat !== undefined)
    fault = how
    nowMs += times.deadMs / 2
    expect(life.wish()).toBe('work')
    await systemClock.wait(300)
    expect(now()).toBe('work')
    // With some time left until it is taken for dead.
    nowMs += times.deadMs / 2 - 300
    expect(life.wish()).toBe('leave')
    expect(life.told()).toBe('work')
    await expect.poll(now).toBe('leave')
    fault = undefined
    await expect.poll(now).toBe('work')
    expect((await fleet.find(node))?.boot).toEqual(boot)
    expect(obeyed).toEqual(['work', 'leave', 'work'])
  },
)

test('taken for dead meanwhile, it stays away, and says nothing any more', async () => {
  const { role, now } = actor()
  await wake()
  live(role)
  await expect.poll(now).toBe('work')
  fault = 'reset'
  nowMs += times.deadMs
  await expect.poll(now).toBe('leave')
  const failed = await fleet.set(node, { state: 'failed' })
  fault = undefined
  await systemClock.wait(1000)
  expect(now()).toBe('leave')
  expect((await fleet.find(node))?.beat).toEqual(failed?.beat)
  // Another process on it is another matter.
  const stranger = registered(
    { ...(failed ?? asleep('encoder', node)), state: 'starting' },
    {
      ...{ id: 'f'.repeat(20), sha256: 'x', version: '1', atMs: fleet.store.now() },
    },
  )
  await fleet.set(node, () => stranger)
  await systemClock.wait(500)
  expect((await fleet.find(node))?.boot?.id).toBe('f'.repeat(20))
  expect(now()).toBe('leave')
})

test('told to end by its own machine it ends what it holds, and beats meanwhile', async () => {
  const { role, holds, now } = actor()
  await wake()
  const life = live(role)
  await expect.poll(now).toBe('work')
  holds.add('job.1')
  let isOver = false
  const ended = life.end('drain').then(() => (isOver = true))
  const { beat } = await fleet.until(node, (one) => one.beat?.holds.length === 1)
  await fleet.until(node, (one) => (one.beat?.atMs ?? 0) > (beat?.atMs ?? 0) + 2 * times.beatMs)
  expect(isOver).toBe(false)
  // No document takes that back.
  expect(now()).toBe('drain')
  holds.clear()
  await ended
})
