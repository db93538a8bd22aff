// Many uploads of one tenant and one of another: the one does not wait for the many, and a kill takes nobody's place.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { drawFilm } from '../support/film.ts'
import {
  endAllPlatforms,
  type PlatformProcess,
  startPlatform,
  stateFolder,
} from '../support/platform-process.ts'
import { seeded } from '../support/seeded.ts'
import { storedDocuments } from '../support/stored.ts'
import { type AssetView, asTenant, type Tenant } from '../support/tenant.ts'

const many = 20
const places = 2
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const env = { ENCODE_TENANT_TITLES: String(places), TENANT_REQUESTS_PER_SECOND: '1000' }
const patienceMs = 240_000

interface StoredLine {
  readonly id: string
  readonly running: readonly string[]
  readonly waiting: readonly string[]
}

let folder: string
let film: Buffer
const state = stateFolder()
let platform: PlatformProcess

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-fair-'))
  const path = join(folder, 'film.mp4')
  await drawFilm({ path, seconds: 3, frameRate: 12.5, size: '192x108' })
  film = await readFile(path)
})

afterAll(async () => {
  await endAllPlatforms()
  await rm(folder, { recursive: true, force: true })
})

/** A tenant that an admin has just made. */
async function newTenant(): Promise<string> {
  const { apiUrl, adminKey } = platform.local()
  const headers = { 'x-movidone-admin': adminKey, 'content-type': 'application/json' }
  const body = JSON.stringify({ name: 'The other one' })
  const reply = await fetch(`${apiUrl}/api/v1/tenants`, { method: 'POST', headers, body })
  return ((await reply.json()) as { apiKey: string }).apiKey
}

/** Titles as they came: begun already, then by their places, once each has asked for one. */
async function lineOf(tenant: Tenant, ids: string[]): Promise<string[]> {
  for (const untilMs = Date.now() + patienceMs; Date.now() < untilMs; await sleep(100)) {
    const key = `line-${platform.local().tenant.id}`
    const [line] = await storedDocuments<StoredLine>(platform, 'units', key)
    const places = [...(line?.running ?? []), ...(line?.waiting ?? [])]
    const others = await Promise.all(ids.filter((id) => !places.includes(id)).map((id) => tenant.asset(id)))
    if (others.every(begun)) return [...others.map(({ id }) => id), ...places]
  }
  throw new Error('not every title has asked for its place')
}

const begun = ({ progress }: AssetView): boolean => !['uploading', 'queued'].includes(progress.stage)

test(`tenant A’s twenty titles, tenant B’s one, and kill -9 in between (SEED=${seed})`, {
  timeout: 2 * patienceMs,
}, async () => {
  const random = seeded(seed)
  platform = startPlatform(state, { env })
  const { tenant } = await platform.healthy()
  const keys = { a: tenant.apiKey, b: await newTenant() }
  const tenants = (): Record<'a' | 'b', Tenant> => {
    const { apiUrl } = platform.local()
    return { a: asTenant(apiUrl, keys.a), b: asTenant(apiUrl, keys.b) }
  }
  let { a, b } = tenants()
  const ids: string[] = []
  for (let n = 0; n < many; n++) ids.push(await a.upload(film))
  const one = await b.upload(film)
  await b.until(one, ({ playable }) => playable, patienceMs)
  const all = await Promise.all(ids.map((id) => a.asset(id)))
  const ready = all.filter((asset) => asset.state === 'ready').length
  const waiting = all.filter((asset) => !begun(asset)).length
  console.log(`B plays while ${ready} of A’s ${many} are ready and ${waiting} have not begun`)
  expect(ready).toBeLessThan(many / 2)
  expect(waiting).toBeGreaterThan(many / 4)

  const line = await lineOf(a, ids)
  await sleep(random() * 4000)
  for (const { pid, name } of platform.local().processes)
    process.kill(name === 'supervisor' ? pid : -pid, 'SIGKILL')
  await platform.ended
  platform = startPlatform(state, { env })
  await platform.healthy()
  ;({ a, b } = tenants())

  // From here on, whoever begins leaves a place for each who came before it.
  const order: number[] = []
  let most = 0
  for (const untilMs = Date.now() + patienceMs; Date.now() < untilMs; await sleep(100)) {
    // One request sees all of them in one moment.
    const { items } = (await a.call('GET', '/api/v1/assets')).json as { items: AssetView[] }
    const byId = new Map(items.map((asset) => [asset.id, asset]))
    const now = line.map((id) => byId.get(id)).filter((asset) => asset !== undefined)
    expect(now).toHaveLength(many)
    for (const [n, asset] of now.entries()) if (begun(asset) && !order.includes(n)) order.push(n)
    most = Math.max(most, now.filter((asset) => begun(asset) && asset.state === 'encoding').length)
    if (now.every((asset) => asset.state === 'ready')) break
    expect(now.filter((asset) => asset.state === 'failed')).toEqual([])
  }
  expect(order).toHaveLength(many)
  for (const [at, n] of order.entries())
    expect(order.slice(at).filter((later) => later < n).length, order.join(' ')).toBeLessThan(places)
  expect(most).toBeLessThanOrEqual(places)
  expect((await b.until(one, ({ state }) => state === 'ready')).state).toBe('ready')
  await platform.end('SIGINT')
})
