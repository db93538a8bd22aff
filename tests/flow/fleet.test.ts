// Units of encode's work done by workers: the same bytes as the app's own, whatever becomes of the workers meanwhile.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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
  untilNoneRuns,
} from '../support/platform-process.ts'
import { type Portrait, portrait } from '../support/portrait.ts'
import { seeded } from '../support/seeded.ts'
import { setPace, slowFfmpeg } from '../support/slow-ffmpeg.ts'
import { storedDocuments } from '../support/stored.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const kills = Number(process.env['KILLS'] ?? 6)
const leaseSeconds = 4
/** Seconds of film that a second of the clock makes. */
const pace = 6
const patience = { timeout: 60_000 }
const names = ['encoder-local-1', 'encoder-local-2']
/** Its machine may run, but nothing of ours runs on it: the tests play its worker, or start it. */
const third = 'encoder-local-3'

let folder: string
let film: Uint8Array
let slow: ReturnType<typeof slowFfmpeg>
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
  slow = slowFfmpeg(folder, pace)
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
      NODE_DEAD_SECONDS: '600',
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

const isChunkOf = (id: string) => (unit: string) => new RegExp(`${id}-v1\\.\\d+$`).test(unit)

test('two workers make the bytes that the app makes, and each does a part of it', async () => {
  setPace(slow, 0)
  const id = await tenant.upload(film)
  // Nobody can be faster with all of it.
  for (const name of names) {
    const chunks = async () => (await crew.holds(name)).filter(isChunkOf(id))
    await expect.poll(chunks, patience).toHaveLength(1)
  }
  setPace(slow, pace)
  await tenant.until(id, over)
  expect(await portrait(tenant, id)).toEqual(reference.portrait)
  // Nothing was done twice; the app itself encoded nothing.
  const all = async () => (await Promise.all(names.map(crew.done))).flat().sort()
  const units = ['0', '1', '2', '3', 'audio'].map((unit) => `encode-${id}-v1.${unit}`)
  await expect.poll(all, patience).toEqual(units)
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
  setPace(slow, 0)
  const { id, unit } = await crew.untilHolds(one, tenant, film)
  const pid = fleet.pidOf(one)
  kill(pid, 'SIGSTOP')
  setPace(slow, pace)
  try {
    await tenant.until(id, over)
  } finally {
    kill(pid, 'SIGCONT')
  }
  expect(await portrait(tenant, id)).toEqual(reference.portrait)
  await expect.poll(() => crew.done(two), patience).toContain(unit)
  const lost = async () =>
    (await crew.lines(one)).some((line) => line.event === 'fleet.claim-lost' && line.unit === unit)
  await expect.poll(lost, patience).toBe(true)
  expect(await crew.done(one)).not.toContain(unit)
  expect(fleet.pidOf(one)).toBe(pid)
  expect(await portrait(tenant, id)).toEqual(reference.portrait)
  // It is as good as before.
  const next = await crew.untilHolds(one, tenant, film)
  await tenant.until(next.id, over)
  expect(await portrait(tenant, next.id)).toEqual(reference.portrait)
})

test('a unit that fails on every claim ends its title, and keeps its log', async () => {
  // None of it is done before it is hit.
  setPace(slow, 0.1)
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
    setPace(slow, pace)
  }
  // Others may have heard meanwhile that their title has failed.
  const offers = await storedDocuments<Offer>(fleet, 'units', `encode-${id}-v1`)
  const unit = offers.find(({ type, failures }) => type === 'offer' && failures === 3)
  expect(unit).toMatchObject({ state: 'over', result: { ok: false, code: 'encode-failed' } })
  expect(unit?.log).toContain('killed')
  // Others are not the worse for it.
  const next = await tenant.upload(film)
  await tenant.until(next, over)
  expect(await portrait(tenant, next)).toEqual(reference.portrait)
})

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

    setPace(slow, 0)
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
    setPace(slow, pace)
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
  await expect.poll(() => nodes.stateOf(third), patience).toMatch(/^(starting|ready)$/)
  // As the service manager of its machine would start it.
  const given = await environmentOf(fleet.pidOf(names[0] ?? ''))
  const env = { ...process.env, ...given, NODE_ID: third, UNIT_LEASE_SECONDS: '60' }
  const worker = spawn(process.execPath, ['dist/worker.mjs'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  worker.stdout.on('data', (chunk) => (said += chunk))
  const ended = once(worker, 'close')
  try {
    await expect.poll(() => said, patience).toContain('fleet.registered')
    // Four chunks for three workers, who can end none: each has one.
    setPace(slow, 0)
    const id = await tenant.upload(film)
    const chunks = () => unitsOf(said, 'fleet.claimed').filter(isChunkOf(id))
    await expect.poll(chunks, patience).toHaveLength(1)
    worker.kill('SIGTERM')
    await expect.poll(() => said, patience).toContain('"wish":"drain"')
    const held = chunks()
    const next = await tenant.upload(film)
    setPace(slow, pace)
    expect(await ended).toEqual([0, null])
    // The sound may have been on its way into its hands.
    const claimed = unitsOf(said, 'fleet.claimed')
    expect(claimed.filter((unit) => !unit.endsWith('.audio'))).toEqual(held)
    expect(unitsOf(said, '"outcome":"done","heard":"heard"').sort()).toEqual(claimed.sort())
    for (const one of [id, next]) {
      await tenant.until(one, over)
      expect(await portrait(tenant, one)).toEqual(reference.portrait)
    }
  } finally {
    worker.kill('SIGKILL')
  }
})

const unitsOf = (said: string, what: string): string[] =>
  said.split('\n').flatMap((line) => (line.includes(what) ? (/"unit":"([^"]+)"/.exec(line)?.[1] ?? []) : []))

test('Ctrl-C in the middle of a unit ends everything at once, and gives the unit back', async () => {
  const [, two = ''] = names
  setPace(slow, 0)
  const { unit } = await crew.untilHolds(two, tenant, film)
  const { processes } = fleet.local()
  expect(await fleet.end('SIGINT')).toBe(0)
  expect(await untilNoneRuns(processes)).toEqual([])
  const returned = { event: 'fleet.reported', unit, outcome: 'returned', heard: 'heard' }
  expect(await crew.lines(two)).toContainEqual(returned)
})
