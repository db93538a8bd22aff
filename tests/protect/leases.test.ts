// Streams in simulated time: who plays plays on, who copies waits, and the store hears of it a few times a minute.
import { describe, expect, test } from 'vitest'
import { clientOf, tenantId } from './ports.ts'
import { copycat, createSessionStage, type SessionNode } from './session-stage.ts'

const leaseMs = 30_000
type Stage = ReturnType<typeof createSessionStage>

/** Asks as a player does, for a segment of 4 s at a time, and counts what is refused. */
async function playFor(
  { clock }: Stage,
  seconds: number,
  nodes: readonly SessionNode[],
  token: string,
): Promise<number> {
  let refused = 0
  for (let n = 0; n < seconds / 4; n++) {
    if (!(await nodes[n % nodes.length]!.plays(token))) refused++
    await clock.pass(4000, 3)
  }
  return refused
}

/** How long it takes until somebody gets in, asking once a second. */
async function secondsUntil({ clock }: Stage, granted: () => Promise<boolean>, most = 100): Promise<number> {
  for (let seconds = 0; seconds <= most; seconds++) {
    if (await granted()) return seconds
    await clock.pass(1000, 3)
  }
  return Number.POSITIVE_INFINITY
}

describe('who plays', () => {
  test('plays for 6 hours on a token of 60 s without one refusal, at fewer than 240 writes an hour', async () => {
    const stage = createSessionStage()
    const { token } = await stage.open({ ttlSeconds: 60 })
    expect(await playFor(stage, 6 * 3600, [stage.protect], token)).toBe(0)
    const perHour = stage.sessions.writes.length / 6
    console.log(`one viewer: ${perHour.toFixed(0)} writes an hour for ${(3600 / 4).toFixed(0)} segments`)
    expect(perHour).toBeLessThan(240)
    expect(perHour, 'never later than three quarters of a lease').toBeGreaterThan(160)
  })

  test('plays on whichever of three nodes answers, for an hour', async () => {
    const stage = createSessionStage()
    const { token } = await stage.open({ ttlSeconds: 60 })
    const nodes = [stage.node(), stage.node(), stage.node()]
    expect(await playFor(stage, 3600, nodes, token)).toBe(0)
    expect(stage.sessions.writes.length).toBeLessThan(700)
  })

  test('may pause for less than the life of its token, and is refused once idle for that long', async () => {
    const stage = createSessionStage()
    const { token } = await stage.open({ ttlSeconds: 60 })
    expect(await playFor(stage, 120, [stage.protect], token)).toBe(0)
    await stage.protect.plays(token)
    await stage.clock.pass(59_999)
    expect(await stage.protect.plays(token)).toBe(true)
    await stage.clock.pass(60_000)
    expect(await stage.protect.plays(token)).toBe(false)
    expect(await stage.node().plays(token), 'on no node').toBe(false)
  })

  test('was seen until its very last request, on every node', async () => {
    const stage = createSessionStage()
    const { token } = await stage.open({ ttlSeconds: 60 })
    expect(await playFor(stage, 96, [stage.protect], token)).toBe(0)
    await stage.protect.plays(token)
    await stage.clock.pass(59_999)
    const late = stage.node()
    expect(await late.plays(token), 'what was said after the last renewal counts too').toBe(true)
  })

  test('is not idle for a node whose view of the viewer is a moment old', async () => {
    const stage = createSessionStage()
    const [here, there] = [stage.node(), stage.node()]
    const { token } = await stage.open({ ttlSeconds: 5 })
    expect([await here.plays(token), await there.plays(token)]).toEqual([true, true])
    await stage.clock.pass(4800)
    expect(await there.plays(token, { client: copycat }), 'so that it looks').toBe(false)
    expect(await here.plays(token)).toBe(true)
    await stage.clock.pass(600)
    expect(await there.plays(token)).toBe(true)
    await stage.clock.pass(5000)
    expect(await there.plays(token)).toBe(false)
  })

  test('was seen also where nothing needed to be written, so the place is kept for a whole lease', async () => {
    const stage = createSessionStage()
    const { token } = await stage.open()
    expect(await stage.protect.plays(token)).toBe(true)
    await stage.clock.pass(14_000)
    expect(await stage.node().plays(token)).toBe(true)
    await stage.clock.pass(28_000)
    expect(await stage.node().plays(token, { client: copycat }), 'within a lease').toBe(false)
    await stage.clock.pass(3000)
    expect(await stage.node().plays(token, { client: copycat })).toBe(true)
  })

  test('shares one write with all streams of its viewer on that node', async () => {
    const stage = createSessionStage()
    const tokens = await Promise.all(
      Array.from({ length: 5 }, async () => (await stage.open({ viewer: 'family', ttlSeconds: 60 })).token),
    )
    for (let n = 0; n < 900; n++) {
      expect(await Promise.all(tokens.map((token) => stage.protect.plays(token)))).not.toContain(false)
      await stage.clock.pass(4000, 3)
    }
    console.log(`five streams of one viewer: ${stage.sessions.writes.length} writes an hour`)
    expect(stage.sessions.writes.length).toBeLessThan(240)
  })
})

describe('a copied URL', () => {
  test('is refused beside the original, on every node, and the original never is', async () => {
    const stage = createSessionStage()
    const { token } = await stage.open()
    const nodes = [stage.protect, stage.node()]
    expect(await stage.protect.plays(token)).toBe(true)
    for (let n = 0; n < 60; n++) {
      for (const node of nodes)
        for (const purpose of ['media', 'manifest'] as const)
          expect(await node.plays(token, { client: copycat, purpose })).toBe(false)
      expect(await nodes[n % 2]!.plays(token)).toBe(true)
      await stage.clock.pass(4000, 3)
    }
  })

  test('takes over at most one lease after the original fell silent, and then the original is refused', async () => {
    const stage = createSessionStage()
    const { token } = await stage.open()
    expect(await playFor(stage, 60, [stage.protect], token)).toBe(0)
    await stage.protect.plays(token)
    const taken = await secondsUntil(stage, () => stage.node().plays(token, { client: copycat }))
    expect(taken * 1000).toBe(leaseMs)
    expect(await stage.protect.plays(token)).toBe(false)
  })

  test('played by as many as the policy allows is played by exactly so many', async () => {
    const stage = createSessionStage()
    const { token } = await stage.open({ policy: { maxClients: 3 } })
    const nodes = Array.from({ length: 5 }, () => stage.node())
    const race = await Promise.all(
      Array.from({ length: 100 }, (_, n) => nodes[n % 5]!.plays(token, { client: clientOf(`client ${n}`) })),
    )
    expect(race.filter(Boolean)).toHaveLength(3)
  })
})

describe('a viewer', () => {
  test('who changes the network is locked out for no longer than one lease', async () => {
    const stage = createSessionStage()
    const { token } = await stage.open()
    expect(await playFor(stage, 60, [stage.protect], token)).toBe(0)
    await stage.protect.plays(token)
    const elsewhere = clientOf('a player', '198.51.100.0/24')
    expect(
      await secondsUntil(stage, () => stage.protect.plays(token, { client: elsewhere })),
    ).toBeLessThanOrEqual(leaseMs / 1000)
  })

  test('who closes a tab and opens another session waits for no longer than one lease', async () => {
    const stage = createSessionStage()
    const open = async () => (await stage.open({ viewer: 'anna', policy: { maxStreams: 1 } })).token
    const [first, second] = [await open(), await open()]
    expect(await stage.protect.plays(first)).toBe(true)
    expect(await stage.protect.plays(second)).toBe(false)
    expect(await secondsUntil(stage, () => stage.protect.plays(second))).toBeLessThanOrEqual(leaseMs / 1000)
    expect(await stage.protect.plays(first)).toBe(false)
  })

  test('who reads on a telephone plays on a television, and nowhere else', async () => {
    const stage = createSessionStage()
    const { token } = await stage.open()
    const telephone = { client: clientOf('telephone'), purpose: 'manifest' as const }
    expect(await stage.protect.plays(token, telephone)).toBe(true)
    expect(await stage.node().plays(token, { client: clientOf('television') })).toBe(true)
    expect(await stage.protect.plays(token, { ...telephone, purpose: 'media' })).toBe(false)
  })

  test('looks at images without a place in the count', async () => {
    const stage = createSessionStage()
    const { token } = await stage.open()
    expect(await stage.protect.plays(token)).toBe(true)
    expect(await stage.protect.plays(token, { client: copycat, purpose: 'image' })).toBe(true)
    expect(stage.sessions.writes).toHaveLength(1)
  })
})

describe('a node that is cut off from the store', () => {
  const cut = (stage: Stage, away: boolean) => {
    stage.sessions.away = away
    stage.revocations.away = away
  }

  test('goes on with whom it knows for a lease and the grace, then says 503, and recovers', async () => {
    const stage = createSessionStage()
    const { token } = await stage.open()
    const unknown = await stage.open()
    expect(await playFor(stage, 60, [stage.protect], token)).toBe(0)
    const beganMs = stage.clock.now()
    cut(stage, true)
    await expect(stage.protect.plays(unknown.token)).rejects.toMatchObject({ code: 'unavailable' })
    let lastMs = 0
    for (let seconds = 0; seconds < 90; seconds++) {
      const granted = await stage.protect.plays(token).catch((error) => {
        expect(error).toMatchObject({ code: 'unavailable' })
        return false
      })
      if (granted) lastMs = stage.clock.now() - beganMs
      await stage.clock.pass(1000)
    }
    console.log(`cut off, it went on for ${lastMs / 1000} s`)
    expect(lastMs).toBeGreaterThan(leaseMs)
    expect(lastMs).toBeLessThan(leaseMs + 30_000)
    cut(stage, false)
    await stage.clock.pass(2000)
    expect(await stage.protect.plays(token)).toBe(true)
    expect(await stage.protect.plays(unknown.token)).toBe(true)
  })

  test('forgets of nobody whom it served meanwhile that they were there: 60 s of idleness begin where it stopped', async () => {
    for (const [awaySeconds, isOver] of [
      [90, false],
      [180, true],
    ] as const) {
      const stage = createSessionStage()
      const elsewhere = stage.node()
      const { token } = await stage.open({ ttlSeconds: 60 })
      expect(await playFor(stage, 60, [stage.protect], token)).toBe(0)
      cut(stage, true)
      let servedSeconds = 0
      for (let seconds = 0; seconds < awaySeconds; seconds++) {
        if (await stage.protect.plays(token).catch(() => false)) servedSeconds = seconds
        await stage.clock.pass(1000)
      }
      expect(servedSeconds).toBeGreaterThan(40)
      cut(stage, false)
      const plays = async () => [await stage.protect.plays(token), await elsewhere.plays(token)]
      if (!isOver) expect(await stage.protect.plays(token), 'at once, where it was served').toBe(true)
      await stage.clock.pass(2000)
      expect(await plays(), `after ${awaySeconds} s`).toEqual([!isOver, !isOver])
    }
  })

  test('tells the others as soon as it can, though nobody asks it any more', async () => {
    const stage = createSessionStage()
    const elsewhere = stage.node()
    const { token } = await stage.open({ ttlSeconds: 120 })
    expect(await playFor(stage, 60, [stage.protect], token)).toBe(0)
    cut(stage, true)
    for (let seconds = 0; seconds < 40; seconds++) {
      expect(await stage.protect.plays(token)).toBe(true)
      await stage.clock.pass(1000)
    }
    const pass = async (seconds: number) => {
      for (let second = 0; second < seconds; second++) await stage.clock.pass(1000, 3)
    }
    await pass(50)
    cut(stage, false)
    // By what the store has heard so far it was seen last before it was away, and is idle by the end of this.
    await pass(leaseMs / 1000 + 2)
    expect(await elsewhere.plays(token)).toBe(true)
  })

  test('believes a longer grace if it is told to, and none if there is none', async () => {
    for (const [cutOffMs, least, most] of [
      [0, 10, 30],
      [120_000, 130, 150],
    ] as const) {
      const stage = createSessionStage()
      const node = stage.node({ cutOffMs })
      const { token } = await stage.open({ ttlSeconds: 600 })
      expect(await playFor(stage, 60, [node], token)).toBe(0)
      cut(stage, true)
      let seconds = 0
      while (await node.plays(token).catch(() => false)) {
        await stage.clock.pass(1000)
        seconds++
      }
      expect(seconds, `${cutOffMs} ms`).toBeGreaterThan(least)
      expect(seconds, `${cutOffMs} ms`).toBeLessThanOrEqual(most)
    }
  })

  test('loses the place to who took it meanwhile, as soon as it hears of it', async () => {
    const stage = createSessionStage()
    const { token } = await stage.open()
    const elsewhere = stage.node()
    expect(await playFor(stage, 60, [stage.protect], token)).toBe(0)
    stage.sessions.away = true
    await stage.clock.pass(leaseMs)
    expect(await stage.protect.plays(token)).toBe(true)
    stage.sessions.away = false
    const seconds = await secondsUntil(stage, () => elsewhere.plays(token, { client: copycat }))
    expect(seconds * 1000).toBeLessThanOrEqual(leaseMs)
    await stage.clock.pass(leaseMs / 2)
    expect(await stage.protect.plays(token)).toBe(false)
  })
})

test('the list of live sessions shows who plays, by short names alone, and of its own tenant', async () => {
  const stage = createSessionStage()
  const { token, sessionId } = await stage.open({ viewer: 'anna' })
  const theirs = await stage.open({ tenantId: 'ten_00000000000000000002' })
  expect(await stage.protect.liveSessions(tenantId, { limit: 10 })).toEqual([])
  expect(await stage.protect.plays(token)).toBe(true)
  expect(await stage.protect.plays(theirs.token)).toBe(true)
  const [live, ...more] = await stage.protect.liveSessions(tenantId, { limit: 10 })
  expect(more).toEqual([])
  expect(live).toMatchObject({
    sessionId,
    viewer: sessionId.slice(0, 8),
    openedAt: '2030-01-01T00:00:00.000Z',
  })
  expect(await stage.protect.liveSessions(tenantId, { viewer: 'anna', limit: 10 })).toEqual([live])
  expect(await stage.protect.liveSessions(tenantId, { viewer: 'ben', limit: 10 })).toEqual([])
  await stage.protect.revokeSession(tenantId, sessionId)
  expect(await stage.protect.liveSessions(tenantId, { limit: 10 })).toEqual([])
})
