// Whether what the templates grant to machines is enough and no more: real workers behind proxies that allow exactly that.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PoolView } from '../../shared/fleet/schema.ts'
import { makeSigner, signGrant } from '../protect/signers.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { drawFilm } from '../support/film.ts'
import { fleetOf } from '../support/fleet.ts'
import { mediaPlaylist, mediaPlaylists } from '../support/hls.ts'
import {
  endAllPlatforms,
  type PlatformProcess,
  startPlatform,
  stateFolder,
} from '../support/platform-process.ts'
import { readSnapshot } from '../support/snapshot.ts'
import { asTenant } from '../support/tenant.ts'

type Role = 'encoder' | 'edge'
type Right = `${'reads' | 'writes'} ${'blobs' | 'documents'} ${string}`

const roles = ['encoder', 'edge'] as const
const vmOf = (role: Role) => `${role}-local-1`
const group = { name: 'local', count: 1, pricePerHour: 0.1 }
const pool = { groups: [group], coolSeconds: 3600, budgetPerHour: 10, budgetPerMonth: 1000 }

let platform: PlatformProcess
const proxies: FaultProxy[] = []
const workers: ChildProcess[] = []
const used: Record<Role, Set<string>> = { encoder: new Set(), edge: new Set() }
const refused: string[] = []

/** Of the snapshot's table: whoever may write may read too. */
function granted(role: Role): Set<string> {
  const rows = readSnapshot('prod').grants()
  return new Set(
    rows.flatMap((row): Right[] => {
      const [, may, store, name] =
        /(Reader|Contributor) \| .*\/(stmedia|colls)\/(\w+)$/.exec(row.startsWith(`${role} |`) ? row : '') ??
        []
      if (!may) return []
      const what = `${store === 'colls' ? 'documents' : 'blobs'} ${name}` as const
      return may === 'Contributor' ? [`reads ${what}`, `writes ${what}`] : [`reads ${what}`]
    }),
  )
}

/** Undefined for what every right on anything brings along: the account, the database, the list of containers. */
function documentsRight({ method, url = '', headers }: IncomingMessage): Right | undefined {
  const container = /^\/dbs\/[^/]+\/colls\/([^/]+)\/docs/.exec(url)?.[1]
  if (!container) return undefined
  const isQuery = headers['content-type']?.startsWith('application/query+json')
  return `${method === 'GET' || isQuery ? 'reads' : 'writes'} documents ${container}`
}
function blobsRight({ method, url = '' }: IncomingMessage): Right {
  const container = /^\/[^/]+\/([^/?]+)/.exec(url)?.[1] ?? ''
  return `${method === 'GET' || method === 'HEAD' ? 'reads' : 'writes'} blobs ${container}`
}

async function guard(
  role: Role,
  target: string,
  rightOf: (request: IncomingMessage) => Right | undefined,
): Promise<string> {
  const rights = granted(role)
  const proxy = await startFaultProxy(target, (request) => {
    const right = rightOf(request)
    if (!right) return undefined
    used[role].add(right)
    if (rights.has(right)) return undefined
    refused.push(`${role} ${right}: ${request.method} ${request.url}`)
    return { status: 403, body: '{"code":"Forbidden","message":"not granted"}' }
  })
  proxies.push(proxy)
  return proxy.origin
}

/** As its machine would start it, but for the proxies in between. */
async function startWorker(role: Role): Promise<void> {
  const text = await readFile(`/proc/${platform.pidOf('arm')}/environ`, 'utf8')
  const env = Object.fromEntries(
    text.split('\0').map((pair) => /^(\w+)=(.*)$/s.exec(pair)?.slice(1) ?? ['_', '']),
  )
  const blobs = new URL(env['BLOB_URL'] ?? '')
  const child = spawn(process.execPath, ['dist/worker.mjs'], {
    env: {
      ...env,
      NODE_ID: vmOf(role),
      COSMOS_ENDPOINT: await guard(role, env['COSMOS_ENDPOINT'] ?? '', documentsRight),
      BLOB_URL: `${await guard(role, blobs.origin, blobsRight)}${blobs.pathname}`,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  workers.push(child)
}

async function poolOf(role: Role, order?: object): Promise<PoolView> {
  const { apiUrl, adminKey } = platform.local()
  const reply = await fetch(`${apiUrl}/api/v1/fleet/pools/${role}${order ? '/wake' : ''}`, {
    method: order ? 'POST' : 'GET',
    headers: { 'x-movidone-admin': adminKey, 'content-type': 'application/json' },
    ...(order ? { body: JSON.stringify(order) } : {}),
  })
  expect(reply.ok).toBe(true)
  return (await reply.json()) as PoolView
}

beforeAll(async () => {
  platform = startPlatform(stateFolder(), {
    env: {
      FLEET_POOLS: JSON.stringify({ currency: 'EUR', pools: roles.map((name) => ({ name, ...pool })) }),
      ENCODE_EXECUTOR: 'fleet',
      NODE_DEAD_SECONDS: '300',
      MOVIDONE_BOOT_SECONDS: '0.2',
    },
  })
  await platform.healthy()
  for (const role of roles) {
    // Its machine may run, but the worker on it is ours.
    await fleetOf(platform).fault({ kind: 'no-boot', vm: vmOf(role), times: 100 })
    await poolOf(role, { nodes: 1, minutes: 60 })
    await startWorker(role)
    while ((await poolOf(role)).nodes[0]?.state !== 'ready') await sleep(100)
  }
})

afterAll(async () => {
  for (const worker of workers.filter((one) => one.exitCode === null && one.signalCode === null)) {
    worker.kill('SIGKILL')
    await once(worker, 'close')
  }
  await endAllPlatforms()
  for (const proxy of proxies) await proxy.stop()
})

test.runIf(process.platform === 'linux')(
  'machines can do their work with what they are granted, and need all of it',
  async () => {
    const { apiUrl, tenant: local } = platform.local()
    const tenant = asTenant(apiUrl, local.apiKey)
    const film = join(platform.stateDirectory, 'film.mp4')
    await drawFilm({ path: film, seconds: 12, size: '320x180' })
    const asset = await tenant.until(await tenant.upload(film), ({ state }) => /ready|failed/.test(state))
    expect(refused).toEqual([])
    expect(asset).toMatchObject({ state: 'ready' })

    // The platform's own secret is made by whoever opens the first session of all, and that is the app.
    await tenant.playback(asset.id)
    // A viewer with a grant of the tenant's own backend comes to the edge, and to it alone.
    const signer = makeSigner('EdDSA')
    const key = await tenant.expectStatus<{ id: string }>(
      201,
      tenant.call('POST', '/api/v1/signing-keys', { name: 'backend', publicKey: signer.publicKey }),
    )
    const iat = Math.floor(Date.now() / 1000)
    const claims = { iss: local.id, aud: 'movidone', jti: 'visit', iat, exp: iat + 600, asset: asset.id }
    const grant = signGrant({ alg: 'EdDSA', kid: key.id }, claims, signer)
    const edge = `http://${(await poolOf('edge')).nodes[0]?.address}`
    const opened = await fetch(`${edge}/api/v1/play/${grant}/master.m3u8`, { redirect: 'manual' })
    expect(refused).toEqual([])
    expect(opened.status).toBe(302)
    const master = opened.headers.get('location') ?? ''
    expect(master.startsWith(edge)).toBe(true)
    const list = await mediaPlaylist((await mediaPlaylists(master))[0] ?? '')
    for (const url of [list.keyUrl, ...list.segments]) expect((await fetch(url)).status, url).toBe(200)

    for (const role of roles) {
      // Whoever may write may read: that half need not be used.
      const needed = [...granted(role)].filter(
        (right) => !granted(role).has(right.replace('reads', 'writes')),
      )
      const writes = [...granted(role)].filter((right) => right.startsWith('writes'))
      const all = expect.arrayContaining([...needed, ...writes])
      await expect.poll(() => [...used[role]], { timeout: 60_000, message: role }).toEqual(all)
    }
    expect(refused).toEqual([])
  },
)
