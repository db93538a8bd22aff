// Revocations: effective here at once and on every node within one poll, believed by who slept, and never missed in silence.
import { describe, expect, test } from 'vitest'
import { otherTenant, tenantId } from './ports.ts'
import { copycat, createSessionStage } from './session-stage.ts'

describe('a revoked session', () => {
  test('is over here at once, and on every other node within 2 s', async () => {
    const { protect, node, open, clock } = createSessionStage()
    const other = node()
    const { token, sessionId } = await open()
    expect(await protect.plays(token)).toBe(true)
    expect(await other.plays(token)).toBe(true)
    await protect.revokeSession(tenantId, sessionId)
    await protect.revokeSession(tenantId, sessionId)
    expect(await protect.plays(token)).toBe(false)
    expect(await other.plays(token), 'known for a moment by design').toBe(true)
    await clock.pass(2000)
    expect(await other.plays(token)).toBe(false)
    expect(await node().plays(token), 'on one that never saw it').toBe(false)
  })

  test('is revoked by its own tenant alone: to others it is not there', async () => {
    const { protect, open, sessions } = createSessionStage()
    const { token, sessionId } = await open()
    const unknown = sessionId.replace(/.$/, (c) => (c === '0' ? '1' : '0'))
    for (const [tenant, id] of [
      [otherTenant, sessionId],
      [tenantId, unknown],
      [tenantId, 'nonsense'],
    ] as const)
      await expect(protect.revokeSession(tenant, id)).rejects.toMatchObject({ code: 'not-found' })
    expect(sessions.all.get(sessionId)?.revokedAt).toBeUndefined()
    expect(await protect.plays(token)).toBe(true)
  })

  test('frees its place within a second', async () => {
    const { protect, open, clock } = createSessionStage()
    const ask = { viewer: 'anna', policy: { maxStreams: 1 } }
    const [first, second] = [await open(ask), await open(ask)]
    expect(await protect.plays(first.token)).toBe(true)
    expect(await protect.plays(second.token)).toBe(false)
    await protect.revokeSession(tenantId, first.sessionId)
    await clock.pass(1000)
    expect(await protect.plays(second.token)).toBe(true)
  })

  test('is told again when the store was away in between', async () => {
    const { protect, node, open, clock, revocations } = createSessionStage()
    const other = node()
    const { token, sessionId } = await open()
    expect(await other.plays(token)).toBe(true)
    revocations.away = true
    await expect(protect.revokeSession(tenantId, sessionId)).rejects.toMatchObject({ code: 'unavailable' })
    revocations.away = false
    await protect.revokeSession(tenantId, sessionId)
    await clock.pass(4000)
    expect(await other.plays(token)).toBe(false)
  })
})

describe('a revoked viewer', () => {
  test('loses every session that was opened before, and may open new ones', async () => {
    const { protect, node, open, clock } = createSessionStage()
    const other = node()
    const opened = [await open({ viewer: 'anna' }), await open({ viewer: 'anna' })]
    const ben = await open({ viewer: 'ben' })
    const theirs = await open({ viewer: 'anna', tenantId: otherTenant })
    const tokens = opened.map(({ token }) => token)
    const all = [...tokens, ben.token, theirs.token]
    expect(await Promise.all(all.map((token) => other.plays(token)))).toEqual([true, true, true, true])
    await protect.revokeViewer(tenantId, 'anna')
    await clock.pass(2000)
    for (const one of [protect, other, node()])
      expect(await Promise.all(all.map((token) => one.plays(token)))).toEqual([false, false, true, true])
    const again = await open({ viewer: 'anna' })
    for (const one of [protect, other, node()]) expect(await one.plays(again.token)).toBe(true)
  })

  test('stays so for sessions that nobody has seen, when the feed has long forgotten it', async () => {
    const { protect, node, open, clock } = createSessionStage()
    const { token } = await open({ viewer: 'anna', ttlSeconds: 604_800 })
    expect(await node().plays(token)).toBe(true)
    await protect.revokeViewer(tenantId, 'anna')
    await clock.pass(6 * 24 * 3_600_000)
    for (const purpose of ['media', 'image'] as const)
      expect(await node().plays(token, { purpose, client: copycat })).toBe(false)
  })
})

describe('the feed', () => {
  test('is read every 2 s while somebody plays, and not at all while nobody does', async () => {
    const { protect, open, clock, revocations } = createSessionStage()
    const { token } = await open()
    for (let n = 0; n < 60; n++) {
      expect(await protect.plays(token)).toBe(true)
      await clock.pass(1000)
    }
    expect(revocations.polls).toBeGreaterThanOrEqual(29)
    expect(revocations.polls).toBeLessThanOrEqual(32)
    await clock.pass(20_000)
    const asleep = revocations.polls
    await clock.pass(600_000)
    expect(revocations.polls).toBe(asleep)
  })

  test('is read before anything is believed by who has slept', async () => {
    const { protect, node, open, clock, revocations } = createSessionStage()
    const sleeper = node()
    const { token, sessionId } = await open()
    expect(await sleeper.plays(token)).toBe(true)
    await clock.pass(20_000)
    await protect.revokeSession(tenantId, sessionId)
    const polls = revocations.polls
    expect(await sleeper.plays(token)).toBe(false)
    expect(revocations.polls).toBe(polls + 1)
  })

  test('that can not be read is gone by as long as a lease and the grace, and then nobody plays', async () => {
    const { protect, open, clock, revocations } = createSessionStage()
    const { token } = await open()
    expect(await protect.plays(token)).toBe(true)
    revocations.away = true
    let seconds = 0
    while (await protect.plays(token).catch(() => false)) {
      await clock.pass(1000)
      seconds++
    }
    expect(seconds).toBeGreaterThanOrEqual(58)
    expect(seconds).toBeLessThanOrEqual(61)
    await expect(protect.plays(token)).rejects.toMatchObject({ code: 'unavailable' })
    revocations.away = false
    await clock.pass(2000)
    expect(await protect.plays(token)).toBe(true)
  })
  test('that is of the future, since the clock was set back, is none', async () => {
    const { node, open, clock, revocations } = createSessionStage()
    let setBackMs = 0
    const { plays } = node({ clock: { now: () => clock.now() - setBackMs, wait: clock.wait } })
    const { token } = await open()
    expect(await plays(token)).toBe(true)
    revocations.away = true
    expect(await plays(token), 'one of a moment ago is one').toBe(true)
    setBackMs = 3_600_000
    await expect(plays(token)).rejects.toMatchObject({ code: 'unavailable' })
    revocations.away = false
    await clock.pass(2000)
    expect(await plays(token)).toBe(true)
  })
  test('that comes slowly is waited for by a node that has none yet', async () => {
    const { node, open, clock, revocations } = createSessionStage()
    const since: typeof revocations.since = async (...asked) => {
      await clock.wait(2000)
      return revocations.since(...asked)
    }
    const { token } = await open()
    const first = node({ revocations: { ...revocations, since } }).plays(token)
    await clock.pass(2500)
    expect(await first).toBe(true)
  })
})
