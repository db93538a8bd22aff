// Titles that are shared: the app makes what somebody waits for, encoders wake up for the rest, and nobody is waited for in vain.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Crew, crewOf } from '../support/crew.ts'
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
import { setPace, slowFfmpeg } from '../support/slow-ffmpeg.ts'
import { type AssetView, asTenant, type Tenant } from '../support/tenant.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const seconds = 50
const frameRate = 12.5
/** The opening of 2 s, then one of each segment of 4 s. */
const chunks = 1 + Math.ceil((seconds - 2) / 4)
const names = ['encoder-local-1', 'encoder-local-2']
const patience = { timeout: 60_000 }
/** A unit that loses its worker eight times is given up, and its title with it. */
const mostKills = 5
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
function watch(tenant: Tenant, id: string) {
  const stages: string[] = []
  const percents: number[] = []
  const until = (so: (asset: AssetView) => boolean) =>
    tenant.until(id, (now) => {
      const { stage, percent } = now.progress
      if (stages.at(-1) !== stage) stages.push(stage)
      percents.push(percent)
      return so(now)
    })
  return {
    stages,
    percents,
    until,
    untilStage: (stage: string) => until((now) => now.progress.stage === stage),
  }
}

/** Of these two alone, in their order. */
const aboutEncoders = (stages: readonly string[]): string =>
  stages.filter((stage) => stage === 'encoding' || stage === 'waking-encoders').join(' ')

const takenByApp = async (crew: Crew): Promise<string[]> =>
  (await crew.lines('functions')).flatMap(({ event, unit = '' }) =>
    event === 'encode.unclaimed' ? [unit] : [],
  )

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
  const slow = slowFfmpeg(folder, 0)
  const platform = start({
    FLEET_POOLS: poolsOfTests({ count: 2, goalSeconds: 1 }),
    ENCODE_EXECUTOR: 'auto',
    ...slow,
    ENCODE_FLEET_SECONDS: '1',
    ENCODE_FLEET_PATIENCE_SECONDS: '600',
    ENCODE_PIXELS_PER_SECOND: '1000000',
    MOVIDONE_BOOT_SECONDS: '1',
    NODE_DEAD_SECONDS: '120',
  })
  const tenant = await tenantOf(platform)
  const crew = crewOf(platform)
  const fleet = fleetOf(platform)
  for (const { state } of (await fleet.view()).nodes) expect(state).toBe('stopped')

  // No machine comes, and nothing is made, before this was seen.
  const arm = platform.pidOf('arm')
  process.kill(arm, 'SIGSTOP')
  const id = await tenant.upload(film)
  const title = watch(tenant, id)
  await title.untilStage('waking-encoders')
  process.kill(arm, 'SIGCONT')
  for (const name of names) await fleet.until(name, 'ready')
  await title.untilStage('encoding')

  // In frames of all renditions.
  const stores = await fleet.stores()
  const jobId = `encode-${id}-v1`
  const area = reference.portrait.renditions.reduce(
    (sum, { width = 0, height = 0 }) => sum + width * height,
    0,
  )
  const forWorkers = (seconds - 2) * frameRate
  const told = async () => (await stores.offers.unfinished()).reduce((sum, { left }) => sum + left, 0) / area
  const undone = async () => {
    const units = await stores.units.list(jobId)
    const done = units.filter((unit) => unit.kind === 'chunk' && unit.done && unit.firstSegment > 0)
    return done.reduce((left, { frames }) => left - frames, forWorkers)
  }
  await expect.poll(told, patience).toBe(forWorkers)
  let isOver = false
  const looking = (async () => {
    const samples: Array<{ before: number; left: number; after: number }> = []
    while (!isOver) {
      samples.push({ before: await undone(), left: await told(), after: await undone() })
      await sleep(100)
    }
    return samples
  })()
  setPace(slow, 5)
  const asset = await title.until(over)
  isOver = true
  expect(asset.state).toBe('ready')
  // What is done is written before it is reported: by then each of the two may have done a unit that is told yet.
  for (const { before, left, after } of await looking) {
    expect(left).toBeGreaterThanOrEqual(after)
    expect(left).toBeLessThanOrEqual(before + 2 * 4 * frameRate)
  }
  expect(await stores.offers.unfinished()).toEqual([])

  // Once each: it does not flicker.
  expect(aboutEncoders(title.stages)).toMatch(/^(encoding )?waking-encoders encoding$/)
  expect(title.percents).toEqual(title.percents.toSorted((a, b) => a - b))

  expect(await portrait(tenant, id)).toEqual(reference.portrait)
  expect(await framesOf(tenant, id)).toEqual(reference.frames)

  // The opening and the sound are the app's own, whoever is awake.
  const byWorkers = async () => (await Promise.all(names.map(crew.done))).flat().sort()
  const rest = Array.from({ length: chunks - 1 }, (_, n) => `${jobId}.${n + 1}`).sort()
  await expect.poll(byWorkers, patience).toEqual(rest)

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
  const stores = await fleetOf(platform).stores()
  const id = await tenant.upload(film)
  const title = watch(tenant, id)
  expect((await title.until(over)).state).toBe('ready')
  // It waits for encoders once at most, and what the app makes then waits for nobody.
  expect(aboutEncoders(title.stages)).toMatch(/^(encoding ?)?(waking-encoders ?)?(encoding)?$/)
  expect(await portrait(tenant, id)).toEqual(reference.portrait)
  const units = async () => new Set(await takenByApp(crewOf(platform))).size
  await expect.poll(units, patience).toBe(chunks - 1)
  expect(await stores.offers.unfinished()).toEqual([])
  expect(await stores.offers.list(`encode-${id}-v1`)).toEqual([])
  await platform.end('SIGINT')
})

test('while no encoder is there the beginning plays already, and the rest is left to them', async () => {
  const slow = slowFfmpeg(folder, 0)
  const platform = start({
    FLEET_POOLS: poolsOfTests({ count: 1, goalSeconds: 1 }),
    ENCODE_EXECUTOR: 'auto',
    ...slow,
    ENCODE_FLEET_SECONDS: '1',
    ENCODE_FLEET_PATIENCE_SECONDS: '600',
    ENCODE_BEGINNING_SECONDS: '10',
    ENCODE_PIXELS_PER_SECOND: '1000000',
    MOVIDONE_BOOT_SECONDS: '600',
  })
  const tenant = await tenantOf(platform)
  const fleet = fleetOf(platform)
  const stores = await fleet.stores()
  const id = await tenant.upload(film)
  const title = watch(tenant, id)
  await title.untilStage('encoding')
  setPace(slow, 1000)
  await title.untilStage('waking-encoders')
  expect(title.percents).toEqual(title.percents.toSorted((a, b) => a - b))
  const playlists = await mediaPlaylists((await tenant.playback(id)).hlsUrl)
  // The opening, and the segments of four seconds that begin before the tenth.
  const early = [2, 4, 4]
  const listed = async () =>
    (await Promise.all(playlists.map(mediaPlaylist))).map(({ durations }) => durations.map(Math.round))
  // The last two were made side by side.
  await expect.poll(listed, patience).toEqual(playlists.map(() => early))
  for (const playlist of await Promise.all(playlists.map(mediaPlaylist))) {
    expect(playlist.ended).toBe(false)
    for (const segment of playlist.segments) expect((await fetch(segment)).status).toBe(200)
  }
  const byApp = async () => (await takenByApp(crewOf(platform))).sort()
  await expect.poll(byApp, patience).toEqual([1, 2].map((chunk) => `encode-${id}-v1.${chunk}`))
  const states = async () => new Set((await stores.offers.unfinished()).map(({ state }) => state))
  await expect.poll(states, patience).toEqual(new Set(['queued']))

  // Whoever changes their mind meanwhile calls for nobody any more.
  const ends: Array<[string, () => Promise<{ status: number }>]> = [
    [id, () => tenant.call('DELETE', `/api/v1/assets/${id}`)],
  ]
  const other = await tenant.upload(film)
  ends.push([other, () => tenant.call('POST', `/api/v1/assets/${other}/cancel`)])
  await watch(tenant, other).untilStage('waking-encoders')
  const demand = async () => (await fleet.view()).demand
  expect(await demand()).toMatchObject({ kind: 'work' })
  for (const [left, end] of ends) {
    const offers = async () => (await stores.offers.unfinished()).filter(({ assetId }) => assetId === left)
    expect((await offers()).length).toBeGreaterThan(0)
    expect(await demand()).not.toMatchObject({ seconds: 0 })
    expect((await end()).status).toBeLessThan(300)
    // One that was just being offered is soon gone, too.
    await expect.poll(offers, patience).toEqual([])
  }
  await expect.poll(demand, patience).toMatchObject({ seconds: 0, parallel: 0 })
  await platform.end('SIGINT')
})

test(`encoders that come late, and are killed again and again, share it with the app (SEED=${seed})`, async () => {
  const random = seeded(seed)
  const slow = slowFfmpeg(folder, 0)
  const platform = start({
    FLEET_POOLS: poolsOfTests({ count: 2, goalSeconds: 1 }),
    ENCODE_EXECUTOR: 'auto',
    ...slow,
    ENCODE_FLEET_SECONDS: '1',
    ENCODE_FLEET_PATIENCE_SECONDS: '8',
    ENCODE_PIXELS_PER_SECOND: '1000000',
    UNIT_LEASE_SECONDS: '4',
    MOVIDONE_BOOT_SECONDS: '3',
  })
  const tenant = await tenantOf(platform)
  const crew = crewOf(platform)
  const id = await tenant.upload(film)
  const byWorkers = async () => (await Promise.all(names.map(crew.done))).flat()
  // However late they come: the app can't be done before, and nobody is killed before one of them has done something.
  const held = async () => (await Promise.all(names.map(crew.holds))).flat()
  await expect.poll(held, { timeout: 120_000 }).not.toEqual([])
  setPace(slow, 5)
  await expect.poll(byWorkers, patience).not.toEqual([])
  let killed = 0
  while (!over(await tenant.asset(id))) {
    await sleep(3000 * random())
    const pid = platform.pidOf(names[Math.floor(random() * names.length)] ?? '')
    if (pid === 0 || killed === mostKills) continue
    try {
      process.kill(pid, 'SIGKILL')
      killed++
    } catch {
      // It was just being started again.
    }
  }
  expect((await tenant.asset(id)).state).toBe('ready')
  expect(await portrait(tenant, id)).toEqual(reference.portrait)
  const [mine, theirs] = [await takenByApp(crew), await byWorkers()]
  console.log(`${mine.length} by the app, ${theirs.length} by encoders that were killed ${killed} times`)
  // Nothing is done by both; what was reported and not heard is done again.
  expect(mine.filter((unit) => theirs.includes(unit))).toEqual([])
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
  const title = watch(tenant, id)
  expect((await title.until(over)).state).toBe('ready')
  expect(title.stages).not.toContain('waking-encoders')
  expect(await portrait(tenant, id)).toEqual(reference.portrait)
  expect(await fleetOf(platform).stateOf('encoder-local-1')).toBe('stopped')
  await platform.end('SIGINT')
})
