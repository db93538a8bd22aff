// An edge of the fleet as a process of its own beside a Functions host: byte for byte the same answers, for as long as it is ready.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { woken } from '../../shared/fleet/machine.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { mediaPlaylist, mediaPlaylists } from '../support/hls.ts'
import type { Playback } from '../support/tenant.ts'
import { askOnce, askRaw, comparable } from '../support/viewer.ts'
import { endAllWorkers, startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts'
import { type FleetOnCosmos, startFleet } from './stores.ts'

const node = 'edge-z1-1'
const pools = {
  currency: 'EUR',
  pools: [
    {
      ...{ name: 'edge', groups: [{ name: 'z1', count: 2, pricePerHour: 0.2 }] },
      ...{ budgetPerHour: 1, budgetPerMonth: 100 },
    },
  ],
}
const settings = {
  FLEET_POOLS: JSON.stringify(pools),
  FLEET_SUBSCRIPTION: '0',
  FLEET_GROUP: 'g',
  NODE_BEAT_SECONDS: '0.2',
  NODE_DEAD_SECONDS: '4',
}

let cluster: Cluster
let fleet: FleetOnCosmos
let edge: WorkerProcess
let edgeUrl: string
let api: string
let playback: Playback
/** Between the edge and Cosmos. */
let proxy: FaultProxy
let fault: Fault | undefined

const wake = () =>
  fleet.set(node, (current) => woken({ ...current, state: 'stopped' }, 'demand', fleet.store.now()))
const health = async () => {
  const { status, body } = await askOnce(edgeUrl, '/api/healthz')
  return { status, body: JSON.parse(body) as Record<string, unknown> }
}
const statusOf = async () => (await health()).status
const pause = () => new Promise((resolve) => setTimeout(resolve, 100))

beforeAll(async () => {
  cluster = await startCluster(1, settings)
  fleet = await startFleet(cluster.cosmos)
  proxy = await startFaultProxy(cluster.cosmos.endpoint, () => fault)
  api = cluster.nodes[0]?.url ?? ''
  playback = await cluster.tenant.playback(cluster.assetId)
  edge = await startWorkerProcess({
    ...{ ...cluster.settings, COSMOS_ENDPOINT: proxy.origin },
    ...{ NODE_ID: node, FLEET_URL: api, EDGE_QUIET_SECONDS: '1' },
  })
  await edge.until(({ event }) => event === 'fleet.worker-started')
}, 150_000)
afterAll(async () => {
  await endAllWorkers()
  await proxy?.stop()
  await cluster?.stop()
})

/** Where it listens: nobody knows before it has made itself known. */
const portOf = async () => (await fleet.find(node))?.boot?.address

test('it makes itself known once its node is woken, with where it serves', async () => {
  expect(await portOf()).toBeUndefined()
  await wake()
  const { boot } = await fleet.until(node, ({ state }) => state === 'ready')
  expect(boot?.address).toMatch(/^127\.0\.0\.1:\d+$/)
  edgeUrl = `http://${boot?.address}`
  await expect.poll(health).toEqual({ status: 200, body: { status: 'ok', version: boot?.version } })
})

/** As `fetch` says: all are one client, with one place in the count. */
const player = { 'user-agent': 'node' }
const path = (rest: string, token = playback.token) => `/api/v1/play/${token}/${rest}`
/** The same request to both, as players put it; the answers with all that does not change from one to the next. */
async function both(target: string, ask: Parameters<typeof askOnce>[2] = {}) {
  const own = { ...ask, headers: { ...player, ...ask.headers } }
  const answers = await Promise.all([api, edgeUrl].map((origin) => askRaw(origin, target, own)))
  return answers.map((answer) => {
    const { 'keep-alive': _, ...headers } = answer.headers
    return comparable({ ...answer, headers })
  })
}

describe('while it is ready', () => {
  test('a whole title, byte by byte', async () => {
    const master = `${edgeUrl}${path('master.m3u8')}`
    let bytes = 0
    const seen = new Set<string>()
    const same = async (url: string) => {
      const { pathname } = new URL(url)
      if (seen.has(pathname)) return
      seen.add(pathname)
      const [host, worker] = await both(pathname)
      expect(worker).toEqual(host)
      expect(worker?.status).toBe(200)
      bytes += worker?.body.length ?? 0
    }
    await same(master)
    for (const url of await mediaPlaylists(master)) {
      await same(url)
      const { init, keyUrl, segments } = await mediaPlaylist(url)
      // URLs are relative: who began at the edge stays there.
      for (const one of [init, keyUrl, ...segments]) {
        expect(one.startsWith(edgeUrl)).toBe(true)
        await same(one)
      }
    }
    expect(seen.size).toBeGreaterThan(6)
    expect(bytes).toBeGreaterThan(1000)
  })

  const origin = 'https://www.example.com'
  test.each([
    ['HEAD', 'v720/1.0/0.m4s', { method: 'HEAD' }],
    ['a range', 'v720/1.0/0.m4s', { headers: { range: 'bytes=1-5' } }],
    ['one beyond', 'v720/1.0/0.m4s', { headers: { range: 'bytes=99999999-' } }],
    ['a range twice', 'v720/1.0/0.m4s', { headers: { range: 'bytes=0-1,4-5' } }],
    ['gzip', 'v720.m3u8', { headers: { 'accept-encoding': 'gzip' } }],
    ['a condition', 'v720.m3u8', { headers: { 'if-none-match': '*' } }],
    ['one that fails', 'v720/1.0/0.m4s', { headers: { 'if-match': '"x"' } }],
    ['another site', 'v720.m3u8', { headers: { origin } }],
    ['a preflight', 'v720.m3u8', { method: 'OPTIONS', headers: { origin } }],
    ['nothing of it', 'v721.m3u8', {}],
    ['no path', '', {}],
    ['a way round', 'v720/../x/../master.m3u8', {}],
    ['its own spelling', '%6daster.m3u8', {}],
  ])('%s', async (_, rest, ask) => {
    const [host, worker] = await both(path(rest), ask)
    expect(worker).toEqual(host)
  })

  test('the same refusal where a host may be fed headers by a query or a body, though nobody here is', async () => {
    const refused = async (query: string, ask: Parameters<typeof both>[1] = {}) => {
      const [host, worker] = await both(path(`master.m3u8${query}`), ask)
      expect(worker).toEqual(host)
      return worker?.status === 403
    }
    for (const query of ['', '?', '?header=x', '?x=headers', '?a#headers'])
      expect([query, await refused(query)]).toEqual([query, false])
    const names = [
      '?headers',
      '?a=b&HEADERS=x',
      '?%68eaders=',
      '?a?b&headers=x',
      '?a=b#&headers=x',
      '?headers#x',
    ]
    for (const query of names) expect([query, await refused(query)]).toEqual([query, true])
    const headers = { 'content-type': 'application/json' }
    expect(await refused('', { headers: { ...headers, 'content-length': '0' } })).toBe(false)
    for (const method of ['GET', 'HEAD', 'OPTIONS'])
      for (const more of [{ 'content-length': '2' }, { 'transfer-encoding': 'chunked' }])
        expect(await refused('', { method, headers: { ...headers, ...more }, body: '{}' })).toBe(true)
  })

  test('the same refusal for everything that is wrong', async () => {
    const { token } = playback
    const [known] = await both(path('master.m3u8'))
    expect(known?.status).toBe(200)
    const changed = token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
    const wrong = [
      'x',
      changed,
      `${token}.`,
      token.toUpperCase(),
      'a.b.c',
      '%00x',
      'é'.repeat(3),
      'x'.repeat(8000),
    ]
    const refusals = new Set<string>()
    for (const one of wrong)
      for (const method of ['GET', 'HEAD', 'OPTIONS'])
        for (const headers of [{}, { origin }, { range: 'bytes=0-1' }]) {
          const [host, worker] = await both(path('master.m3u8', encodeURI(one).replaceAll('%25', '%')), {
            ...{ method, headers },
          })
          if (one === '%00x') expect([host?.status, worker?.status]).toEqual([400, 400])
          else {
            expect(worker).toEqual(host)
            expect(worker?.status).toBe(403)
            if (method === 'GET') refusals.add(worker?.body ?? '')
          }
        }
    expect(refusals.size).toBe(1)
    expect([...refusals][0]).toContain('playback-refused')
  })

  test('a grant opens a session here, and whoever follows it stays here', async () => {
    const { json } = await cluster.tenant.call('POST', `/api/v1/assets/${cluster.assetId}/grants`, {})
    const { pathname } = new URL((json as { hlsUrl: string }).hlsUrl)
    const { status, headers } = await askRaw(edgeUrl, pathname, { headers: player })
    expect(status).toBe(302)
    expect(headers.location?.startsWith(`${edgeUrl}/api/v1/play/`)).toBe(true)
    const opened = await askRaw(edgeUrl, new URL(headers.location ?? '').pathname, { headers: player })
    expect([opened.status, opened.body.startsWith('#EXTM3U')]).toEqual([200, true])
    // Asked of the app, the same grant is the same session.
    const there = await askRaw(api, pathname, { headers: player })
    expect(there.headers.location?.startsWith(`${api}/api/v1/play/`)).toBe(true)
    const sessionOf = (location = '') => location.split('/play/')[1]?.split('.')[0]
    expect(sessionOf(there.headers.location)).toBe(sessionOf(headers.location))
  })

  test('who asks is who is connected, whatever they write themselves', async () => {
    const here = await cluster.tenant.playback(cluster.assetId, { policy: { networks: ['127.0.0.0/8'] } })
    const there = await cluster.tenant.playback(cluster.assetId, { policy: { networks: ['203.0.113.0/24'] } })
    for (const forged of ['203.0.113.9', '203.0.113.9, 203.0.113.9']) {
      const ask = { headers: { 'x-forwarded-for': forged } }
      const open = await both(path('master.m3u8', here.token), ask)
      expect(open.map((answer) => answer.status)).toEqual([200, 200])
      const shut = await both(path('master.m3u8', there.token), ask)
      expect(shut.map((answer) => answer.status)).toEqual([403, 403])
    }
  })

  test('anything else is not there, and says so', async () => {
    for (const [target, method] of [
      ['/', 'GET'],
      ['/api/v1/assets', 'GET'],
      ['/api/v1/plays/x/y', 'GET'],
      [path('master.m3u8'), 'POST'],
      ['/api/healthz', 'DELETE'],
      ['/admin/host/status', 'GET'],
    ] as const) {
      const { status, headers, body } = await askOnce(edgeUrl, target, { method })
      expect([status, headers['content-type']], target).toEqual([404, 'application/problem+json'])
      expect(JSON.parse(body)).toMatchObject({ code: 'not-found' })
    }
    const two = { headers: { host: 'a.test/x' } }
    expect((await askOnce(edgeUrl, path('master.m3u8'), two)).status).toBe(400)
  })

  test('what it serves it beats; what the Functions app serves lies in its gauge', async () => {
    const tokens = [playback.token, (await cluster.tenant.playback(cluster.assetId)).token]
    for (let isTold = false; !isTold; await pause()) {
      for (const token of tokens) expect((await both(path('master.m3u8', token)))[1]?.status).toBe(200)
      const { holds, load } = (await fleet.find(node))?.beat ?? {}
      expect(holds).toEqual([])
      isTold = (load?.sessions ?? 0) >= 2 && (load?.bytesPerSecond ?? 0) > 0
    }
    const gauges = async () => (await fleet.store.gauges()).map(({ sessions }) => sessions >= 1)
    await expect.poll(gauges).toEqual([true])
  })

  test('no path and no token in what it says', () => {
    expect(edge.said()).toContain('fleet.registered')
    expect(edge.said()).not.toContain(playback.token)
    expect(edge.said()).not.toContain('/play/')
    expect(edge.said()).not.toContain('m3u8')
  })
})

describe('when it is not', () => {
  const served = async () => (await askOnce(edgeUrl, path('master.m3u8'), { headers: player })).status
  /** Not a moment: whoever stands still for three seconds, as on a busy machine, is not ready for another. */
  const isReady = () => expect.poll(statusOf).toBe(200)

  test('stopped for too long it is not ready when it goes on, until it is heard', async () => {
    const times = () =>
      edge.lines().filter(({ event, wish }) => event === 'fleet.obeys' && wish === 'leave').length
    await isReady()
    const before = times()
    edge.signal('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, 4000))
    const first = statusOf()
    edge.signal('SIGCONT')
    // Its first beat may be answered before the request is.
    expect([200, 503]).toContain(await first)
    await expect.poll(times).toBeGreaterThan(before)
    await isReady()
  })

  test.each(['reset', 'hang'] as const)(
    'cut off from the platform (%s) it sends new viewers elsewhere, and serves those whom it knows',
    async (how) => {
      await isReady()
      expect(await served()).toBe(200)
      fault = how
      await expect.poll(statusOf).toBe(503)
      expect(await served()).toBe(200)
      const stranger = await cluster.tenant.playback(cluster.assetId)
      const refused = await askOnce(edgeUrl, path('master.m3u8', stranger.token), { headers: player })
      expect([403, 503]).toContain(refused.status)
      fault = undefined
      await isReady()
      expect(await served()).toBe(200)
    },
  )

  test('draining it takes no new viewers, serves those it has, and says when there are none', async () => {
    await isReady()
    await fleet.set(node, { state: 'draining' })
    await fleet.until(node, (one) => one.beat?.drains === true)
    expect(await statusOf()).toBe(503)
    const { headers } = await askOnce(edgeUrl, path('master.m3u8'), { headers: player })
    expect(headers['connection']).toBe('close')
    // Whoever goes on watching keeps it for longer than its second of patience.
    const until = Date.now() + 1500
    for (let isKept = false; !isKept; await pause()) {
      expect(await served()).toBe(200)
      const beat = (await fleet.find(node))?.beat
      isKept = (beat?.atMs ?? 0) > until && beat?.holds[0] === 'audience'
    }
    // Who asks for its health does not, nor does who is refused.
    for (let isHeld = true; isHeld; await pause()) {
      expect(await statusOf()).toBe(503)
      expect((await askOnce(edgeUrl, path('master.m3u8', 'x'))).status).toBe(403)
      isHeld = (await fleet.find(node))?.beat?.holds.length !== 0
    }
  })

  test('told to leave it serves nobody, and says so; woken again it does', async () => {
    await fleet.set(node, { state: 'stopping' })
    await expect.poll(served).toBe(503)
    const { headers, body } = await askOnce(edgeUrl, path('master.m3u8'))
    expect([headers['retry-after'], headers['access-control-allow-origin']]).toEqual(['5', '*'])
    expect(JSON.parse(body)).toMatchObject({ code: 'unavailable' })
    expect(await statusOf()).toBe(503)
    await wake()
    await isReady()
    expect(await served()).toBe(200)
  })

  test('SIGTERM: it ends when nobody asks any more, and gracefully', async () => {
    await isReady()
    expect(await served()).toBe(200)
    const beganMs = Date.now()
    edge.signal('SIGTERM')
    // Once it has ended nobody answers.
    const found = () => statusOf().catch(() => 'nobody')
    await expect.poll(found).not.toBe(200)
    for (let status: number | string = 503; status !== 'nobody'; await pause()) {
      status = await found()
      expect([503, 'nobody']).toContain(status)
    }
    expect(await edge.ended).toBe(0)
    // A viewer who was there a moment ago may come for the next segment.
    expect(Date.now() - beganMs).toBeGreaterThanOrEqual(1000)
  })
})

test('a name that is no node of ours is refused with a sentence', async () => {
  const worker = await startWorkerProcess({ ...cluster.settings, NODE_ID: 'sfu-z1-1', FLEET_URL: api })
  expect(await worker.ended).toBe(1)
  expect(worker.said()).toMatch(/NODE_ID/)
  expect(worker.said()).toMatch(/encoder-<group>-<n> or edge-<group>-<n>/)
  expect(worker.said()).not.toMatch(/^\s+at /m)
})
