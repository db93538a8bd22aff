// A film that is big enough wakes encoders, which make of it what the app alone would, and sleep again: in peace, and under blows.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
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
import { asTenant, type Tenant } from '../support/tenant.ts'

vi.setConfig({ testTimeout: 600_000 })

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
/** A unit that loses its worker eight times is given up, and its title with it. */
const blows = Math.min(7, Number(process.env['KILLS'] ?? 7))
const frameRate = 12.5
const size = '192x108'
/** Of all renditions, at the pace that ffmpeg is held to: what units last by plan, they really last. */
const filmSecondsPerSecond = 5
const pixelsPerSecond = (192 * 108 + 96 * 54) * frameRate * filmSecondsPerSecond
const env = {
  ENCODE_PIXELS_PER_SECOND: String(pixelsPerSecond),
  ENCODE_FLEET_SECONDS: '2',
  MOVIDONE_BOOT_SECONDS: '1',
  NODE_BEAT_SECONDS: '0.5',
  NODE_DEAD_SECONDS: '120',
}
const pools = { count: 2, goalSeconds: 5 }
/** Nobody who does well is given up, however slow this machine is. */
const inPeace = {
  ENCODE_FLEET_PATIENCE_SECONDS: '600',
  FLEET_POOLS: poolsOfTests({ ...pools, lateSeconds: 300 }),
}
/** Whoever is hit is soon given up. */
const underBlows = {
  ENCODE_FLEET_PATIENCE_SECONDS: '60',
  FLEET_POOLS: poolsOfTests({ ...pools, lateSeconds: 15, drainSeconds: 60 }),
  NODE_DEAD_SECONDS: '4',
  UNIT_LEASE_SECONDS: '4',
}
const patience = { timeout: 60_000 }
const nodes = ['encoder-local-1', 'encoder-local-2']

let folder: string
let film: Uint8Array
let reference: Portrait
let slow: ReturnType<typeof slowFfmpeg>
let platform: PlatformProcess

const over = ({ state }: { state: string }) => state === 'ready' || state === 'failed'

async function open(one: PlatformProcess): Promise<{ tenant: Tenant; fleet: Fleet }> {
  const { apiUrl, tenant } = await one.healthy()
  return { tenant: asTenant(apiUrl, tenant.apiKey), fleet: fleetOf(one) }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-wake-'))
  const path = join(folder, 'film.mp4')
  await drawFilm({ path, seconds: 40, frameRate, size })
  film = await readFile(path)
  const alone = startPlatform(stateFolder())
  const { tenant } = await open(alone)
  const id = await tenant.upload(film)
  await tenant.until(id, over)
  reference = await portrait(tenant, id)
  expect(reference.state).toBe('ready')
  await alone.end('SIGINT')
  slow = slowFfmpeg(folder, filmSecondsPerSecond)
})

afterEach(async () => {
  await platform?.end('SIGINT')
})

afterAll(async () => {
  await endAllPlatforms()
  await rm(folder, { recursive: true, force: true })
})

/** Documents and machines alike; the resource manager bears to be asked now and then. */
async function untilAsleep(fleet: Fleet): Promise<void> {
  const machines = await fleet.machines()
  const states = async () => (await fleet.view()).nodes.map(({ state }) => state)
  for (let powers: string[] = []; powers.some((power) => power !== 'deallocated') || powers.length === 0; ) {
    if (powers.length > 0) await sleep(6000)
    await expect.poll(states, { timeout: 240_000, interval: 200 }).toEqual(nodes.map(() => 'stopped'))
    powers = [...(await machines.all()).values()].map(({ power }) => power)
  }
}

test('a film wakes them, says so, and they sleep again; a short one wakes nobody', async () => {
  platform = startPlatform(stateFolder(), { env: { ...env, ...slow, ...inPeace } })
  const { tenant, fleet } = await open(platform)
  const short = join(folder, 'short.mp4')
  await drawFilm({ path: short, seconds: 4, frameRate, size })
  const little = await tenant.upload(await readFile(short))
  await tenant.until(little, over)
  for (const node of nodes) expect(await fleet.stateOf(node)).toBe('stopped')
  expect(platform.printed()).not.toContain('is waking')

  // No machine comes, and nothing is made, before this was seen.
  const arm = platform.pidOf('arm')
  process.kill(arm, 'SIGSTOP')
  setPace(slow, 0)
  const id = await tenant.upload(film)
  await tenant.until(id, ({ progress }) => progress.stage === 'waking-encoders')
  process.kill(arm, 'SIGCONT')
  for (const node of nodes) await fleet.until(node, 'ready')
  await tenant.until(id, ({ progress }) => progress.stage === 'encoding')
  setPace(slow, filmSecondsPerSecond)
  await tenant.until(id, over)
  expect(await portrait(tenant, id)).toEqual(reference)
  for (const node of nodes) await expect.poll(platform.printed, patience).toContain(`${node} works`)
  await untilAsleep(fleet)
  for (const node of nodes) {
    await expect.poll(platform.printed, patience).toContain(`${node} sleeps again`)
    await expect.poll(() => platform.pidOf(node), patience).toBe(0)
  }
})

test('where there is no capacity the app does it alone, late but whole', async () => {
  const impatient = { ...inPeace, ENCODE_FLEET_PATIENCE_SECONDS: '6' }
  platform = startPlatform(stateFolder(), { env: { ...env, ...slow, ...impatient } })
  const { tenant, fleet } = await open(platform)
  await fleet.fault({ kind: 'scarce-later', times: 100 })
  const id = await tenant.upload(film)
  await tenant.until(id, over)
  expect(await portrait(tenant, id)).toEqual(reference)
  await expect.poll(platform.printed, patience).toContain('encoder-local-1 is waking')
  await untilAsleep(fleet)
  expect(platform.printed()).not.toContain(' works')
})

test(`${blows} blows at any moment change nothing of it, and leave no machine running (SEED=${seed})`, async () => {
  console.log(`SEED=${seed}`)
  const random = seeded(seed)
  const pick = <T>(some: readonly T[]): T | undefined => some[Math.floor(random() * some.length)]
  const state = stateFolder()
  const begin = () => startPlatform(state, { env: { ...env, ...slow, ...underBlows } })
  platform = begin()
  let { tenant, fleet } = await open(platform)
  const struck: string[] = []
  const kill = (name: string | undefined, signal: NodeJS.Signals): boolean => {
    const pid = name === undefined ? 0 : platform.pidOf(name)
    // The platform gives up on a part of its own at its third death within a minute.
    const deaths = struck.filter((one) => one === `${signal} ${name}`).length
    if (pid === 0 || (!nodes.includes(name ?? '') && deaths >= 2)) return false
    try {
      process.kill(pid, signal)
    } catch {
      return false // It was just being started again.
    }
    struck.push(`${signal} ${name}`)
    return true
  }
  const awake = () => pick(nodes.filter((name) => platform.pidOf(name) > 0))
  const fault = async (order: { kind: string; seconds?: number }) => {
    await fleet.fault(order).then(
      () => struck.push(order.kind),
      () => {}, // The resource manager was just being started again.
    )
  }
  const all = async () => {
    const { processes } = platform.local()
    await platform.end('SIGKILL')
    struck.push('SIGKILL all')
    platform = begin()
    ;({ tenant, fleet } = await open(platform))
    const known = new Set(platform.local().processes.map(({ pid }) => pid))
    expect(await untilNoneRuns(processes.filter(({ pid }) => !known.has(pid)))).toEqual([])
  }
  const ways: Array<() => unknown> = [
    () => kill(awake(), 'SIGKILL'),
    () => kill(awake(), 'SIGKILL'),
    // It is taken for dead, and its machine goes; what it still says has no effect.
    () => kill(awake(), 'SIGSTOP'),
    () => kill('functions', 'SIGKILL'),
    () => kill('arm', 'SIGKILL'),
    () => fault({ kind: pick(['scarce-now', 'scarce-later', 'no-boot', 'hangs']) ?? 'busy', seconds: 3 }),
    () => fault({ kind: 'throttled', seconds: 2 }),
    () => fault({ kind: 'away', seconds: 4 }),
    all,
  ]
  // Something is in their hands, and stays there until the first blow.
  setPace(slow, 0)
  const ids = [await tenant.upload(film), await tenant.upload(film)]
  const held = async () => (await fleet.view()).nodes.flatMap(({ holds }) => holds)
  await expect.poll(held, { timeout: 120_000, interval: 100 }).not.toEqual([])
  setPace(slow, filmSecondsPerSecond)
  for (let n = 0; n < blows; n++) {
    await sleep(random() * 3000)
    await pick(ways)?.()
  }
  console.log(struck.join(', '))
  await platform.healthy()
  for (const id of ids) {
    await tenant.until(id, over, 200_000)
    expect(await portrait(tenant, id)).toEqual(reference)
  }
  await untilAsleep(fleet)
})
