// Units of encode's work done by workers: the same bytes as the app's own, whatever becomes of the workers meanwhile.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CosmosClient } from '@azure/cosmos'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../shared/core/clock.ts'
import { systemRandom } from '../../shared/core/random.ts'
import type { Offer } from '../../shared/encode/ports.ts'
import { createNodes } from '../../shared/fleet/nodes.ts'
import { makeBoot } from '../../worker/boot.ts'
import { type Crew, crewOf } from '../support/crew.ts'
import { drawFilm } from '../support/film.ts'
import { type Fleet, fleetOf, poolsOfTests } from '../support/fleet.ts'
import {
  endAllPlatforms,
  type PlatformProcess,
  startPlatform,
  stateFolder,
  stillRunning,
} from '../support/platform-process.ts'
import { type Portrait, portrait } from '../support/portrait.ts'
import { seeded } from '../support/seeded.ts'
import { slowFfmpeg } from '../support/slow-ffmpeg.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const kills = Number(process.env['KILLS'] ?? 6)
const leaseSeconds = 4
const names = ['encoder-local-1', 'encoder-local-2']
/** Its machine may run, but nothing of ours runs on it: the tests play its worker, or start it. */
const third = 'encoder-local-3'

let folder: string
let film: Uint8Array
/** Made by the app itself. */
let reference: { portrait: Portrait; workMs: number }
let fleet: PlatformProcess
let tenant: Tenant
let crew: Crew
let nodes: Fleet

const over = ({ state }: { state: string }) => state === 'ready' || state === 'failed'

async function tenantOf(platform: PlatformProcess): Promise<Tenant> {
  const local = await platform.healthy()
  return asTenant(local.apiUrl, local.tenant.apiKey)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-fleet-'))
  const path = join(folder, 'film.mp4')
  await drawFilm({ path, seconds: 30, frameRate: 12.5, size: '192x108' })
  film = await readFile(path)
  const slow = slowFfmpeg(folder, 6)
  const alone = startPlatform(stateFolder(), { env: slow })
  const studio = await tenantOf(alone)
  const startedMs = Date.now()
  const id = await studio.upload(film)
  await studio.until(id, over)
  const workMs = Date.now() - startedMs
  reference = { portrait: await portrait(studio, id), workMs }
  expect(reference.portrait.state).toBe('ready')
  await alone.end('SIGINT')

  fleet = startPlatform(stateFolder(), {
    env: {
      ...slow,
      FLEET_POOLS: poolsOfTests({ count: 3, minimum: 2 }),
      ENCODE_EXECUTOR: 'fleet',
      UNIT_LEASE_SECONDS: String(leaseSeconds),
      MOVIDONE_BOOT_SECONDS: '0.2',
      // Units are given to others by their leases here; nobody is taken for dead.
      NODE_DEAD_SECONDS: '60',
    },
  })
  tenant = await tenantOf(fleet)
  crew = crewOf(fleet)
  nodes = fleetOf(fleet)
  await nodes.fault({ kind: 'no-boot', vm: third, times: 100 })
  for (const name of names) await nodes.until(name, 'ready')
})

afterAll(async () => {
  await endAllPlatforms()
  await rm(folder, { recursive: true, force: true })
})

const kill = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // It was just being started again.
  }
}

test('two workers make the bytes that the app makes, and each does a part of it', async () => {
  const id = await tenant.upload(film)
  await tenant.until(id, over)
  expect(await portrait(tenant, id)).toEqual(reference.portrait)
  const done = await Promise.all(names.map(crew.done))
  for (const some of done) expect(some.length).toBeGreaterThan(0)
  const all = done.flat()
  // Nothing was done twice where nobody was lost; the app itself encoded nothing.
  expect(new Set(all).size).toBe(all.length)
  expect(all).toContain(`encode-${id}-v1.0`)
  expect(all).toContain(`encode-${id}-v1.audio`)
})

test(`kill -9 of workers ${kills} times loses nothing (SEED=${seed})`, async () => {
  const random = seeded(seed)
  const id = await tenant.upload(film)
  const units: string[] = []
  for (let n = 0; n < kills && !over(await tenant.asset(id)); n++) {
    await sleep(random() * 0.3 * reference.workMs)
    const name = names[Math.floor(random() * names.length)] ?? ''
    units.push(...(await crew.holds(name)))
    kill(fleet.pidOf(name), 'SIGKILL')
  }
  await tenant.until(id, over)
  expect(await portrait(tenant, id)).toEqual(reference.portrait)
  console.log(`killed while they held ${units.map((unit) => unit.split('.')[1]).join(', ') || 'nothing'}`)
})

test('a worker that is stopped loses its unit to another, and has no effect when it wakes', async () => {
  const [one = '', two = ''] = names
  const { id, unit } = await crew.untilHolds(one, tenant, film)
  const pid = fleet.pidOf(one)
  kill(pid, 'SIGSTOP')
  try {
    await tenant.until(id, over)
  } finally {
    kill(pid, 'SIGCONT')
  }
  expect(await portrait(tenant, id)).toEqual(reference.portrait)
  expect(await crew.done(two)).toContain(unit)
  const lost = async () =>
    (await crew.lines(one)).some((line) => line.event === 'fleet.claim-lost' && line.unit === unit)
  await expect.poll(lost, { timeout: 10_000 }).toBe(true)
  expect(await crew.done(one)).not.toContain(unit)
  expect(fleet.pidOf(one)).toBe(pid)
  expect(await portrait(tenant, id)).toEqual(reference.portrait)
  // It is as good as before.
  const next = await crew.untilHolds(one, tenant, film)
  await tenant.until(next.id, over)
  expect(await portrait(tenant, next.id)).toEqual(reference.portrait)
})

test('a unit that fails on every claim ends its title, and keeps its log', async () => {
  const id = await tenant.upload(film)
  let failed = false
  const killing = (async () => {
    while (!failed) {
      for (const pid of names.flatMap(crew.toolsOf)) kill(pid, 'SIGKILL')
      await sleep(50)
    }
  })()
  try {
    const { error } = await tenant.until(id, over)
    expect(error).toMatchObject({ code: 'encode-failed' })
  } finally {
    failed = true
    await killing
  }
  const [unit] = (await offersOf(id)).filter(({ state, result }) => state === 'over' && result?.ok === false)
  expect(unit).toMatchObject({ failures: 3, result: { ok: false, code: 'encode-failed' } })
  expect(unit?.log).toContain('killed')
  // Others are not the worse for it.
  const next = await tenant.upload(film)
  await tenant.until(next, over)
  expect(await portrait(tenant, next)).toEqual(reference.portrait)
})

async function offersOf(assetId: string) {
  const { processes } = fleet.local()
  const port = processes.find(({ name }) => name === 'cosmos')?.port
  const key = (await readFile(join(fleet.stateDirectory, 'cosmos', 'account-key'), 'utf8')).trim()
  const client = new CosmosClient({ endpoint: `http://127.0.0.1:${port}/`, key })
  const query = 'SELECT * FROM c WHERE c.type = "offer" AND c.assetId = @assetId'
  const { resources } = await client
    .database('movidone')
    .container('units')
    .items.query<Offer>({ query, parameters: [{ name: '@assetId', value: assetId }] })
    .fetchAll()
  client.dispose()
  return resources
}

describe('a report', () => {
  const path = '/api/v1/fleet/units'
  const say = (unit: string, authorization: string) =>
    fetch(`${fleet.local().apiUrl}${path}/${unit}`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ claim: 1, outcome: 'done' }),
    })

  test('is heard of nobody but a node of the fleet, and of it only about what it holds', async () => {
    const [, two = ''] = names
    // The tests play the third one's worker: it takes its place as workers do, by the document of its node.
    await nodes.wake(3)
    await nodes.until(third, 'starting')
    const { id: boot, sha256, credential } = makeBoot(third, systemRandom)
    const { register } = createNodes({ store: (await nodes.stores()).fleet, clock: systemClock })
    await register(third, { id: boot, sha256, version: 'tests' })
    expect(await nodes.stateOf(third)).toBe('ready')

    const { id, unit } = await crew.untilHolds(two, tenant, film)
    const { apiUrl, adminKey, tenant: local } = fleet.local()
    expect((await say(unit, `Bearer ${credential}`)).status).toBe(409)
    expect((await say(`encode-${id}-v9.0`, `Bearer ${credential}`)).status).toBe(404)
    for (const other of [local.apiKey, adminKey, `${third}.${'x'.repeat(43)}`, `${two}.${credential}`])
      expect((await say(unit, `Bearer ${other}`)).status).toBe(401)
    // Nor does a node's credential open anything of a tenant.
    const asTenants = await fetch(`${apiUrl}/api/v1/assets`, {
      headers: { authorization: `Bearer ${credential}` },
    })
    expect(asTenants.status).toBe(401)
    await tenant.until(id, over)
    expect(await portrait(tenant, id)).toEqual(reference.portrait)
  })
})

async function environmentOf(pid: number): Promise<Record<string, string>> {
  const text = await readFile(`/proc/${pid}/environ`, 'utf8')
  return Object.fromEntries(text.split('\0').map((pair) => /^(\w+)=(.*)$/s.exec(pair)?.slice(1) ?? ['_', '']))
}

test('a worker that is told to drain ends what it holds and takes nothing new', async () => {
  await nodes.wake(3)
  await expect.poll(() => nodes.stateOf(third), { timeout: 60_000 }).toMatch(/^(starting|ready)$/)
  // As the service manager of its machine would start it.
  const env = { ...process.env, ...(await environmentOf(fleet.pidOf(names[0] ?? ''))), NODE_ID: third }
  const worker = spawn(process.execPath, ['dist/worker.mjs'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  worker.stdout.on('data', (chunk) => (said += chunk))
  const ended = once(worker, 'close')
  try {
    await expect.poll(() => said, { timeout: 60_000 }).toContain('fleet.registered')
    let id = ''
    for (let waits = 0; !said.includes('fleet.claimed') && waits < 1500; waits++) {
      // The two others may be faster: there is more to do than they can hold.
      if (waits % 100 === 0) id = await tenant.upload(film)
      await sleep(20)
    }
    worker.kill('SIGTERM')
    // A claim that was under way is one that it holds, and its line may be on its way.
    await Promise.race([ended, sleep(1000)])
    const claimed = unitsOf(said, 'fleet.claimed')
    expect(await ended).toEqual([0, null])
    expect(unitsOf(said, 'fleet.claimed')).toEqual(claimed)
    expect(unitsOf(said, '"outcome":"done","heard":"heard"').sort()).toEqual(claimed.sort())
    await tenant.until(id, over)
    expect(await portrait(tenant, id)).toEqual(reference.portrait)
  } finally {
    worker.kill('SIGKILL')
  }
})

const unitsOf = (said: string, what: string): string[] =>
  said.split('\n').flatMap((line) => (line.includes(what) ? (/"unit":"([^"]+)"/.exec(line)?.[1] ?? []) : []))

test('Ctrl-C in the middle of a unit ends everything at once, and gives the unit back', async () => {
  const [, two = ''] = names
  const { unit } = await crew.untilHolds(two, tenant, film)
  const { processes } = fleet.local()
  expect(await fleet.end('SIGINT')).toBe(0)
  expect(stillRunning(processes)).toEqual([])
  const returned = { event: 'fleet.reported', unit, outcome: 'returned', heard: 'heard' }
  expect(await crew.lines(two)).toContainEqual(returned)
})
