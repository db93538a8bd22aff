// Titles that are shared: the app makes what somebody waits for, encoders wake up for the rest, and nobody is waited for in vain.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { crewOf } from '../support/crew.ts'
import { drawFilm } from '../support/film.ts'
import { fleetOf, poolsOfTests } from '../support/fleet.ts'
import { mediaPlaylist, mediaPlaylists } from '../support/hls.ts'
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

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const seconds = 50
const frameRate = 12.5
/** The opening of 2 s, then one of each segment of 4 s. */
const chunks = 1 + Math.ceil((seconds - 2) / 4)
const names = ['encoder-local-1', 'encoder-local-2']
const over = ({ state }: { state: string }) => state === 'ready' || state === 'failed'

/** Made by the app alone. */
let reference: { portrait: Portrait; frames: string[] }
let folder: string
let film: Uint8Array

async function tenantOf(platform: PlatformProcess): Promise<Tenant> {
  const local = await platform.healthy()
  return asTenant(local.apiUrl, local.tenant.apiKey)
}

/** A chunk a segment, so that there is something to share. */
const start = (env: Record<string, string>) =>
  startPlatform(stateFolder(), { env: { ENCODE_CHUNK_SEGMENTS: '1', ...env } })

/** Every frame of every rendition, as ffmpeg decodes it, by its hash. */
async function framesOf(tenant: Tenant, id: string): Promise<string[]> {
  const playlists = (await mediaPlaylists((await tenant.playback(id)).hlsUrl)).slice(0, -1)
  const all = playlists.map(async (url) => {
    const args = ['-v', 'error', '-nostdin', '-i', url, '-map', '0:v:0', '-f', 'framemd5', '-']
    const { stdout, stderr } = await promisify(execFile)('ffmpeg', args, { maxBuffer: 1 << 24 })
    expect(stderr).toBe('')
    return stdout.split('\n').filter((line) => /^\d/.test(line))
  })
  return (await Promise.all(all)).flat()
}

/** Each stage that a title says, once for each time it enters it, and all percents. */
async function watched(tenant: Tenant, id: string) {
  const stages: string[] = []
  const percents: number[] = []
  const asset = await tenant.until(id, (now) => {
    const { stage, percent } = now.progress
    if (stages.at(-1) !== stage) stages.push(stage)
    percents.push(percent)
    return over(now)
  })
  return { asset, stages, percents }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-auto-'))
  const path = join(folder, 'film.mp4')
  await drawFilm({ path, seconds, frameRate, size: '192x108' })
  film = await readFile(path)
  const alone = start({ ENCODE_WORKERS: '0' })
  const tenant = await tenantOf(alone)
  const id = await tenant.upload(film)
  await tenant.until(id, over)
  reference = { portrait: await portrait(tenant, id), frames: await framesOf(tenant, id) }
  expect(reference.portrait.state).toBe('ready')
  expect(reference.frames.length % (seconds * frameRate)).toBe(0)
  await alone.end('SIGINT')
})

afterAll(async () => {
  await endAllPlatforms()
  await rm(folder, { recursive: true, force: true })
})

test('a big film wakes the encoders, and is what the app alone makes of it; what is left is told at any time', async () => {
  const platform = start({
    FLEET_POOLS: poolsOfTests({ count: 2, goalSeconds: 1 }),
    ENCODE_EXECUTOR: 'auto',
    ...slowFfmpeg(folder, 5),
    ENCODE_FLEET_SECONDS: '1',
    ENCODE_PIXELS_PER_SECOND: '1000000',
    MOVIDONE_BOOT_SECONDS: '2',
  })
  const tenant = await tenantOf(platform)
  const crew = crewOf(platform)
  const fleet = fleetOf(platform)
  for (const { state } of (await fleet.view()).nodes) expect(state).toBe('stopped')

  const id = await tenant.upload(film)
  const stores = await fleet.stores()
  const jobId = `encode-${id}-v1`
  let isOver = false
  const looking = (async () => {
    const samples: Array<{ left: number; parts: number; truth: number }> = []
    while (!isOver) {
      // What is done is written before it is reported: read in this order the one can only be more than the other.
      const offers = await stores.offers.unfinished()
      const units = await stores.units.list(jobId)
      const done = units.filter((unit) => unit.kind === 'chunk' && unit.done && unit.firstSegment > 0)
      const doneFrames = done.reduce((sum, { frames }) => sum + frames, 0)
      const left = offers.reduce((sum, offer) => sum + offer.left, 0)
      const truth = (seconds - 2) * frameRate - doneFrames
      samples.push({ left, parts: offers.length, truth })
      await sleep(200)
    }
    return samples
  })()

  const { asset, stages, percents } = await watched(tenant, id)
  isOver = true
  const told = await looking
  expect(asset.state).toBe('ready')

  // Once each: it does not flicker.
  const shown = stages.filter((stage) => stage === 'encoding' || stage === 'waking-encoders')
  expect(shown.join(' ')).toMatch(/^(encoding )?waking-encoders encoding$/)
  expect(percents).toEqual(percents.toSorted((a, b) => a - b))

  expect(await portrait(tenant, id)).toEqual(reference.portrait)
  expect(await framesOf(tenant, id)).toEqual(reference.frames)

  const [one = [], two = []] = await Promise.all(names.map(crew.done))
  const byWorkers = [...one, ...two]
  console.log(`${one.length} and ${two.length} units by the encoders`)
  expect(byWorkers.length).toBeGreaterThan(5)
  expect(new Set(byWorkers).size).toBe(byWorkers.length)
  // The app's own, whoever is awake.
  expect(byWorkers).not.toContain(`${jobId}.0`)
  expect(byWorkers).not.toContain(`${jobId}.audio`)

  // Frames of all renditions, once all parts are under way: a unit that was made a moment ago may be told yet.
  const area = asset.renditions.reduce((sum, { width = 0, height = 0 }) => sum + width * height, 0)
  const parts = Math.max(...told.map((sample) => sample.parts))
  const begun = told.findIndex((sample) => sample.parts === parts)
  const unitFrames = 4 * frameRate
  let compared = 0
  for (const [n, { left, truth }] of told.entries()) {
    if (n < begun) continue
    const ahead = left / area - truth
    expect(ahead).toBeGreaterThanOrEqual(-unitFrames)
    expect(ahead).toBeLessThanOrEqual(3 * unitFrames)
    compared++
  }
  expect(compared).toBeGreaterThan(5)
  expect(told[begun]?.left).toBeGreaterThan(0.8 * area * (seconds - 2) * frameRate)
  expect(await stores.offers.unfinished()).toEqual([])

  for (const name of names) await fleet.until(name, 'stopped')
  await platform.end('SIGINT')
})

test('where no encoder ever comes, the app does all of it', async () => {
  const platform = start({
    FLEET_POOLS: poolsOfTests({ count: 1, goalSeconds: 1 }),
    ENCODE_EXECUTOR: 'auto',
    ENCODE_FLEET_SECONDS: '1',
    ENCODE_FLEET_PATIENCE_SECONDS: '3',
    ENCODE_PIXELS_PER_SECOND: '1000000',
    MOVIDONE_BOOT_SECONDS: '600',
  })
  const tenant = await tenantOf(platform)
  const fleet = fleetOf(platform)
  const stores = await fleet.stores()

  // Whoever changes their mind meanwhile calls for nobody any more.
  const ends: Array<(id: string) => Promise<{ status: number }>> = [
    (id) => tenant.call('DELETE', `/api/v1/assets/${id}`),
    (id) => tenant.call('POST', `/api/v1/assets/${id}/cancel`),
  ]
  for (const end of ends) {
    const left = await tenant.upload(film)
    await tenant.until(left, ({ progress }) => progress.stage === 'waking-encoders')
    expect((await fleet.view()).demand).toMatchObject({ kind: 'work', seconds: expect.any(Number) })
    expect((await stores.offers.unfinished()).length).toBeGreaterThan(0)
    expect((await end(left)).status).toBeLessThan(300)
    // One that was just being offered is gone in a moment, too.
    await expect.poll(() => stores.offers.unfinished(), { timeout: 2000 }).toEqual([])
    const demand = async () => (await fleet.view()).demand
    await expect.poll(demand, { timeout: 20_000 }).toMatchObject({ seconds: 0, parallel: 0 })
  }

  const id = await tenant.upload(film)
  const { asset, stages } = await watched(tenant, id)
  expect(asset.state).toBe('ready')
  expect(stages).toContain('waking-encoders')
  expect(stages.lastIndexOf('encoding')).toBeGreaterThan(stages.indexOf('waking-encoders'))
  expect(stages.filter((stage) => stage === 'waking-encoders')).toHaveLength(1)
  expect(await portrait(tenant, id)).toEqual(reference.portrait)
  const took = (await crewOf(platform).lines('functions')).filter(({ event }) => event === 'encode.unclaimed')
  const units = took.map(({ unit = '' }) => unit).filter((unit) => unit.includes(id))
  expect(new Set(units).size).toBe(chunks - 1)
  expect(await stores.offers.unfinished()).toEqual([])
  expect(await stores.offers.list(`encode-${id}-v1`)).toEqual([])
  await platform.end('SIGINT')
})

test('while no encoder is there the beginning plays already, and the rest is left to them', async () => {
  const platform = start({
    FLEET_POOLS: poolsOfTests({ count: 1, goalSeconds: 1 }),
    ENCODE_EXECUTOR: 'auto',
    ENCODE_FLEET_SECONDS: '1',
    ENCODE_FLEET_PATIENCE_SECONDS: '600',
    ENCODE_BEGINNING_SECONDS: '20',
    ENCODE_PIXELS_PER_SECOND: '1000000',
    MOVIDONE_BOOT_SECONDS: '600',
  })
  const tenant = await tenantOf(platform)
  const id = await tenant.upload(film)
  const [stages, percents] = [new Set<string>(), [] as number[]]
  await tenant.until(id, ({ progress }) => {
    stages.add(progress.stage)
    percents.push(progress.percent)
    return progress.stage === 'waking-encoders'
  })
  expect(stages).toContain('encoding')
  expect(percents).toEqual(percents.toSorted((a, b) => a - b))
  const playlists = await mediaPlaylists((await tenant.playback(id)).hlsUrl)
  // The opening, and the segments of four seconds that begin before the twentieth.
  const early = [2, 4, 4, 4, 4, 4]
  const listed = async () =>
    (await Promise.all(playlists.map(mediaPlaylist))).map(({ durations }) => durations.map(Math.round))
  // The last two were made side by side.
  await expect.poll(listed, { timeout: 20_000 }).toEqual(playlists.map(() => early))
  for (const playlist of await Promise.all(playlists.map(mediaPlaylist))) {
    expect(playlist.ended).toBe(false)
    for (const segment of playlist.segments) expect((await fetch(segment)).status).toBe(200)
  }
  const lines = await crewOf(platform).lines('functions')
  const byApp = lines.flatMap(({ event, unit = '' }) => (event === 'encode.unclaimed' ? [unit] : []))
  expect(byApp.sort()).toEqual([1, 2, 3, 4, 5].map((chunk) => `encode-${id}-v1.${chunk}`))
  const stores = await fleetOf(platform).stores()
  expect((await stores.offers.unfinished()).every(({ state }) => state === 'queued')).toBe(true)
  await platform.end('SIGINT')
})

test(`encoders that come late, and are killed again and again, share it with the app (SEED=${seed})`, async () => {
  const random = seeded(seed)
  const platform = start({
    FLEET_POOLS: poolsOfTests({ count: 2, goalSeconds: 1 }),
    ENCODE_EXECUTOR: 'auto',
    ...slowFfmpeg(folder, 5),
    ENCODE_FLEET_SECONDS: '1',
    ENCODE_FLEET_PATIENCE_SECONDS: '8',
    ENCODE_PIXELS_PER_SECOND: '1000000',
    UNIT_LEASE_SECONDS: '4',
    MOVIDONE_BOOT_SECONDS: '3',
  })
  const tenant = await tenantOf(platform)
  const crew = crewOf(platform)
  const id = await tenant.upload(film)
  let killed = 0
  while (!over(await tenant.asset(id))) {
    await sleep(3000 + 5000 * random())
    const pid = platform.pidOf(names[Math.floor(random() * names.length)] ?? '')
    if (pid === 0) continue
    try {
      process.kill(pid, 'SIGKILL')
      killed++
    } catch {
      // It was just being started again.
    }
  }
  expect((await tenant.asset(id)).state).toBe('ready')
  expect(await portrait(tenant, id)).toEqual(reference.portrait)
  const byWorkers = (await Promise.all(names.map(crew.done))).flat()
  const lines = await crew.lines('functions')
  const byApp = lines.filter(({ event }) => event === 'encode.unclaimed').map(({ unit = '' }) => unit)
  console.log(`${byApp.length} by the app, ${byWorkers.length} by encoders that were killed ${killed} times`)
  expect(byWorkers.length).toBeGreaterThan(0)
  // Nothing is done by both; what was reported and not heard is done again.
  expect(byApp.filter((unit) => byWorkers.includes(unit))).toEqual([])
  await platform.end('SIGINT')
})

test('a film that is soon done wakes nobody', async () => {
  const platform = start({
    FLEET_POOLS: poolsOfTests({ count: 1 }),
    ENCODE_EXECUTOR: 'auto',
    ENCODE_FLEET_SECONDS: '3600',
  })
  const tenant = await tenantOf(platform)
  const id = await tenant.upload(film)
  const { asset, stages } = await watched(tenant, id)
  expect(asset.state).toBe('ready')
  expect(stages).not.toContain('waking-encoders')
  expect(await portrait(tenant, id)).toEqual(reference.portrait)
  expect(await fleetOf(platform).stateOf('encoder-local-1')).toBe('stopped')
  await platform.end('SIGINT')
})
