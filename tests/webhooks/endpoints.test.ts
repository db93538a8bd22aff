// What a tenant sets up and looks at: its endpoints with their secrets, and the log of what was sent; nobody else's.
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../shared/core/random.ts'
import type { CosmosServer } from '../support/cosmos.ts'
import { newTenantId } from '../support/documents.ts'
import { startBackend, verify } from './backend.ts'
import { type Received, type Receiver, says } from './receiver.ts'
import { openStage, type Stage } from './stage.ts'

let server: CosmosServer
let receiver: Receiver
/** Nothing is sent before it is asked for, or its sweep comes. */
let left: Stage

startBackend((backend) => {
  ;({ server, receiver } = backend)
  left = openStage(server, { prompt: false })
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
