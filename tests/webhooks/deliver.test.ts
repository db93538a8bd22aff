// From the change of a title to its tenant's receiver: signed, in any weather, each event at least once and logged.
import { createHmac } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../../shared/core/random.ts'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { newTenantId } from '../support/documents.ts'
import { type Received, type Receiver, says, startReceiver } from './receiver.ts'
import { minuteMs, openStage, type Stage, startMs } from './stage.ts'

let server: CosmosServer
let receiver: Receiver
let prompt: Stage
/** A process that changes titles and dies before it told anybody; its sweep is that of another one. */
let left: Stage

beforeAll(async () => {
  server = await startCosmos()
  receiver = await startReceiver()
})
afterAll(async () => {
  await receiver?.close()
  await server?.stop()
})
afterEach(() => {
  receiver.answers(says(200))
  receiver.received.length = 0
})
beforeAll(() => {
  prompt = openStage(server)
  left = openStage(server, { prompt: false })
})

const until = (count: number) => expect.poll(() => receiver.received.length).toBeGreaterThanOrEqual(count)
const bodyOf = ({ body }: Received) => JSON.parse(body)

/** As a receiver would, by what the specification says, with nothing of ours; its clock stands still as ours do. */
function verify({ headers, body }: Received, secret: string): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const expected = createHmac('sha256', key).update(content).digest('base64')
  const given = String(headers['webhook-signature']).split(' ')
  const ageSeconds = Math.abs(startMs / 1000 - Number(headers['webhook-timestamp']))
  return ageSeconds < 300 && given.some((signature) => signature === `v1,${expected}`)
}

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

describe('endpoints', () => {
  test('the secret is shown once, is kept nowhere, and is the same for a repeated request', async () => {
    const tenantId = newTenantId()
    const ask = { url: receiver.url, name: 'mine', events: ['asset.ready' as const], requestHash: 'h' }
    const drawn = () => seededRandom(new Uint8Array(32), 'the same Idempotency-Key')
    const [one, two] = await Promise.all([1, 2].map(() => left.webhooks.add(tenantId, ask, drawn())))
    expect(one).toEqual(two)
    expect(await left.webhooks.list(tenantId)).toHaveLength(1)
    const kept = JSON.stringify(await left.stores.endpoints.get(tenantId))
    expect(kept).toContain(one?.id)
    expect(kept).not.toContain(one?.secret.slice(6, 40))
    const other = left.webhooks.add(tenantId, { ...ask, requestHash: 'another' }, drawn())
    await expect(other).rejects.toMatchObject({ code: 'idempotency-mismatch' })
  })

  test('ten and no more, however many come at once', async () => {
    const tenantId = newTenantId()
    const results = await Promise.allSettled(
      Array.from({ length: 14 }, (_, n) => left.register(tenantId, `${receiver.url}/${n}`)),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))
    expect(refused).toEqual(Array(4).fill('conflict'))
    const [first] = await left.webhooks.list(tenantId)
    await left.webhooks.remove(tenantId, first?.id ?? '')
    await left.register(tenantId, `${receiver.url}/again`)
  })

  test('a URL that leads inside is refused by name of its field', async () => {
    const { objection } = await left
      .register(newTenantId(), 'http://me:secret@127.0.0.1/')
      .then(() => ({ objection: undefined }))
      .catch((error) => ({ objection: error }))
    expect(objection).toMatchObject({ code: 'invalid-request', options: { errors: [{ pointer: '/url' }] } })
  })

  test('while a secret changes both sign; a repeated request changes it once', async () => {
    const asset = await left.encoding()
    const { id, secret } = await left.register(asset.tenantId, receiver.url)
    const rotate = () =>
      left.webhooks.rotate(
        asset.tenantId,
        { id, previousSeconds: 3600 },
        seededRandom(new Uint8Array(32), 'rotation'),
      )
    const [next, again] = [await rotate(), await rotate()]
    expect(again).toEqual(next)
    expect(next.secret).not.toBe(secret)
    await left.ready(asset)
    await left.webhooks.sweep()
    const during = receiver.received[0] as Received
    expect([verify(during, secret), verify(during, next.secret)]).toEqual([true, true])
    // The old one is leaked: from now on it is worth nothing.
    await left.webhooks.rotate(
      asset.tenantId,
      { id, previousSeconds: 0 },
      seededRandom(new Uint8Array(32), 'leak'),
    )
    await left.ready(await left.encoding(asset.tenantId))
    await left.webhooks.sweep()
    const after = receiver.received[1] as Received
    expect([secret, next.secret].map((one) => verify(after, one))).toEqual([true, false])
  })

  test('those of another tenant are not there', async () => {
    const tenantId = newTenantId()
    const { id } = await left.register(tenantId, receiver.url)
    const { eventId } = await left.webhooks.test(tenantId, id, seededRandom(new Uint8Array(32), 'x'))
    const stranger = newTenantId()
    const { webhooks } = left
    const random = seededRandom(new Uint8Array(32), 'y')
    for (const call of [
      (tenant: typeof tenantId) => webhooks.deliveries(tenant, id, { limit: 10 }),
      (tenant: typeof tenantId) => webhooks.test(tenant, id, random),
      (tenant: typeof tenantId) => webhooks.retry(tenant, id, eventId),
      (tenant: typeof tenantId) => webhooks.rotate(tenant, { id, previousSeconds: 0 }, random),
      (tenant: typeof tenantId) => webhooks.change(tenant, id, { name: 'taken' }),
      (tenant: typeof tenantId) => webhooks.remove(tenant, id),
    ]) {
      await expect(call(stranger)).rejects.toMatchObject({ code: 'not-found' })
      await call(tenantId)
    }
    expect(await webhooks.list(stranger)).toEqual([])
  })
})

describe('the log', () => {
  test('shows a test at once, and sends again what is asked for', async () => {
    const tenantId = newTenantId()
    const { id, secret } = await left.register(tenantId, receiver.url)
    receiver.answers(says(500), says(200))
    const tested = await left.webhooks.test(tenantId, id, seededRandom(new Uint8Array(32), 'test'))
    expect(tested).toMatchObject({ event: 'webhook.test', state: 'pending', attempts: [{ status: 500 }] })
    expect(verify(receiver.received[0] as Received, secret)).toBe(true)
    const retried = await left.webhooks.retry(tenantId, id, tested.eventId)
    expect(retried).toMatchObject({ state: 'delivered', tries: 2 })
    // The same Idempotency-Key is the same test, which was made.
    await left.webhooks.test(tenantId, id, seededRandom(new Uint8Array(32), 'test'))
    expect(receiver.received).toHaveLength(2)
    await expect(left.webhooks.retry(tenantId, id, 'evt_nothing')).rejects.toMatchObject({
      code: 'not-found',
    })
  })

  test('is of one endpoint, the newest first, page by page', async () => {
    const stage = openStage(server)
    const tenantId = newTenantId()
    const [mine, other] = [
      await stage.register(tenantId, `${receiver.url}/mine`),
      await stage.register(tenantId, `${receiver.url}/other`),
    ]
    const made: string[] = []
    for (let n = 0; n < 5; n++) {
      const random = seededRandom(new Uint8Array(32), String(n))
      made.unshift((await stage.webhooks.test(tenantId, mine.id, random)).eventId)
      await stage.webhooks.test(tenantId, other.id, seededRandom(new Uint8Array(32), `other ${n}`))
      stage.pass(1)
    }
    const seen: string[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await stage.webhooks.deliveries(tenantId, mine.id, { cursor, limit: 2 })
      expect(page.items.length).toBeLessThanOrEqual(2)
      seen.push(...page.items.map(({ eventId }) => eventId))
      cursor = page.cursor
      if (!cursor) break
    }
    expect(seen).toEqual(made)
  })
})
