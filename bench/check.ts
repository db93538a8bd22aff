// What it costs to know a viewer: a token that this node has not seen, one that it knows, and a JWT verified each time.
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { createSessionStage } from '../tests/protect/session-stage.ts'
import { median } from './median.ts'
import type { BenchRow } from './row.ts'

const rounds = 7
const tokens = 400
const repeats = 20

const client = { network: '203.0.113.0/24', address: '203.0.113.9', userAgent: 'a player' }

async function microseconds(times: number, work: () => Promise<number>): Promise<number> {
  const startMs = performance.now()
  const done = await work()
  if (done !== times) throw new Error(`${times - done} of ${times} were refused.`)
  return ((performance.now() - startMs) * 1000) / times
}

/** Stores answer at once here: what is left is our own work. */
async function round() {
  const stage = createSessionStage()
  const opened: string[] = []
  for (let n = 0; n < tokens; n++) opened.push((await stage.open({ viewer: `viewer ${n}` })).token)
  const checkAll = async () => {
    let granted = 0
    for (const token of opened)
      if (await stage.protect.authorise({ token, client, purpose: 'media' })) granted++
    return granted
  }
  const fresh = await microseconds(tokens, checkAll)
  const known = await microseconds(tokens * repeats, async () => {
    let granted = 0
    for (let n = 0; n < repeats; n++) granted += await checkAll()
    return granted
  })
  return { fresh, known }
}

const pair = generateKeyPairSync('ed25519')
const claims = Buffer.from(JSON.stringify({ iss: 'a tenant', sub: 'a viewer', exp: 1_900_000_000 }))
const signature = sign(null, claims, pair.privateKey)
const jwt = () =>
  microseconds(tokens, async () => {
    let good = 0
    for (let n = 0; n < tokens; n++) if (verify(null, claims, pair.publicKey, signature)) good++
    return good
  })

export async function benchCheck(): Promise<BenchRow[]> {
  const fresh: number[] = []
  const known: number[] = []
  const peer: number[] = []
  for (let n = 0; n < rounds; n++) {
    const ours = await round()
    fresh.push(ours.fresh)
    known.push(ours.known)
    peer.push(await jwt())
  }
  const knownMicroseconds = median(known)
  if (knownMicroseconds > 20) throw new Error(`A known token costs ${knownMicroseconds.toFixed(1)} µs.`)
  return [
    {
      ...{ name: 'token check: new', value: Math.round(median(fresh)), unit: 'µs' },
      note: 'floor 350, goal 200; signature, session, policy and lease, stores in memory',
    },
    {
      ...{ name: 'token check: known', value: Number(knownMicroseconds.toFixed(2)), unit: 'µs' },
      note: 'floor 20, goal 5',
    },
    {
      ...{ name: 'Ed25519 JWT, verified each time', value: Math.round(median(peer)), unit: 'µs' },
      note: `node:crypto of Node ${process.versions.node}, OpenSSL ${process.versions.openssl}; the signature alone`,
    },
  ]
}
