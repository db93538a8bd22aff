// The rules of slots, over random histories: never more places than allowed, and nobody kept out who has one.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Slots, Stream } from '../../shared/protect/ports.ts'
import { acquire, isLive, type PlaceAsk, renew, slotsOf } from '../../shared/protect/streams.ts'
import { assetId, tenantId } from './ports.ts'

const leaseMs = 30_000
const owner = { viewerKey: '0'.repeat(16), tenantId }
const askOf = (ask: Partial<PlaceAsk> = {}): PlaceAsk => ({
  sessionId: 's1',
  assetId,
  client: 'tv',
  ttlSeconds: 60,
  purpose: 'media',
  ...ask,
})
const live = (streams: readonly Stream[], nowMs: number) =>
  streams.filter((stream) => isLive(stream, { nowMs, leaseMs }))

/** What happens to one viewer: clients of several sessions come, go on and fall silent, in any order. */
const history = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 8000 }),
    session: fc.integer({ min: 1, max: 3 }),
    client: fc.integer({ min: 1, max: 4 }),
    purpose: fc.constantFrom('manifest' as const, 'media' as const),
    /** A node that renews what it served a while ago, instead of a request. */
    lateMs: fc.option(fc.integer({ min: 0, max: 50_000 })),
  }),
  { minLength: 20, maxLength: 60 },
)

function play(
  steps: typeof history extends fc.Arbitrary<infer T> ? T : never,
  limits: { maxClients: number; maxStreams: number },
  check: (streams: readonly Stream[], nowMs: number) => void,
): void {
  let slots: Slots | undefined
  let nowMs = 1_000_000
  for (const { afterMs, session, client, purpose, lateMs } of steps) {
    nowMs += afterMs
    const time = { nowMs, leaseMs }
    const ask = askOf({ sessionId: `s${session}`, client: `c${client}`, purpose, ...limits })
    const before = slots?.streams ?? []
    const streams =
      lateMs === null ? acquire(before, ask, time) : renew(before, { ...ask, seenAtMs: nowMs - lateMs }, time)
    if (
      lateMs === null &&
      live(before, nowMs).some((s) => s.sessionId === ask.sessionId && s.client === ask.client)
    )
      expect(streams, 'who has a place keeps it').toBeDefined()
    if (streams) slots = slotsOf(slots, owner, { streams, time })
    check(slots?.streams ?? [], nowMs)
  }
}

describe('whatever happens', () => {
  const limits = fc.record({
    maxClients: fc.integer({ min: 1, max: 3 }),
    maxStreams: fc.integer({ min: 1, max: 5 }),
  })

  test('no more streams are live than the policy allows, by viewer and by session', () => {
    let full = 0
    fc.assert(
      fc.property(history, limits, (steps, allowed) =>
        play(steps, allowed, (streams, nowMs) => {
          const now = live(streams, nowMs)
          if (now.length === allowed.maxStreams) full++
          expect(now.length).toBeLessThanOrEqual(allowed.maxStreams)
          for (const session of ['s1', 's2', 's3'])
            expect(now.filter(({ sessionId }) => sessionId === session).length).toBeLessThanOrEqual(
              allowed.maxClients,
            )
        }),
      ),
      { numRuns: 500 },
    )
    expect(full, 'the limits were reached').toBeGreaterThan(500)
  })

  test('each client of a session has at most one stream, and the list says when it was last seen', () => {
    fc.assert(
      fc.property(history, limits, (steps, allowed) =>
        play(steps, allowed, (streams) => {
          expect(new Set(streams.map(({ sessionId, client }) => `${sessionId} ${client}`)).size).toBe(
            streams.length,
          )
          expect(streams.map(({ seenAtMs }) => seenAtMs)).toEqual(
            streams.map(({ seenAtMs }) => seenAtMs).toSorted((a, b) => b - a),
          )
        }),
      ),
      { numRuns: 300 },
    )
  })
})

describe('a place', () => {
  const at = (nowMs: number) => ({ nowMs, leaseMs })
  const taken = acquire([], askOf(), at(0))!

  test('is the client’s own for a lease, and renewed by what it does', () => {
    expect(acquire(taken, askOf({ client: 'copy' }), at(29_999))).toBeUndefined()
    const renewed = acquire(taken, askOf(), at(20_000))!
    expect(acquire(renewed, askOf({ client: 'copy' }), at(49_999))).toBeUndefined()
    const copy = acquire(renewed, askOf({ client: 'copy' }), at(50_000))!
    expect(acquire(copy, askOf(), at(50_000)), 'who comes back late has lost it').toBeUndefined()
  })

  test('costs no write while the lease is young', () => {
    expect(acquire(taken, askOf(), at(14_999))).toBe(taken)
    expect(acquire(taken, askOf({ purpose: 'manifest' }), at(14_999))).toBe(taken)
    expect(acquire(taken, askOf(), at(15_000))).not.toBe(taken)
    expect(acquire(taken, askOf({ ttlSeconds: 4 }), at(1000)), 'a short life is told sooner').not.toBe(taken)
  })

  test('that only manifests took goes to whoever plays, and then stays there', () => {
    const read = acquire([], askOf({ client: 'telephone', purpose: 'manifest' }), at(0))!
    const plays = acquire(read, askOf({ client: 'tv' }), at(1000))!
    expect(plays).toHaveLength(1)
    expect(plays[0]).toMatchObject({ client: 'tv', bound: true, seenAtMs: 1000 })
    for (const purpose of ['manifest', 'media'] as const)
      expect(acquire(plays, askOf({ client: 'telephone', purpose }), at(2000))).toBeUndefined()
  })

  test('of another session of the viewer counts for maxStreams alone', () => {
    const other = askOf({ sessionId: 's2', client: 'tablet' })
    expect(acquire(taken, other, at(1))).toHaveLength(2)
    expect(acquire(taken, { ...other, maxStreams: 1 }, at(1))).toBeUndefined()
    expect(acquire(taken, { ...other, maxStreams: 1 }, at(30_000))).toHaveLength(2)
  })

  test('is renewed late only where nobody has it', () => {
    const late = { ...askOf(), seenAtMs: 29_000 }
    expect(live(renew(taken, late, at(35_000)), 35_000)).toHaveLength(1)
    const lost = acquire(taken, askOf({ client: 'copy' }), at(31_000))!
    const renewed = renew(lost, late, at(35_000))
    expect(live(renewed, 35_000).map(({ client }) => client)).toEqual(['copy'])
    expect(renewed.find(({ client }) => client === 'tv')?.seenAtMs, 'seen it was').toBe(5000)
  })
})

describe('the document', () => {
  const stream = (n: number, seenAtMs: number): Stream => ({
    ...{ sessionId: `s${n}`, assetId, client: 'tv', bound: true },
    ...{ openedAtMs: 0, seenAtMs, ttlSeconds: 60 },
  })

  test('forgets who is neither live nor may come back, and lives as long as the longest', () => {
    const time = { nowMs: 100_000, leaseMs }
    const streams = [stream(1, 39_999), stream(2, 40_000), stream(3, 40_001), stream(4, 99_000)]
    const slots = slotsOf(undefined, owner, { streams, time })
    expect(slots.streams.map(({ sessionId }) => sessionId)).toEqual(['s4', 's3'])
    expect(slots).toMatchObject({ seenAtMs: 99_000, ttl: 3660 })
  })

  test('says that its viewer was revoked for longer than any session lives', () => {
    const time = { nowMs: 100_000, leaseMs }
    const revokedAt = '2030-01-01T00:00:00.000Z'
    const slots = slotsOf(undefined, owner, { streams: [], time, revokedAt })
    const later = slotsOf(slots, owner, { streams: [stream(1, 99_000)], time })
    expect(later).toMatchObject({ revokedAt })
    expect(later.ttl).toBeGreaterThan(7 * 24 * 3600)
  })

  test('has room for 128 streams of one viewer and no more', () => {
    const time = { nowMs: 1000, leaseMs }
    const asks = Array.from({ length: 129 }, (_, n) => askOf({ sessionId: `s${n}` }))
    let streams: readonly Stream[] = []
    const granted = asks.map((ask) => {
      const next = acquire(streams, ask, time)
      streams = slotsOf(undefined, owner, { streams: next ?? streams, time }).streams
      return next !== undefined
    })
    expect(granted.filter(Boolean)).toHaveLength(128)
    expect(granted.at(-1)).toBe(false)
    expect(live(streams, 1000)).toHaveLength(128)
  })
})
