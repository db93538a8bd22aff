// What watching for an hour asks of Cosmos: viewers in simulated time on the real database server, every request counted.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AssetDocument } from '../shared/assets/model.ts'
import { createCosmosStores } from '../shared/azure/cosmos.ts'
import { createKek } from '../shared/azure/vault.ts'
import { systemRandom } from '../shared/core/random.ts'
import { createProtect } from '../shared/protect/index.ts'
import { TenantDocument } from '../shared/tenants/model.ts'
import { startCosmos } from '../tests/support/cosmos.ts'
import type { BenchRow } from './row.ts'
import { createSimulatedClock } from './simulated-clock.ts'

const viewers = 12
const hours = 1
const segmentSeconds = 4
const leaseMs = 30_000

/**
 * Request units of small documents and the price of a million of them, serverless: both from Azure's public pages, and
 * both change. A write of a document of 1 KB that is indexed whole; a point read at strong consistency counts twice.
 */
const units = { write: 10, read: 2, query: 3 }
const dollarsPerMillion = 0.25

interface Counts {
  write: number
  read: number
  query: number
}

/** Hands everything on and counts it; takes the date away, since the time of this bench is not the server's. */
async function countingProxy(target: string) {
  const counts: Counts = { write: 0, read: 0, query: 0 }
  let underWay = 0
  const { hostname, port } = new URL(target)
  const server = createServer((incoming, outgoing) => {
    const { method, url = '', headers } = incoming
    if (headers['content-type'] === 'application/query+json') counts.query++
    else if (method === 'GET') counts.read += /\/docs\//.test(url) ? 1 : 0
    else if (/\/docs/.test(url)) counts.write++
    underWay++
    const onward = request({ hostname, port, method, path: url, headers }, (answer) => {
      const { date: _, ...rest } = answer.headers
      outgoing.sendDate = false
      outgoing.writeHead(answer.statusCode ?? 502, rest)
      answer.pipe(outgoing).once('finish', () => underWay--)
    })
    incoming.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    counts,
    isQuiet: () => underWay === 0,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

async function measure(): Promise<Counts & { refusals: number; requests: number }> {
  const cosmos = await startCosmos()
  const proxy = await countingProxy(cosmos.endpoint)
  const folder = await mkdtemp(join(tmpdir(), 'movidone-leases-'))
  try {
    // A signature of the database is good for minutes, so this time begins now.
    const startMs = Date.now()
    const clock = createSimulatedClock(startMs)
    const pace = { clock, random: systemRandom }
    const schemas = { asset: AssetDocument, tenant: TenantDocument }
    const stores = createCosmosStores({ ...cosmos, endpoint: proxy.endpoint }, { ...pace, schemas })
    const tenantId = 'ten_00000000000000000001'
    const protect = createProtect({
      ...stores,
      ...pace,
      kek: createKek({ kind: 'file', path: join(folder, 'kek.pem') }, pace),
      leaseMs,
      cutOffMs: leaseMs,
      tenant: async () => TenantDocument.parse(tenantDocument(tenantId)),
      countSession: async () => {},
    })
    const client = { network: '203.0.113.0/24', address: '203.0.113.9', userAgent: 'a player' }
    const asset = { id: 'ast_00000000000000000001' } as const
    const tokens: string[] = []
    for (let n = 0; n < viewers; n++) {
      const policy = { maxStreams: 1 }
      const ask = { tenantId, asset, viewer: `viewer ${n}`, ttlSeconds: 60, policy } as const
      tokens.push((await protect.openSession(ask)).token)
    }
    Object.assign(proxy.counts, { write: 0, read: 0, query: 0 })
    let refusals = 0
    let requests = 0
    const endMs = startMs + hours * 3_600_000
    for (let nowMs = startMs; nowMs < endMs; nowMs += 1000) {
      clock.advanceTo(nowMs)
      // Each viewer has a second of its own, in which it asks for a segment of video and one of audio.
      for (let n = 0; n < viewers; n++) {
        if (Math.floor((nowMs - startMs) / 1000 + n) % segmentSeconds !== 0) continue
        for (let part = 0; part < 2; part++) {
          requests++
          const granted = await protect.authorise({ token: tokens[n] ?? '', client, purpose: 'media' })
          if (!granted) refusals++
        }
      }
      do await turn()
      while (!proxy.isQuiet())
    }
    return { ...proxy.counts, refusals, requests }
  } finally {
    await proxy.stop()
    await cosmos.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const tenantDocument = (id: string) => ({
  ...{ id, type: 'tenant', schema: 1, name: 'Bench', keys: [], allowedOrigins: [], createdAt: '' },
})

export async function benchLeases(): Promise<BenchRow[]> {
  const { write, read, query, refusals, requests } = await measure()
  if (refusals > 0) throw new Error(`${refusals} of ${requests} requests of good viewers were refused.`)
  const each = (count: number): number => Number((count / viewers / hours).toFixed(1))
  const spent = write * units.write + read * units.read
  const dollars = (spent / viewers / hours / 1e6) * dollarsPerMillion
  const note = `${requests} segments asked for by ${viewers} viewers in ${hours} h on tokens of 60 s, none refused`
  return [
    { name: 'leases: writes', value: each(write), unit: '/viewer-hour', note },
    { name: 'leases: point reads', value: each(read), unit: '/viewer-hour' },
    { name: 'leases: polls for revocations', value: query / hours, unit: '/node-hour' },
    {
      name: 'leases: price',
      value: Number((dollars * 1000).toFixed(3)),
      unit: '$/1,000 viewer-hours',
      note: `${units.write} RU a write, ${units.read} RU a read, $${dollarsPerMillion} a million RU (serverless)`,
    },
  ]
}
