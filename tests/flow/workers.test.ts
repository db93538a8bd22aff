// Workers as services of their own whose nodes the tests move by hand: whatever befalls one, it has no effect that is not its to have.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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
import { setPace, slowFfmpeg } from '../support/slow-ffmpeg.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'
import { endAllWorkers, startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const frameRate = 12.5
/** Seconds of film that a second of the clock makes. */
const pace = 4
/** Of who is to go on, however slow this machine is. */
const patient = { UNIT_LEASE_SECONDS: '60', NODE_DEAD_SECONDS: '60' }
const patience = { timeout: 60_000 }
const [one, two] = ['encoder-test-1', 'encoder-test-2']

let folder: string
let film: Uint8Array
let platform: PlatformProcess
let tenant: Tenant
let fleet: FleetOnCosmos
let slow: ReturnType<typeof slowFfmpeg>
/** Between the workers and Cosmos. */
const proxies = new Map<string, FaultProxy>()
/** Between a worker and Blob. */
let toBlob: FaultProxy
const faults = new Map<string, Fault>()
let environment: NodeJS.ProcessEnv
let reference: Portrait

const over = ({ state }: { state: string }) => state === 'ready' || state === 'failed'

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-workers-'))
  const path = join(folder, 'film.mp4')
  await drawFilm({ path, seconds: 24, frameRate, size: '192x108' })
  film = await readFile(path)
  slow = slowFfmpeg(folder, pace)
  platform = startPlatform(stateFolder(), {
    env: {
      ...slow,
      ...{ ENCODE_EXECUTOR: 'fleet', UNIT_LEASE_SECONDS: '4' },
      ...{ NODE_BEAT_SECONDS: '0.3', NODE_DEAD_SECONDS: '4' },
    },
  })
  const { apiUrl, tenant: local, processes } = await platform.healthy()
  tenant = asTenant(apiUrl, local.apiKey)
  const portOf = (name: string) => processes.find((process) => process.name === name)?.port
  const keyOf = async (part: string) =>
    (await readFile(join(platform.stateDirectory, part, 'account-key'), 'utf8')).trim()
  const endpoint = `http://127.0.0.1:${portOf('cosmos')}/`
  fleet = await startFleet({ endpoint, key: await keyOf('cosmos'), database: 'movidone' })
  toBlob = await startFaultProxy(`http://127.0.0.1:${portOf('storage')}`, () => undefined)
  for (const node of [one, two]) proxies.set(node, await startFaultProxy(endpoint, () => faults.get(node)))
  const text = await readFile(`/proc/${platform.pidOf('functions')}/environ`, 'utf8')
  const pairs = text.split('\0').map((pair) => /^(\w+)=(.*)$/s.exec(pair)?.slice(1) ?? ['_', ''])
  environment = { ...Object.fromEntries(pairs), FLEET_URL: apiUrl }
})

afterEach(async () => {
  faults.clear()
  setPace(slow, pace)
  await endAllWorkers()
})
afterAll(async () => {
  await endAllPlatforms()
  for (const proxy of [...proxies.values(), toBlob]) await proxy?.stop()
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

const claims = (worker: WorkerProcess): string[] =>
  worker.lines().flatMap(({ event, unit }) => (event === 'fleet.claimed' ? [String(unit)] : []))

/** Pictures: they take as long as they are told to, and the sound as long as it takes. */
const isChunkOf = (unit: unknown, assetId: string): boolean =>
  new RegExp(`${assetId}-v1\\.\\d+$`).test(String(unit))

const holding = (worker: WorkerProcess, assetId: string) =>
  worker.until(({ event, unit }) => event === 'fleet.claimed' && isChunkOf(unit, assetId))

const untilDone = (worker: WorkerProcess, unit: unknown) =>
  worker.until(
    (line) => line.event === 'fleet.reported' && line['unit'] === unit && line['heard'] === 'heard',
  )

const wishOf = (worker: WorkerProcess): unknown =>
  worker.lines().findLast(({ event }) => event === 'fleet.obeys')?.['wish']

const toolsOf = ({ pid }: WorkerProcess): number =>
  processTable().filter(({ group, command }) => group === pid && /^\S*ffmpeg -nostdin /.test(command)).length

/** Of the same film, whoever made it. */
async function expectWhole(assetId: string): Promise<void> {
  await tenant.until(assetId, over)
  expect(await portrait(tenant, assetId)).toEqual(reference)
}

test('a worker left in peace encodes a film, and says how fast it is', async () => {
  const beganMs = Date.now()
  const worker = await boot(one, patient)
  const id = await tenant.upload(film)
  const { renditions } = await tenant.until(id, over)
  reference = await portrait(tenant, id)
  expect(reference.state).toBe('ready')
  await untilDone(worker, `encode-${id}-v1.0`)
  const units = worker.done()
  expect(new Set(units).size).toBe(units.length)
  const { beat } = await fleet.until(one, (node) => node.beat?.load.pixelsPerSecond !== undefined)
  // By the wall: at least the two seconds of the smallest unit in all the time that there was.
  const area = renditions.reduce((sum, { width = 0, height = 0 }) => sum + width * height, 0)
  const least = Math.floor((area * 2 * frameRate * 1000) / (Date.now() - beganMs))
  expect(beat?.load.pixelsPerSecond).toBeGreaterThanOrEqual(least)
  expect(beat?.load.pixelsPerSecond).toBeLessThan(1e10)
})

test('drained by its document it ends what it holds, says so, and takes nothing new', async () => {
  const worker = await boot(one, patient)
  setPace(slow, 0)
  const id = await tenant.upload(film)
  const { unit } = await holding(worker, id)
  await fleet.set(one, { state: 'draining' })
  await worker.until(({ event, wish }) => event === 'fleet.obeys' && wish === 'drain')
  await fleet.until(one, ({ beat }) => beat?.drains === true && beat.holds.includes(String(unit)))
  setPace(slow, pace)
  await fleet.until(one, ({ beat }) => beat?.drains === true && beat.holds.length === 0)
  await untilDone(worker, unit)
  const held = claims(worker)
  // The sound may have been on its way into its hands.
  expect(held.filter((each) => isChunkOf(each, id))).toEqual([unit])
  expect(worker.done().sort()).toEqual([...held].sort())
  await sleep(2000)
  expect(claims(worker)).toEqual(held)
  expect(over(await tenant.asset(id))).toBe(false)
  await boot(two)
  await expectWhole(id)
})

test('stopped before it is done it gives back what it holds, so that the next one need not wait', async () => {
  // Nobody else could have it for so long.
  const worker = await boot(one, patient)
  setPace(slow, 0)
  const id = await tenant.upload(film)
  const { unit } = await holding(worker, id)
  const stop = (node: Node) => {
    const nowMs = fleet.store.now()
    return released(drainAsked(node, 'asked', nowMs), { epoch: node.epoch, nowMs, drainMs: 0 })
  }
  expect(await fleet.set(one, stop)).toMatchObject({ state: 'stopping' })
  const said = await worker.until((line) => line.event === 'fleet.reported' && line['unit'] === unit)
  expect([said['outcome'], said['heard']]).toEqual(['returned', 'heard'])
  setPace(slow, pace)
  await boot(two)
  await expectWhole(id)
})

test('killed and started again by its service manager it is ready anew; nothing is lost', async () => {
  const random = seeded(seed)
  let worker = await boot(one)
  const ids = [await tenant.upload(film)]
  const boots = new Set<string | undefined>()
  for (let n = 0; n < 3; n++) {
    if (over(await tenant.asset(ids.at(-1) ?? ''))) ids.push(await tenant.upload(film))
    const id = ids.at(-1) ?? ''
    const isHeld = () => claims(worker).some((unit) => isChunkOf(unit, id))
    while (!isHeld() && !over(await tenant.asset(id))) await sleep(100)
    await sleep(random() * 1500)
    boots.add((await fleet.find(one))?.boot?.id)
    await worker.kill()
    worker = await start(one)
    expect(await fleet.find(one)).toMatchObject({ state: 'ready' })
  }
  console.log(`killed in ${ids.length} titles (SEED=${seed})`)
  expect(boots.size).toBe(3)
  for (const id of ids) await expectWhole(id)
})

test.each(['hang', 'reset'] as const)(
  'cut off from the platform (%s) it writes nothing more, until it is heard again',
  async (how) => {
    const worker = await boot(one, { BLOB_URL: `${toBlob.origin}/movidone` })
    const writes = () => toBlob.seen.filter(({ method }) => method !== 'GET' && method !== 'HEAD').length
    // Longer than it is allowed to go on.
    setPace(slow, 0.1)
    const id = await tenant.upload(film)
    await holding(worker, id)
    await expect.poll(() => toolsOf(worker), patience).toBeGreaterThan(0)
    faults.set(one, how)
    await expect.poll(() => wishOf(worker), patience).toBe('leave')
    // What was on its way to Blob in that moment may arrive.
    await expect.poll(() => toolsOf(worker) + toBlob.underWay(), patience).toBe(0)
    const [written, held] = [writes(), claims(worker)]
    await sleep(4000)
    expect(writes()).toBe(written)
    expect(toolsOf(worker)).toBe(0)
    expect(claims(worker)).toEqual(held)
    expect(over(await tenant.asset(id))).toBe(false)
    // Nobody took it for dead meanwhile: it goes on, in the same process.
    setPace(slow, pace)
    faults.delete(one)
    await expectWhole(id)
    expect(writes()).toBeGreaterThan(written)
    expect(worker.lines().filter(({ event }) => event === 'fleet.registered')).toHaveLength(1)
  },
)

test('stopped in the middle of a unit and taken for dead, it wakes behind the fence and does nothing more', async () => {
  const worker = await boot(one)
  setPace(slow, 0)
  const id = await tenant.upload(film)
  const { unit } = await holding(worker, id)
  worker.signal('SIGSTOP')
  const dead = await fleet.set(one, (node) => lost(node, fleet.store.now(), 0))
  expect(dead).toMatchObject({ state: 'failed' })
  // Its ffmpeg goes on, too.
  setPace(slow, pace)
  const other = await boot(two, patient)
  await expectWhole(id)
  await untilDone(other, unit)
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
  expect(await fleet.find(one)).toMatchObject({ state: 'failed', beat: dead?.beat })
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
  // Two seconds after it was asked for last, what was known of it is not believed any more.
  await sleep(2100)
  expect(await say(first)).toBe(401)
  expect(await say(second)).toBe(404)
  await fleet.set(one, (node) => lost(node, fleet.store.now(), 0))
  await sleep(2100)
  expect(await say(second)).toBe(401)
})
