// From the change of a title to its tenant's receiver: signed, in any weather, each event at least once and logged.
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { CosmosServer } from '../support/cosmos.ts'
import { newTenantId } from '../support/documents.ts'
import { startBackend, verify } from './backend.ts'
import { type Received, type Receiver, says } from './receiver.ts'
import { minuteMs, openStage, type Stage } from './stage.ts'

let server: CosmosServer
let receiver: Receiver
let prompt: Stage
/** A process that changes titles and dies before it told anybody; its sweep is that of another one. */
let left: Stage

startBackend((backend) => {
  ;({ server, receiver } = backend)
  prompt = openStage(server)
  left = openStage(server, { prompt: false })
})

const until = (count: number) => expect.poll(() => receiver.received.length).toBeGreaterThanOrEqual(count)
const bodyOf = ({ body }: Received) => JSON.parse(body)

describe('an event', () => {
  test('arrives at once, signed, and says what became of the title', async () => {
    const asset = await prompt.encoding()
    const { id, secret } = await prompt.register(asset.tenantId, receiver.url)
    await prompt.ready(asset)
    await until(1)
    const [first] = receiver.received as [Received]
    expect(verify(first, secret)).toBe(true)
    expect(verify({ ...first, body: `${first.body} ` }, secret)).toBe(false)
    expect(bodyOf(first)).toMatchObject({
      type: 'asset.ready',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: {
        tenantId: asset.tenantId,
        sequence: 1,
        asset: { id: asset.id, state: 'ready', durationSeconds: 8 },
      },
    })
    await expect
      .poll(() => prompt.log(asset.tenantId, id))
      .toMatchObject([{ state: 'delivered', tries: 1, attempts: [{ status: 200 }] }])
  })

  test('goes to those that asked for its kind, and to no other tenant', async () => {
    const [asset, other] = [await prompt.encoding(), await prompt.encoding()]
    await prompt.register(asset.tenantId, `${receiver.url}/ready`)
    await prompt.register(asset.tenantId, `${receiver.url}/all`, [
      'asset.ready',
      'asset.failed',
      'asset.progress',
    ])
    await prompt.register(other.tenantId, `${receiver.url}/other`)
    await prompt.progress(asset, 42)
    await prompt.ready(asset)
    await until(3)
    const seen = receiver.received.map(
      (one) => `${one.path} ${bodyOf(one).type} ${bodyOf(one).data.sequence}`,
    )
    expect(seen.sort()).toEqual([
      '/hooks/all asset.progress 1',
      '/hooks/all asset.ready 2',
      '/hooks/ready asset.ready 2',
    ])
    await prompt.ready(other)
    await until(4)
    expect(receiver.received.at(-1)?.path).toBe('/hooks/other')
  })

  test('of a process that died is found by the sweep, and leaves nothing behind', async () => {
    const asset = await left.encoding()
    const { id, secret } = await left.register(asset.tenantId, receiver.url, ['asset.failed'])
    await left.fail(asset)
    expect(await left.stores.outbox.pending(1000)).toHaveLength(1)
    expect(receiver.received).toEqual([])
    await left.webhooks.sweep()
    expect(receiver.received).toHaveLength(1)
    expect(verify(receiver.received[0] as Received, secret)).toBe(true)
    expect(bodyOf(receiver.received[0] as Received).data.asset.error.code).toBe('encode-failed')
    expect(await left.stores.outbox.pending(1000)).toEqual([])
    await left.webhooks.sweep()
    expect(receiver.received).toHaveLength(1)
    expect(await left.log(asset.tenantId, id)).toMatchObject([{ state: 'delivered', tries: 1 }])
  })

  test('that is passed on twice is delivered once', async () => {
    const asset = await left.encoding()
    await left.register(asset.tenantId, receiver.url)
    await left.ready(asset)
    const others = [openStage(server), openStage(server), openStage(server)]
    await Promise.all(others.map(({ webhooks }) => webhooks.sweep()))
    expect(receiver.received).toHaveLength(1)
    // One that a dying process had passed on, but not taken out.
    const die = async () => {
      throw new Error('killed')
    }
    const dying = openStage(server, { prompt: false, outbox: (of) => ({ ...of, settle: die }) })
    await left.ready(await left.encoding(asset.tenantId))
    await dying.webhooks.sweep()
    const both = [...receiver.received]
    expect(both).toHaveLength(2)
    expect(await left.stores.outbox.pending(1000)).toHaveLength(1)
    await left.webhooks.sweep()
    expect(await left.stores.outbox.pending(1000)).toEqual([])
    expect(receiver.received).toEqual(both)
  })

  test('of a tenant that listens nowhere is forgotten', async () => {
    const asset = await left.encoding()
    await left.ready(asset)
    await left.webhooks.sweep()
    expect(await left.stores.outbox.pending(1000)).toEqual([])
  })
})

describe('a receiver', () => {
  test('that fails hears the same again, byte for byte, until it answers', async () => {
    const later = openStage(server, { prompt: false })
    const asset = await later.encoding()
    const { id, secret } = await later.register(asset.tenantId, receiver.url)
    receiver.answers(says(500), (_response, request) => request.socket.destroy(), says(302), says(200))
    await later.ready(asset)
    for (const waitMs of [0, 2, 10, 60].map((minutes) => minutes * minuteMs)) {
      later.pass(waitMs)
      await later.webhooks.sweep()
    }
    expect(receiver.received).toHaveLength(4)
    const [first] = receiver.received
    for (const one of receiver.received) {
      expect(one.body).toBe(first?.body)
      expect(one.headers['webhook-id']).toBe(first?.headers['webhook-id'])
    }
    expect(verify(first as Received, secret)).toBe(true)
    // Each try is signed at its own time.
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(4)
    const [delivery] = await later.log(asset.tenantId, id)
    expect(delivery).toMatchObject({ state: 'delivered', tries: 4 })
    expect(delivery?.attempts.map(({ status, error }) => status ?? error)).toEqual([
      500,
      'connection-lost',
      302,
      200,
    ])
    expect(delivery).not.toHaveProperty('nextTryAtMs')
  })

  test('that comes back within seconds is heard without a sweep', async () => {
    const awake = openStage(server)
    const asset = await awake.encoding()
    const { id } = await awake.register(asset.tenantId, receiver.url)
    const states = async () => (await awake.log(asset.tenantId, id)).map(({ state, tries }) => [state, tries])
    receiver.answers(says(503), says(200))
    await awake.ready(asset)
    await expect.poll(awake.sleeping).toBe(1)
    expect(await states()).toEqual([['pending', 1]])
    awake.pass(11_000)
    awake.wake()
    await expect.poll(states).toEqual([['delivered', 2]])
    expect(receiver.received).toHaveLength(2)
  })

  test('that is gone is sent nothing more', async () => {
    const [one, two] = [await left.encoding(), await left.encoding()]
    const second = await left.encoding(one.tenantId)
    const { id } = await left.register(one.tenantId, receiver.url)
    await left.register(two.tenantId, receiver.url)
    receiver.answers(says(410), says(200))
    await left.ready(one)
    await left.webhooks.sweep()
    await left.ready(second)
    await left.ready(two)
    await left.webhooks.sweep()
    expect(receiver.received).toHaveLength(2)
    expect(bodyOf(receiver.received[1] as Received).data.tenantId).toBe(two.tenantId)
    expect(await left.webhooks.list(one.tenantId)).toMatchObject([{ id, goneAt: expect.any(String) }])
    expect(await left.log(one.tenantId, id)).toMatchObject([{ state: 'failed', attempts: [{ status: 410 }] }])
  })

  test('that was deleted meanwhile is sent nothing more', async () => {
    const later = openStage(server, { prompt: false })
    const asset = await left.encoding()
    const { id } = await left.register(asset.tenantId, receiver.url)
    receiver.answers(says(500))
    await left.ready(asset)
    await left.webhooks.sweep()
    await left.webhooks.remove(asset.tenantId, id)
    later.pass(5 * minuteMs)
    await later.webhooks.sweep()
    expect(receiver.received).toHaveLength(1)
    const [delivery] = await left.stores.deliveries
      .list({ tenantId: asset.tenantId, webhookId: id }, { limit: 10 })
      .then(({ items }) => items)
    expect(delivery?.state).toBe('cancelled')
  })

  test('that has failed for three days is sent nothing more, and all that waits for it ends at once', async () => {
    const later = openStage(server, { prompt: false })
    const tenantId = newTenantId()
    const { id } = await later.register(tenantId, receiver.url)
    receiver.answers(says(500))
    await later.ready(await later.encoding(tenantId))
    await later.webhooks.sweep()
    expect(await later.webhooks.list(tenantId)).toMatchObject([{ failingSince: expect.any(String) }])
    later.pass(71 * 60 * minuteMs)
    for (let n = 0; n < 4; n++) await later.ready(await later.encoding(tenantId))
    await later.webhooks.sweep()
    expect((await later.webhooks.list(tenantId))[0]).not.toHaveProperty('goneAt')
    later.pass(2 * 60 * minuteMs)
    await later.webhooks.sweep()
    expect((await later.webhooks.list(tenantId))[0]).toHaveProperty('goneAt')
    await later.webhooks.sweep()
    const states = (await later.log(tenantId, id)).map(({ state }) => state)
    expect(states.toSorted()).toEqual([...Array(4).fill('cancelled'), 'failed'])
    // Its tenant mends it and says so.
    receiver.answers(says(200))
    await later.webhooks.change(tenantId, id, { name: 'mended' })
    await later.ready(await later.encoding(tenantId))
    await later.webhooks.sweep()
    expect((await later.log(tenantId, id)).map(({ state }) => state)).toContain('delivered')
    const [mended] = await later.webhooks.list(tenantId)
    expect(mended).toMatchObject({ name: 'mended' })
    expect(mended).not.toHaveProperty('failingSince')
  })

  test('that does not answer well is asked once a sweep, however much waits for it', async () => {
    const tenantId = newTenantId()
    const { id } = await left.register(tenantId, receiver.url, ['asset.ready', 'asset.progress'])
    receiver.answers(says(500))
    const titles = await Promise.all(Array.from({ length: 6 }, () => left.encoding(tenantId)))
    for (let percent = 10; percent < 100; percent += 10)
      await Promise.all(titles.map((title) => left.progress(title, percent)))
    await Promise.all(titles.map((title) => left.ready(title)))
    await left.webhooks.sweep()
    expect(receiver.received).toHaveLength(1)
    receiver.answers(says(200))
    await left.webhooks.sweep()
    // The one that failed has its own time; the others go now.
    expect(receiver.received).toHaveLength(60)
    const states = (await left.log(tenantId, id)).map(({ state }) => state)
    expect(states.toSorted()).toEqual([...Array(59).fill('delivered'), 'pending'])
    await left.webhooks.remove(tenantId, id)
  })

  test('that hangs holds up nobody else, and no sweep for longer than a minute', async () => {
    const sweeper = openStage(server, { prompt: false })
    const hung: ServerResponse[] = []
    const path = (one: Received) => one.path.slice('/hooks/'.length)
    receiver.answers((response, request) =>
      request.url?.endsWith('/slow') ? hung.push(response) : response.end(),
    )
    const [slow, quick] = [newTenantId(), newTenantId()]
    const { id } = await left.register(slow, `${receiver.url}/slow`)
    await left.register(quick, `${receiver.url}/quick`)
    for (const tenantId of [slow, slow, quick, slow, quick]) await left.ready(await left.encoding(tenantId))
    const sweeping = sweeper.webhooks.sweep()
    await until(3)
    expect(receiver.received.map(path).sort()).toEqual(['quick', 'quick', 'slow'])
    sweeper.pass(minuteMs)
    sweeper.wake()
    await sweeping
    // Once it answers, what else waits goes in the same lane.
    receiver.answers(says(200))
    for (const response of hung) response.end()
    const states = async () => (await left.log(slow, id)).map(({ state }) => state)
    await expect.poll(states).toEqual(Array(3).fill('delivered'))
    expect(receiver.received.map(path).sort()).toEqual(['quick', 'quick', 'slow', 'slow', 'slow'])
  })
})
