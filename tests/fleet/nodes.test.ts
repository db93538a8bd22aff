// How a worker takes its place, and by what it is known: the secret of this boot alone, and only while its node serves.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../shared/core/hash.ts'
import { asleep, deallocated, drainAsked, lost, released, woken } from '../../shared/fleet/machine.ts'
import { createNodes } from '../../shared/fleet/nodes.ts'
import { emptyFleet } from './empty.ts'
import { type FleetOnCosmos, startFleet } from './stores.ts'

const one = 'encoder-z1-1'
const load = { sessions: 0, bytesPerSecond: 0, cpu: 0 }
const secretOf = (letter: string) => letter.repeat(43)
const bootOf = (letter: string) => ({ id: letter, sha256: sha256Hex(secretOf(letter)), version: '1.0.0' })
const credential = (letter: string, node = one) => `${node}.${secretOf(letter)}`

let fleet: FleetOnCosmos
beforeAll(async () => {
  fleet = await startFleet()
})
afterAll(() => fleet?.stop())
beforeEach(() => emptyFleet(fleet.cosmos))

/** As another instance of the app: it remembers nothing. */
const known = (text: string) =>
  createNodes({ store: fleet.store, clock: { now: () => Date.now(), wait: async () => {} } }).authenticate(
    text,
  )
const wake = () => fleet.set(one, (node) => woken(node, 'demand', fleet.store.now()))

describe('a worker', () => {
  test('takes no place that was never woken, is asleep, or is no node’s', async () => {
    expect(await fleet.nodes.register(one, bootOf('a'))).toBeUndefined()
    expect(await fleet.find(one)).toBeUndefined()
    await fleet.set(one, {})
    expect((await fleet.nodes.register(one, bootOf('a')))?.boot).toBeUndefined()
    expect(await fleet.nodes.register('sfu-z1-1', bootOf('a'))).toBeUndefined()
    await wake()
    expect(await fleet.nodes.register(one, bootOf('a'))).toMatchObject({ state: 'ready', boot: { id: 'a' } })
  })

  test('beats while the place is its own, and hears what becomes of it', async () => {
    await wake()
    await fleet.nodes.register(one, bootOf('a'))
    const beat = (boot: string, holds: string[] = []) => fleet.nodes.beat(one, boot, { holds, load })
    expect((await beat('a', ['x']))?.beat).toMatchObject({ holds: ['x'], load })
    await fleet.set(one, (node) => drainAsked(node, 'idle', fleet.store.now()))
    // This beat may have been on its way: only the next one knows.
    const first = await beat('a')
    expect([first?.state, first?.beat?.drains]).toEqual(['draining', undefined])
    expect((await beat('a'))?.beat).toMatchObject({ holds: [], drains: true })
    await fleet.nodes.register(one, bootOf('b'))
    expect((await beat('a', ['y']))?.boot?.id).toBe('b')
    expect((await fleet.find(one))?.beat).toBeUndefined()
  })
})

describe('a credential', () => {
  test('is good while its boot serves, and for that node alone', async () => {
    await wake()
    expect(await known(credential('a'))).toBeUndefined()
    await fleet.nodes.register(one, bootOf('a'))
    expect(await known(credential('a'))).toBe(one)
    const wrong = [
      ...[credential('b'), credential('a', 'encoder-z1-2'), credential('a', 'edge-z1-1')],
      ...[`${credential('a')}x`, credential('a').slice(0, -1), `.${secretOf('a')}`, `${one}.`, one, ''],
    ]
    for (const text of wrong) expect([text, await known(text)]).toEqual([text, undefined])
    await fleet.set(one, (node) => drainAsked(node, 'idle', fleet.store.now()))
    expect(await known(credential('a'))).toBe(one)
    await fleet.set(one, (node) => lost(node, fleet.store.now(), 1))
    expect(await known(credential('a'))).toBeUndefined()
  })

  test('of one that is stopped with a unit in hand is good for as long as that takes to give back, and no longer', async () => {
    const drainMs = 1000
    const stopWith = async (holds: string[], afterMs: number) => {
      await fleet.set(one, () => asleep('encoder', one))
      await wake()
      await fleet.nodes.register(one, bootOf('a'))
      await fleet.nodes.beat(one, 'a', { holds, load })
      await fleet.set(one, (now) => drainAsked(now, 'idle', fleet.store.now()))
      await fleet.nodes.beat(one, 'a', { holds, load })
      await fleet.nodes.beat(one, 'a', { holds, load })
      const nowMs = fleet.store.now() + afterMs
      await fleet.set(one, (now) => released(now, { epoch: now.epoch, nowMs, drainMs }))
      return fleet.find(one)
    }
    const stopping = await stopWith(['x'], drainMs)
    expect([stopping?.state, stopping?.boot]).toEqual(['stopping', undefined])
    expect(await known(credential('a'))).toBe(one)
    expect(await known(credential('b'))).toBeUndefined()
    // It works no more: no beat of it is heard, and no place is its own.
    expect((await fleet.nodes.beat(one, 'a', { holds: ['y'], load }))?.beat).toBeUndefined()
    await fleet.set(one, (now) => ({
      ...now,
      leaving: { sha256: now.leaving?.sha256 ?? '', untilMs: fleet.store.now() },
    }))
    expect(await known(credential('a'))).toBeUndefined()

    expect([(await stopWith([], 0))?.state, await known(credential('a'))]).toEqual(['stopping', undefined])
    // Silent for as long, it may be dead.
    expect([(await stopWith(['x'], 60_000))?.state, await known(credential('a'))]).toEqual([
      ...['stopping', undefined],
    ])
    await stopWith(['x'], drainMs)
    expect(await known(credential('a'))).toBe(one)
    await fleet.set(one, (now) => deallocated(now, { epoch: now.epoch, nowMs: fleet.store.now() }))
    expect(await known(credential('a'))).toBeUndefined()
  })

  test('of the boot before is worth nothing, the new one at once', async () => {
    const { authenticate, register } = fleet.nodes
    await wake()
    await register(one, bootOf('a'))
    expect(await authenticate(credential('a'))).toBe(one)
    await register(one, bootOf('b'))
    expect(await authenticate(credential('b'))).toBe(one)
    await expect.poll(() => authenticate(credential('a'))).toBeUndefined()
  })

  test('is nowhere in the documents', async () => {
    await wake()
    await fleet.nodes.register(one, bootOf('a'))
    expect(JSON.stringify(await fleet.store.read('encoder'))).not.toContain(secretOf('a'))
  })
})
