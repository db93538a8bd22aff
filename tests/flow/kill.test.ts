// kill -9 in the middle of work: the next start goes on, ends with the same result, and keeps all that was acknowledged.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ListedProcess } from '../../host/platform/local-json.ts'
import { processTable, type RunningProcess } from '../../host/platform/process-table.ts'
import { countFrames } from '../support/ffprobe.ts'
import { drawFilm } from '../support/film.ts'
import { mediaPlaylists } from '../support/hls.ts'
import {
  createPersistentTenant,
  type Film,
  filmOf,
  type Life,
  type Title,
} from '../support/persistent-tenant.ts'
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
import { storedBlobs } from '../support/stored.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

const kills = Number(process.env['KILLS'] ?? 20)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const seconds = 16
const frameRate = 12.5
/** A life lasts as long as an encode, on a slow machine as long as a part of it. */
const longestLifeMs = 3000
const longestStartMs = 2000
/** Seconds of film that a second of the clock makes. */
const pace = 6
const env: Record<string, string> = { TENANT_REQUESTS_PER_SECOND: '1000' }

let folder: string
let film: Film
let slow: ReturnType<typeof slowFfmpeg>
/** Encoded in peace: what every other encode of the film must come to, and what it takes. */
let reference: { portrait: Portrait; blobs: string[]; workMs: number }
let calm: PlatformProcess

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-kill-'))
  const path = join(folder, 'film.mp4')
  await drawFilm({ path, seconds, frameRate, size: '192x108' })
  film = filmOf(await readFile(path))
  slow = slowFfmpeg(folder, pace)
  Object.assign(env, slow)
  calm = startPlatform(stateFolder(), { env })
  const tenant = await tenantOf(calm)
  const startedMs = Date.now()
  const id = await tenant.upload(film.bytes)
  await tenant.until(id, ({ state }) => state === 'ready' || state === 'failed')
  const workMs = Date.now() - startedMs
  reference = { portrait: await portrait(tenant, id), blobs: await storedBlobs(calm, id), workMs }
  expect(reference.portrait).toMatchObject({ state: 'ready', durationSeconds: seconds })
  const lists = await mediaPlaylists((await tenant.playback(id)).hlsUrl)
  for (const url of lists.slice(0, -1)) expect((await countFrames(url)).count).toBe(seconds * frameRate)
})

afterAll(async () => {
  await endAllPlatforms()
  await rm(folder, { recursive: true, force: true })
})

async function tenantOf(platform: PlatformProcess): Promise<Tenant> {
  const { apiUrl, tenant } = await platform.healthy()
  return asTenant(apiUrl, tenant.apiKey)
}

async function expectSame(platform: PlatformProcess, tenant: Tenant, assetId: string): Promise<void> {
  expect(await portrait(tenant, assetId)).toEqual(reference.portrait)
  expect(await storedBlobs(platform, assetId)).toEqual(reference.blobs)
}

/** Who is killed at once: all there is, all that are listed (ffmpeg has to notice), or the supervisor (the rest has to). */
const manners = ['all', 'listed', 'supervisor'] as const
type Manner = (typeof manners)[number]

/** Those of this run; before its first part there is only the supervisor. */
function processesOf({ supervisor, local }: PlatformProcess): ListedProcess[] {
  const alone = { name: 'supervisor', pid: supervisor.pid ?? 0, port: 0 }
  try {
    const { processes } = local()
    return processes.some(({ pid }) => pid === alone.pid) ? processes : [alone]
  } catch {
    return [alone]
  }
}

/** The app first: however long this takes, it never finds its stores gone and lives to blame its titles for that. */
function strike(processes: ListedProcess[], manner: Manner): void {
  const isApp = ({ name }: ListedProcess) => name === 'functions'
  for (const { name, pid } of processes.toSorted((a, b) => Number(isApp(b)) - Number(isApp(a)))) {
    if (name !== 'supervisor' && manner === 'supervisor') continue
    kill(name !== 'supervisor' && manner === 'all' ? -pid : pid)
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It was just being started again, or has ended.
  }
}

const parts = ['storage', 'cosmos', 'functions']

/** Every ffmpeg that runs for the platform, or those that do so with that among their arguments. */
function toolsOf(platform: PlatformProcess, argument = ''): number[] {
  const group = platform.pidOf('functions')
  const isTool = ({ command }: RunningProcess) =>
    /^\S*ffmpeg -nostdin /.test(command) && command.includes(argument)
  return processTable().flatMap((one) => (one.group === group && isTool(one) ? [one.pid] : []))
}

describe('kill -9', () => {
  test.each([...parts, parts.join(' and ')])(`of %s (SEED=${seed})`, async (which) => {
    const names = which.split(' and ')
    const random = seeded(seed)
    const id = await (await tenantOf(calm)).upload(film.bytes)
    await sleep(random() * 0.4 * reference.workMs)
    const pids = names.map(calm.pidOf)
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    const old = () => names.filter((name) => pids.includes(calm.pidOf(name)))
    await expect.poll(old, { timeout: 60_000 }).toEqual([])
    // Until the part is back, what needs it is told to try again.
    for (let state = ''; state !== 'ready' && state !== 'failed'; await sleep(100)) {
      const { status, json } = await (await tenantOf(calm)).call('GET', `/api/v1/assets/${id}`)
      expect([200, 503]).toContain(status)
      state = json.state ?? 'away'
    }
    await expectSame(calm, await tenantOf(calm), id)
  })

  test(`of every ffmpeg (SEED=${seed})`, async () => {
    const tenant = await tenantOf(calm)
    // Those of pictures do not end before they are hit.
    setPace(slow, 0.25)
    const id = await tenant.upload(film.bytes)
    await expect.poll(() => toolsOf(calm, 'libx264'), { timeout: 60_000 }).not.toEqual([])
    await sleep(seeded(seed)() * 1000)
    setPace(slow, pace)
    for (const pid of toolsOf(calm)) kill(pid)
    await tenant.until(id, ({ state }) => state === 'ready' || state === 'failed')
    await expectSame(calm, tenant, id)
  })

  test(`of everything, ${kills} times (SEED=${seed})`, { timeout: 120_000 + kills * 20_000 }, async () => {
    await calm.end('SIGINT')
    const stateDirectory = stateFolder()
    const started = new Set<number>()
    const hits: string[] = []
    let platform = calm
    let killed: ListedProcess[] = []
    const tenant = createPersistentTenant(film, (life, { id }) => expectSame(platform, life.tenant, id))

    async function begin(random: () => number): Promise<Life> {
      const { apiUrl, adminKey } = await platform.healthy()
      expect(await untilNoneRuns(killed), 'left behind').toEqual([])
      killed = []
      return { tenant: await tenantOf(platform), apiUrl, adminKey, random, over: false }
    }
    async function end(manner: Manner): Promise<void> {
      const processes = processesOf(platform)
      for (const { pid } of processes) started.add(pid)
      strike(processes, manner)
      await platform.ended
      // Where the supervisor alone was killed, the next start finds its parts still running.
      if (manner === 'supervisor') killed.push(...processes)
      else expect(await untilNoneRuns(processes), `left behind by ${manner}`).toEqual([])
    }
    async function oneLife(round: number): Promise<void> {
      const random = seeded(seed + round * 7919)
      const manner = manners[Math.floor(random() * manners.length)] ?? 'all'
      const isEarly = random() < 0.2
      platform = startPlatform(stateDirectory, { env })
      if (isEarly) {
        hits.push('starting')
        await sleep(random() * longestStartMs)
        return end(manner)
      }
      const life = await begin(random)
      const working = tenant.work(life)
      await Promise.race([working, sleep(random() * Math.min(reference.workMs, longestLifeMs))])
      life.over = true
      hits.push(tenant.titles.at(-1)?.stage ?? 'checking')
      await Promise.all([end(manner), working])
    }
    async function endGently(): Promise<void> {
      const { processes } = platform.local()
      expect(await platform.end('SIGINT')).toBe(0)
      expect(await untilNoneRuns(processes)).toEqual([])
    }
    async function lastLife(): Promise<void> {
      platform = startPlatform(stateDirectory, { env })
      const life = await begin(seeded(seed))
      await tenant.check(life)
      // What the last kill cut off, then one more: all is as it was.
      await tenant.finishOne(life)
      await tenant.finishOne(life)
      await tenant.check(life)
      await endGently()
      // A title is ready, or gone, a moment before what made it so has ended: the next start goes on with that.
      for (let starts = 0; starts < 5 && unfinished(stateDirectory).length > 0; starts++) {
        platform = startPlatform(stateDirectory, { env })
        await begin(seeded(seed))
        await sleep(5000)
        await endGently()
      }
    }

    try {
      for (let round = 0; round < kills; round++) await oneLife(round)
      await lastLife()
      checkOrchestrations(stateDirectory, tenant.titles)
      expect(await workFoldersOf(started)).toEqual([])
    } catch (error) {
      const where = `SEED=${seed} KILLS=${hits.length}, kills while ${hits.join(', ')}`
      throw new Error(`${where}: ${(error as Error).message}\n${platform.printed()}`, { cause: error })
    }
    const counts = [...Map.groupBy(hits, (hit) => hit)].map(([hit, all]) => `${all.length} ${hit}`)
    console.log(
      `kills while ${counts.join(', ')}; ${tenant.titles.length} titles, ${tenant.promises.count} promises`,
    )
  })
})

type Rows = Array<Record<string, unknown>>

function query(stateDirectory: string): { all: (sql: string) => Rows; close: () => void } {
  const file = join(stateDirectory, 'functions', 'durable', 'durable.sqlite')
  const database = new DatabaseSync(file, { readOnly: true })
  return { all: (sql) => database.prepare(sql).all() as Rows, close: () => database.close() }
}

/** Orchestrations, and whatever waits for anything. */
function unfinished(stateDirectory: string): Rows {
  const { all, close } = query(stateDirectory)
  const instances = all("SELECT id, status FROM instances WHERE status <> 'Completed'")
  const waiting = ['inbox', 'activities', 'timers'].flatMap((table) => all(`SELECT * FROM ${table}`))
  close()
  return [...instances, ...waiting]
}

/** Each title was encoded by one orchestration, which ended well; nothing waits for anything any more. */
function checkOrchestrations(stateDirectory: string, titles: readonly Title[]): void {
  const { all, close } = query(stateDirectory)
  const encodes = all("SELECT id, output FROM instances WHERE name = 'encode-asset'")
  expect(encodes.map(({ id }) => id).toSorted()).toEqual(titles.map(({ id }) => `encode-${id}-v1`).toSorted())
  for (const { id, output } of encodes) expect(output, String(id)).toBe('{"ok":true}')
  // A unit that a kill cut off has not failed: its attempts are not used up, and no retry makes it wait.
  const failures = "SELECT instanceId, event FROM history WHERE json_extract(event, '$.EventType') = 6"
  // What cleans up may meet a store that was killed a moment before the app: it tries again, and ends well, as below.
  const metNoStore = ({ instanceId, event }: Record<string, unknown>) =>
    /^clean-/.test(String(instanceId)) && String(event).includes('Try again after')
  expect(all(failures).filter((one) => !metNoStore(one))).toEqual([])
  close()
  expect(unfinished(stateDirectory)).toEqual([])
}

/** Where ffmpeg works; those of killed processes are swept by the next one that encodes. */
async function workFoldersOf(pids: ReadonlySet<number>): Promise<string[]> {
  const names = await readdir(tmpdir())
  return names.filter((name) => pids.has(Number(/^movidone-work-(\d+)-/.exec(name)?.[1])))
}
