// Workers as services of their own whose nodes the tests move by hand: whatever befalls one, it has no effect that is not its to have.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { processTable } from '../../host/platform/process-table.ts'
import { systemRandom } from '../../shared/core/random.ts'
import { drainAsked, lost, released, woken } from '../../shared/fleet/machine.ts'
import type { Node } from '../../shared/fleet/ports.ts'
import { makeBoot } from '../../worker/boot.ts'
import { type FleetOnCosmos, startFleet } from '../fleet/stores.ts'
import { type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { drawFilm } from '../support/film.ts'
import {
  endAllPlatforms,
  type PlatformProcess,
  startPlatform,
  stateFolder,
} from '../support/platform-process.ts'
import { type Portrait, portrait } from '../support/portrait.ts'
import { seeded } from '../support/seeded.ts'
import { slowFfmpeg } from '../support/slow-ffmpeg.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'
import { endAllWorkers, startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const deadSeconds = 4
const [one, two] = ['encoder-test-1', 'encoder-test-2']

let folder: string
let film: Uint8Array
let platform: PlatformProcess
let tenant: Tenant
let fleet: FleetOnCosmos
let blobs: BlobServiceClient
/** Between the workers and Cosmos; `cut` are those whose requests come to nothing. */
const proxies = new Map<string, FaultProxy>()
const faults = new Map<string, Fault>()
let environment: NodeJS.ProcessEnv
let reference: Portrait

const over = ({ state }: { state: string }) => state === 'ready' || state === 'failed'

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-workers-'))
  const path = join(folder, 'film.mp4')
  await drawFilm({ path, seconds: 24, frameRate: 12.5, size: '192x108' })
  film = await readFile(path)
  platform = startPlatform(stateFolder(), {
    env: {
      ...slowFfmpeg(folder, 4),
      ...{ ENCODE_EXECUTOR: 'fleet', UNIT_LEASE_SECONDS: '4' },
      ...{ NODE_BEAT_SECONDS: '0.3', NODE_DEAD_SECONDS: String(deadSeconds) },
    },
  })
  const { apiUrl, tenant: local, processes } = await platform.healthy()
  tenant = asTenant(apiUrl, local.apiKey)
  const portOf = (name: string) => processes.find((process) => process.name === name)?.port
  const keyOf = async (part: string) =>
    (await readFile(join(platform.stateDirectory, part, 'account-key'), 'utf8')).trim()
  const endpoint = `http://127.0.0.1:${portOf('cosmos')}/`
  fleet = await startFleet({ endpoint, key: await keyOf('cosmos'), database: 'movidone' })
  const account = new StorageSharedKeyCredential('movidone', await keyOf('storage'))
  blobs = new BlobServiceClient(`http://127.0.0.1:${portOf('storage')}/movidone`, account)
  for (const node of [one, two]) proxies.set(node, await startFaultProxy(endpoint, () => faults.get(node)))
  const text = await readFile(`/proc/${platform.pidOf('functions')}/environ`, 'utf8')
  const pairs = text.split('\0').map((pair) => /^(\w+)=(.*)$/s.exec(pair)?.slice(1) ?? ['_', ''])
  environment = { ...Object.fromEntries(pairs), FLEET_URL: apiUrl }
})

afterEach(async () => {
  faults.clear()
  await endAllWorkers()
})
afterAll(async () => {
  await endAllPlatforms()
  for (const proxy of proxies.values()) await proxy.stop()
  await rm(folder, { recursive: true, force: true })
})

/** As `fleet-wake` leaves the document, and the machine its service. */
async function boot(node: string, more: NodeJS.ProcessEnv = {}): Promise<WorkerProcess> {
  await fleet.set(node, (current) =>
    woken({ ...current, state: 'stopped', notBeforeMs: 0 }, 'demand', fleet.store.now()),
  )
  return start(node, more)
}

async function start(node: string, more: NodeJS.ProcessEnv = {}): Promise<WorkerProcess> {
  const endpoint = proxies.get(node)?.origin
  const worker = await startWorkerProcess({
    ...{ ...environment, NODE_ID: node, COSMOS_ENDPOINT: endpoint },
    ...more,
  })
  await worker.until(({ event }) => event === 'fleet.registered')
  return worker
}

const holding = (worker: WorkerProcess, assetId: string) =>
  worker.until(({ event, unit }) => event === 'fleet.claimed' && String(unit).includes(`${assetId}-v1.`))

async function mediaOf(assetId: string): Promise<number> {
  let count = 0
  for await (const { name } of blobs.getContainerClient('media').listBlobsFlat())
    if (name.includes(assetId)) count++
  return count
}

const toolsOf = ({ pid }: WorkerProcess): number =>
  processTable().filter(({ group, command }) => group === pid && /^\S*ffmpeg -nostdin /.test(command)).length

/** Of the same film, whoever made it. */
async function expectWhole(assetId: string): Promise<void> {
  await tenant.until(assetId, over)
  expect(await portrait(tenant, assetId)).toEqual(reference)
}

test('a worker left in peace encodes a film, and says how fast it is', async () => {
  const worker = await boot(one)
  const id = await tenant.upload(film)
  await tenant.until(id, over)
  reference = await portrait(tenant, id)
  expect(reference.state).toBe('ready')
  const units = worker.done()
  expect(units).toContain(`encode-${id}-v1.0`)
  expect(new Set(units).size).toBe(units.length)
  const { beat } = await fleet.until(one, (node) => node.beat?.load.pixelsPerSecond !== undefined)
  // By the wall: between what a slow machine and a very fast one make.
  expect(beat?.load.pixelsPerSecond).toBeGreaterThan(1e5)
  expect(beat?.load.pixelsPerSecond).toBeLessThan(1e10)
})

test('drained by its document it ends what it holds, says so, and takes nothing new', async () => {
  const worker = await boot(one)
  const id = await tenant.upload(film)
  const { unit } = await holding(worker, id)
  await fleet.set(one, { state: 'draining' })
  await worker.until(({ event, wish }) => event === 'fleet.obeys' && wish === 'drain')
  const claims = () => worker.lines().filter(({ event }) => event === 'fleet.claimed')
  // One that was under way is one that it holds.
  await fleet.until(one, ({ beat }) => beat?.drains === true)
  const held = claims().map((line) => line.unit)
  expect(held).toContain(unit)
  await fleet.until(one, ({ beat }) => beat?.drains === true && beat.holds.length === 0, 60_000)
  expect(worker.done().sort()).toEqual([...held].sort())
  await sleep(2000)
  expect(claims()).toHaveLength(held.length)
  expect(over(await tenant.asset(id))).toBe(false)
  await boot(two)
  await expectWhole(id)
})

test('stopped before it is done it gives back what it holds, so that the next one need not wait', async () => {
  // Nobody else could have it for so long.
  const worker = await boot(one, { UNIT_LEASE_SECONDS: '60' })
  const id = await tenant.upload(film)
  const { unit } = await holding(worker, id)
  const stop = (node: Node) => {
    const nowMs = fleet.store.now()
    return released(drainAsked(node, 'asked', nowMs), { epoch: node.epoch, nowMs, drainMs: 0 })
  }
  expect(await fleet.set(one, stop)).toMatchObject({ state: 'stopping' })
  const said = await worker.until((line) => line.event === 'fleet.reported' && line.unit === unit)
  expect([said['outcome'], said['heard']]).toEqual(['returned', 'heard'])
  await boot(two)
  await expectWhole(id)
})

test('killed and started again by its service manager it is ready anew; nothing is lost', async () => {
  const random = seeded(seed)
  let worker = await boot(one)
  const id = await tenant.upload(film)
  const boots = new Set<string | undefined>()
  for (let n = 0; n < 3 && !over(await tenant.asset(id)); n++) {
    await holding(worker, id)
    await sleep(random() * 1500)
    boots.add((await fleet.find(one))?.boot?.id)
    await worker.kill()
    worker = await start(one)
    expect(await fleet.find(one)).toMatchObject({ state: 'ready' })
  }
  console.log(`killed ${boots.size} times (SEED=${seed})`)
  expect(boots.size).toBeGreaterThan(1)
  await expectWhole(id)
})

test.each(['hang', 'reset'] as const)(
  'cut off from the platform (%s) it writes nothing more, until it is heard again',
  async (how) => {
    const worker = await boot(one)
    const id = await tenant.upload(film)
    await holding(worker, id)
    await expect.poll(() => toolsOf(worker), { timeout: 10_000 }).toBeGreaterThan(0)
    faults.set(one, how)
    await worker.until(({ event, wish }) => event === 'fleet.obeys' && wish === 'leave', 1000 * deadSeconds)
    // What was on its way to Blob in that moment may arrive.
    await sleep(500)
    const written = await mediaOf(id)
    expect(toolsOf(worker)).toBe(0)
    const claims = worker.lines().filter(({ event }) => event === 'fleet.claimed').length
    await sleep(4000)
    expect(await mediaOf(id)).toBe(written)
    expect(toolsOf(worker)).toBe(0)
    expect(worker.lines().filter(({ event }) => event === 'fleet.claimed')).toHaveLength(claims)
    // Nobody took it for dead meanwhile: it goes on, in the same process.
    faults.delete(one)
    await expectWhole(id)
    expect(await mediaOf(id)).toBeGreaterThan(written)
    expect(worker.lines().filter(({ event }) => event === 'fleet.registered')).toHaveLength(1)
  },
)

test('stopped in the middle of a unit and taken for dead, it wakes behind the fence and does nothing more', async () => {
  const worker = await boot(one)
  const id = await tenant.upload(film)
  const { unit } = await holding(worker, id)
  await expect.poll(() => toolsOf(worker), { timeout: 10_000 }).toBeGreaterThan(0)
  worker.signal('SIGSTOP')
  const silent = await fleet.find(one)
  await sleep(1000 * deadSeconds)
  await fleet.set(one, (node) => lost(node, fleet.store.now(), 0))
  const other = await boot(two)
  await expectWhole(id)
  expect(other.done()).toContain(unit)
  worker.signal('SIGCONT')
  // By its renewal, or by what it reports where that comes first.
  const isToldOff = ({ event, heard }: { event: string; heard?: unknown }) =>
    event === 'fleet.claim-lost' || (event === 'fleet.reported' && heard === 'refused')
  await worker.until((line) => line['unit'] === unit && isToldOff(line))
  await worker.until(({ event, wish }) => event === 'fleet.obeys' && wish === 'leave')
  // There is work, and it is not its any more.
  const next = await tenant.upload(film)
  await holding(other, next)
  await expectWhole(next)
  expect(worker.lines().filter((line) => String(line['unit']).includes(next))).toEqual([])
  expect(worker.done()).not.toContain(unit)
  expect(await fleet.find(one)).toMatchObject({ state: 'failed', beat: silent?.beat })
  expect(await portrait(tenant, id)).toEqual(reference)
})

test('a report is heard of the boot that has the node, and of none before', async () => {
  const { apiUrl } = platform.local()
  const say = async (authorization: string) => {
    const reply = await fetch(`${apiUrl}/api/v1/fleet/units/encode-ast_${'0'.repeat(20)}-v1.0`, {
      method: 'POST',
      headers: { authorization: `Bearer ${authorization}`, 'content-type': 'application/json' },
      body: JSON.stringify({ claim: 1, outcome: 'done' }),
    })
    return reply.status
  }
  const register = async () => {
    const { id, sha256, credential } = makeBoot(one, systemRandom)
    await fleet.nodes.register(one, { id, sha256, version: 'tests' })
    return credential
  }
  await fleet.set(one, (node) =>
    woken({ ...node, state: 'stopped', notBeforeMs: 0 }, 'demand', fleet.store.now()),
  )
  const first = await register()
  // It is known; there is no such unit.
  expect(await say(first)).toBe(404)
  const second = await register()
  expect(await say(second)).toBe(404)
  await expect.poll(() => say(first), { timeout: 3000 }).toBe(401)
  await fleet.set(one, (node) => lost(node, fleet.store.now(), 0))
  await expect.poll(() => say(second), { timeout: 3000 }).toBe(401)
})
