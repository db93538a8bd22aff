// Three real processes on one Cosmos: exactly as many streams as allowed, revocations in seconds, and a partition that ends.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { patiently } from '../support/patience.ts'
import { makeSigner, signGrant } from './signers.ts'

const leaseSeconds = 4
const cutOffSeconds = 4
let cluster: Cluster

beforeAll(async () => {
  cluster = await startCluster(3, {
    LEASE_SECONDS: String(leaseSeconds),
    CUT_OFF_SECONDS: String(cutOffSeconds),
  })
}, 180_000)
afterAll(() => cluster?.stop())

const open = (ask: Record<string, unknown> = {}) => cluster.tenant.playback(cluster.assetId, ask)

/** What one of the nodes says to a client of that name who asks for a segment. */
async function ask(node: number, token: string, userAgent = 'a player'): Promise<number> {
  const url = `${cluster.nodes[node]?.url}/api/v1/play/${token}/v360/1.0/1.m4s`
  const reply = await fetch(url, { headers: { 'user-agent': userAgent } })
  await reply.arrayBuffer()
  return reply.status
}

/** The same of a player, who comes back when told to. */
const segment = async (...of: Parameters<typeof ask>): Promise<number> =>
  (await patiently(async () => ({ status: await ask(...of) }))).status
const onEach = (token: string, userAgent?: string) =>
  Promise.all(cluster.nodes.map((_, node) => segment(node, token, userAgent)))

/** When each who got a place asked for it first, and when it was told so. */
type Win = { readonly askedMs: number; readonly wonMs: number }

async function race(all: ReadonlyArray<{ token: string; client?: string }>): Promise<Win[]> {
  const wins: Win[] = []
  const one = async ({ token, client }: { token: string; client?: string }, n: number) => {
    const askedMs = performance.now()
    const status = await segment(n % 3, token, client)
    expect([200, 403]).toContain(status)
    if (status === 200) wins.push({ askedMs, wonMs: performance.now() })
  }
  await Promise.all(all.map(one))
  return wins
}

/** Whoever won and is silent keeps its place for a lease, less what clocks differ by: so long it is nobody else's. */
const mostAtOnce = (wins: readonly Win[]): number => {
  const heldMs = (leaseSeconds - 1.5) * 1000
  return Math.max(
    ...wins.map(
      ({ askedMs }) => wins.filter((one) => one.askedMs >= askedMs && one.wonMs < askedMs + heldMs).length,
    ),
  )
}

test('a race of 100 clients at three processes for k places is won by exactly k', async () => {
  for (const k of [1, 3, 7]) {
    const { token } = await open({ policy: { maxClients: k } })
    const wins = await race(Array.from({ length: 100 }, (_, n) => ({ token, client: `client ${n} of ${k}` })))
    expect(wins.length).toBeGreaterThanOrEqual(k)
    expect(mostAtOnce(wins)).toBeLessThanOrEqual(k)
  }
})

test('a race of 100 sessions of one viewer for k streams is won by exactly k', async () => {
  const k = 4
  const all: Array<{ token: string }> = []
  while (all.length < 100)
    all.push(
      ...(await Promise.all(
        Array.from({ length: 20 }, () => open({ viewer: 'anna', policy: { maxStreams: k } })),
      )),
    )
  const wins = await race(all)
  expect(wins.length).toBeGreaterThanOrEqual(k)
  expect(mostAtOnce(wins)).toBeLessThanOrEqual(k)
})

describe('what is revoked is over on every process within 5 s', () => {
  const revoke = (body: object) => cluster.tenant.call('POST', '/api/v1/revocations', body)

  /** A node to which the store says nothing believes what it knows for no longer than this, its last verdict included. */
  const believedMs = (leaseSeconds + cutOffSeconds + 1) * 1000

  /**
   * Each node is asked all the time, as a player does, until it has refused for two seconds. What the machine takes for one
   * round beyond half a second counts as time in which it was held up.
   */
  async function expectOver(what: string, token: string): Promise<void> {
    const beganMs = performance.now()
    const lasts = await Promise.all(
      cluster.nodes.map(async (_, node) => {
        let last = { ms: 0, heldUpMs: 0 }
        let [heldUpMs, beforeMs] = [0, beganMs]
        while (performance.now() - beganMs < last.ms + 2000) {
          const askedMs = performance.now()
          heldUpMs += Math.max(0, askedMs - beforeMs - 500)
          beforeMs = askedMs
          if ((await ask(node, token)) === 200) last = { ms: askedMs - beganMs, heldUpMs }
          await sleep(50)
        }
        return last
      }),
    )
    console.log(`${what}: last granted after ${lasts.map(({ ms }) => ms.toFixed(0)).join(', ')} ms`)
    for (const { ms, heldUpMs } of lasts) {
      expect(ms - heldUpMs).toBeLessThan(5000)
      expect(ms).toBeLessThan(believedMs)
    }
  }

  test.concurrent.each([
    ['a session', {}, ({ sessionId }: { sessionId: string }) => revoke({ sessionId })],
    [
      'a session, by DELETE',
      {},
      ({ sessionId }: { sessionId: string }) =>
        cluster.tenant.call('DELETE', `/api/v1/sessions/${sessionId}`),
    ],
    ['a viewer', { viewer: 'ben' }, () => revoke({ viewer: 'ben' })],
  ])('%s', async (what, order, end) => {
    const opened = await open(order)
    expect(await onEach(opened.token)).toEqual([200, 200, 200])
    expect((await end(opened)).status).toBe(204)
    await expectOver(what, opened.token)
    expect(await onEach(opened.token)).toEqual([403, 403, 403])
  })

  // Beside the others, so that each node knows the tenant already, as it was before it had this key.
  test.concurrent('a signing key, and what its grants opened', async () => {
    const signer = makeSigner('EdDSA')
    const { publicKey } = signer
    const { json: key } = await cluster.tenant.call('POST', '/api/v1/signing-keys', {
      name: 'site',
      publicKey,
    })
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: cluster.tenantId, aud: 'movidone', jti: 'one', iat: now, exp: now + 600 }
    const grant = signGrant({ alg: 'EdDSA', kid: key.id }, { ...claims, asset: cluster.assetId }, signer)
    const manifest = `/api/v1/play/${grant}/master.m3u8`
    const follow = (node: number) =>
      patiently(() =>
        fetch(`${cluster.nodes[node]?.url}${manifest}`, {
          headers: { 'user-agent': 'a player' },
          redirect: 'manual',
        }),
      )
    const opened = await Promise.all([0, 1, 2].map(follow))
    expect(opened.map(({ status }) => status)).toEqual([302, 302, 302])
    const token = opened[2]?.headers.get('location')?.split('/').at(-2) ?? ''
    expect(await onEach(token)).toEqual([200, 200, 200])
    expect((await revoke({ signingKeyId: key.id })).status).toBe(204)
    await expectOver('a signing key', token)
    expect((await Promise.all([0, 1, 2].map(follow))).map(({ status }) => status)).toEqual([403, 403, 403])
  })

  test('a title', async () => {
    const opened = await open()
    expect(await onEach(opened.token)).toEqual([200, 200, 200])
    expect((await revoke({ assetId: cluster.assetId })).status).toBe(204)
    await expectOver('a title', opened.token)
    const again = await open()
    expect(await onEach(again.token)).toEqual([200, 200, 200])
  })
})

afterEach(() => cluster.nodes[0]?.cut(false))

test('a process that is cut off from Cosmos goes on with whom it knows for a lease and the grace, then says 503, and recovers', async () => {
  const { token } = await open()
  const unknown = await open()
  const [cutOff] = cluster.nodes
  const provenMs = performance.now()
  expect(await segment(0, token)).toBe(200)
  cutOff?.cut(true)
  const cutMs = performance.now()
  const seen: Array<{ status: number; askedMs: number; answeredMs: number }> = []
  const aroundMs = (leaseSeconds + cutOffSeconds) * 1000
  while (performance.now() - cutMs < aroundMs + 2000) {
    const askedMs = performance.now()
    seen.push({ status: await ask(0, token), askedMs, answeredMs: performance.now() })
    await sleep(200)
  }
  expect(await ask(0, unknown.token)).toBe(503)
  const served = seen.filter(({ status }) => status === 200)
  const waits = served.map(({ askedMs, answeredMs }) => answeredMs - askedMs)
  console.log(
    `who plays waited for at most ${(Math.max(0, ...waits) / 1000).toFixed(1)} s`,
    waits.map(Math.round).join(),
  )
  console.log(`cut off, it went on for ${(((served.at(-1)?.askedMs ?? cutMs) - cutMs) / 1000).toFixed(1)} s`)
  // What it had heard of revocations by then was some seconds old.
  const known = seen.filter(({ answeredMs }) => answeredMs < provenMs + leaseSeconds * 1000)
  expect(known.filter(({ status }) => status !== 200)).toEqual([])
  const late = seen.filter(({ askedMs }) => askedMs > cutMs + aroundMs + 1000)
  expect(late.filter(({ status }) => status !== 503)).toEqual([])
  expect(seen.slice(served.length).map(({ status }) => status)).not.toContain(200)
  expect(await segment(1, token), 'the others play').toBe(200)
  cutOff?.cut(false)
  const recoveredMs = performance.now()
  await expect.poll(() => ask(0, token), { interval: 200 }).toBe(200)
  console.log(`and came back after ${((performance.now() - recoveredMs) / 1000).toFixed(1)} s`)
})

test('sessions are listed while they play, and their keys say nothing of who plays', async () => {
  const { token, sessionId } = await open({ viewer: 'clara@example.com' })
  expect(await segment(1, token)).toBe(200)
  const { json } = await cluster.tenant.call('GET', '/api/v1/sessions?viewer=clara%40example.com')
  expect(json.items).toMatchObject([{ sessionId, assetId: cluster.assetId }])
  expect(JSON.stringify(json)).not.toMatch(/clara|127\.0\.0|a player/)
  expect((await cluster.tenant.call('GET', '/api/v1/sessions')).json.items).toContainEqual(json.items[0])
})

test('a revocation names one thing, of this tenant', async () => {
  const revoke = (body: object) => cluster.tenant.call('POST', '/api/v1/revocations', body)
  const { sessionId } = await open()
  expect((await revoke({ sessionId })).status).toBe(204)
  for (const [body, status] of [
    [{}, 400],
    [{ sessionId, viewer: 'anna' }, 400],
    [{ session: sessionId }, 400],
    [{ sessionId: `${'0'.repeat(16)}-${'0'.repeat(20)}` }, 404],
    [{ assetId: 'ast_00000000000000000009' }, 404],
    [{ signingKeyId: 'sig_00000000000000000009' }, 404],
  ] as const)
    expect([body, (await revoke(body)).status]).toEqual([body, status])
})
