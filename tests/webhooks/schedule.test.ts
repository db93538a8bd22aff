// When a delivery is tried again: pure rules, as a receiver that is away for minutes, hours or for good would see them.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Delivery, Sent } from '../../shared/webhooks/ports.ts'
import { cancelled, claimed, dueAgain, tried } from '../../shared/webhooks/schedule.ts'
import { newTenantId } from '../support/documents.ts'

const startMs = Date.parse('2026-11-22T10:00:00.000Z')
const fresh = (changes: Partial<Delivery> = {}): Delivery => ({
  id: 'evt_x.whk_x',
  tenantId: newTenantId(),
  type: 'delivery',
  schema: 1,
  webhookId: 'whk_x',
  eventId: 'evt_x',
  event: 'asset.ready',
  body: '{}',
  createdAt: '2026-11-22T10:00:00.000Z',
  state: 'pending',
  tries: 0,
  attempts: [],
  nextTryAtMs: startMs,
  ttl: 1,
  ...changes,
})
const refused: Sent = { error: 'connection-refused', durationMs: 3 }
const answered = (status: number, more: Partial<Sent> = {}): Sent => ({ status, durationMs: 3, ...more })
const at = (nowMs: number, chance = 0.5) => ({ nowMs, chance })

/** Tries it whenever it is due, as the sweep does, until there is nothing more to do. */
function play(sent: (tries: number) => Sent, from = fresh(), chance = 0.5) {
  let delivery = from
  const triedAtMs: number[] = []
  while (delivery.state === 'pending') {
    const nowMs = delivery.nextTryAtMs as number
    triedAtMs.push(nowMs - startMs)
    delivery = tried(delivery, sent(delivery.tries), at(nowMs, chance))
  }
  return { delivery, seconds: triedAtMs.map((ms) => ms / 1000) }
}

test('nobody there: nine tries within two days, then it is given up, with a record of each', () => {
  const { delivery, seconds } = play(() => refused)
  expect(seconds).toEqual([0, 10, 70, 370, 2170, 9370, 30_970, 74_170, 160_570])
  expect(delivery).toMatchObject({ state: 'failed', tries: 9 })
  expect(delivery).not.toHaveProperty('nextTryAtMs')
  expect(delivery.attempts).toHaveLength(9)
  expect(delivery.attempts[1]).toEqual({
    at: '2026-11-22T10:00:09.997Z',
    error: 'connection-refused',
    durationMs: 3,
  })
})

test('any 2xx ends it, and nothing else does but 410', () => {
  for (const status of [200, 201, 202, 204, 299])
    expect(play((tries) => (tries < 3 ? answered(500) : answered(status))).delivery).toMatchObject({
      state: 'delivered',
      tries: 4,
    })
  for (const status of [100, 199, 300, 301, 302, 304, 400, 401, 404, 422, 429, 500, 503])
    expect(tried(fresh(), answered(status), at(startMs)).state).toBe('pending')
  expect(tried(fresh(), answered(410), at(startMs))).toMatchObject({ state: 'failed', tries: 1 })
})

test('progress is not worth a second repetition: the next says more', () => {
  expect(play(() => refused, fresh({ event: 'asset.progress' })).seconds).toEqual([0, 60])
})

test('a receiver may ask for patience, within an hour', () => {
  const next = (sent: Sent) => (tried(fresh(), sent, at(startMs)).nextTryAtMs ?? 0) - startMs
  expect(next(answered(503, { retryAfterSeconds: 120 }))).toBe(120_000)
  expect(next(answered(429, { retryAfterSeconds: 1 }))).toBe(10_000)
  expect(next(answered(503, { retryAfterSeconds: 1e9 }))).toBe(3_600_000)
})

test('what waited for three days is given up however few tries it had', () => {
  const late = startMs + 73 * 3_600_000
  expect(tried(fresh(), refused, at(late - 2 * 3_600_000)).state).toBe('pending')
  expect(tried(fresh(), refused, at(late)).state).toBe('failed')
})

test('those that failed together are tried apart, by a tenth at most', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (chance) => {
      const { seconds } = play(() => refused, fresh(), chance)
      expect(seconds).toHaveLength(9)
      const waits = seconds.slice(1).map((second, n) => second - (seconds[n] ?? 0))
      for (const [n, wait] of waits.entries()) {
        const even = [10, 60, 300, 1800, 7200, 21_600, 43_200, 86_400][n] ?? 0
        expect(wait / even).toBeGreaterThan(0.899)
        expect(wait / even).toBeLessThan(1.101)
      }
    }),
  )
})

test('who claims a try has it for a minute; what is not due, or over, can not be claimed', () => {
  const ours = claimed(fresh(), startMs) as Delivery
  expect(ours.nextTryAtMs).toBe(startMs + 60_000)
  expect(claimed(ours, startMs + 59_999)).toBe('unchanged')
  expect(claimed(ours, startMs + 60_000)).not.toBe('unchanged')
  expect(claimed(fresh(), startMs - 1)).toBe('unchanged')
  for (const state of ['delivered', 'failed', 'cancelled'] as const)
    expect(claimed(fresh({ state }), startMs)).toBe('unchanged')
})

test('a tenant may have anything sent again; what is cancelled stays so until then', () => {
  const over = cancelled(fresh()) as Delivery
  expect(over.state).toBe('cancelled')
  expect(cancelled(over)).toBe('unchanged')
  for (const delivery of [over, play(() => refused).delivery, play(() => answered(200)).delivery])
    expect(claimed(dueAgain(delivery, startMs), startMs)).not.toBe('unchanged')
  // Its tries are used up: one more, and it is given up again.
  expect(play(() => refused, dueAgain(play(() => refused).delivery, startMs)).seconds).toEqual([0])
})

test('the log stays small', () => {
  let delivery = fresh()
  for (let n = 0; n < 50; n++) delivery = tried(dueAgain(delivery, startMs), refused, at(startMs))
  expect([delivery.tries, delivery.attempts.length]).toEqual([50, 20])
})
