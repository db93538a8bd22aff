// Webhooks on the whole platform: what real titles come to is told to a real receiver, whatever is killed on the way.
import { createHmac } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { drawFilm } from '../support/film.ts'
import { killed } from '../support/killed.ts'
import {
  endAllPlatforms,
  type PlatformProcess,
  startPlatform,
  stateFolder,
} from '../support/platform-process.ts'
import { seeded } from '../support/seeded.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'
import { type Received, type Receiver, says, startReceiver } from '../webhooks/receiver.ts'

const kills = Number(process.env['KILLS'] ?? 4)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const all = ['asset.ready', 'asset.failed', 'asset.progress']
const webhooks = '/api/v1/webhooks'

interface Registered {
  readonly id: string
  readonly secret: string
}

let folder: string
let film: Buffer
let receiver: Receiver
let platform: PlatformProcess
let tenant: Tenant

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-webhooks-'))
  const path = join(folder, 'film.mp4')
  await drawFilm({ path, seconds: 6, frameRate: 25, size: '320x180' })
  film = await readFile(path)
  receiver = await startReceiver()
  await begin(stateFolder())
})
afterAll(async () => {
  await endAllPlatforms()
  await receiver?.close()
  await rm(folder, { recursive: true, force: true })
})
afterEach(() => {
  receiver.answers(says(200))
  receiver.received.length = 0
})

async function begin(stateDirectory: string): Promise<void> {
  platform = startPlatform(stateDirectory)
  const { apiUrl, tenant: local } = await platform.healthy()
  tenant = asTenant(apiUrl, local.apiKey)
}

const register = (url: string, events: string[]) =>
  tenant.expectStatus<Registered>(201, tenant.call('POST', webhooks, { url, events }))

const told = ({ headers, body }: Received) => {
  const { type, data } = JSON.parse(body)
  return { id: String(headers['webhook-id']), type, title: data.asset?.id, sequence: data.sequence, body }
}

function isSigned({ headers, body }: Received, secret: string): boolean {
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const expected = `v1,${createHmac('sha256', key).update(content).digest('base64')}`
  return String(headers['webhook-signature']).split(' ').includes(expected)
}

/** What the timer does each minute, now. */
async function sweep(): Promise<void> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
  const { apiUrl } = platform.local()
  expect((await fetch(`${apiUrl}/admin/functions/webhooks-sweep`, init)).status).toBe(202)
}

describe('a backend', () => {
  test('is told how a title goes on, that it is ready, and that another failed', async () => {
    const { id, secret } = await register(receiver.url, all)
    const ready = await tenant.upload(film)
    const failed = await tenant.upload(Buffer.from('this is not a film, however long it goes on'.repeat(100)))
    await tenant.until(ready, ({ state }) => state === 'ready' || state === 'failed')
    const readyAtMs = Date.now()
    /** Of each event, however often it came. */
    const types = (title: string) => {
      const events = new Map(receiver.received.map(told).map((one) => [one.id, one]))
      return [...events.values()].flatMap((one) => (one.title === title ? [one.type] : []))
    }
    await expect.poll(() => types(ready)).toContain('asset.ready')
    console.log(`asset.ready was heard within ${Date.now() - readyAtMs} ms of the first look that saw it`)
    await expect.poll(() => types(failed)).toEqual(['asset.failed'])
    expect(types(ready).filter((type) => type === 'asset.ready')).toHaveLength(1)
    await expect.poll(() => types(ready)).toContain('asset.progress')
    for (const one of receiver.received) expect(isSigned(one, secret)).toBe(true)
    const last = receiver.received.map(told).find(({ type }) => type === 'asset.ready')
    expect(JSON.parse(last?.body ?? '').data.asset).toEqual(await tenant.asset(ready))

    interface Logged {
      readonly eventId: string
      readonly state: string
      readonly tries: number
    }
    const log = async (): Promise<Logged[]> =>
      (await tenant.call('GET', `${webhooks}/${id}/deliveries`)).json.items
    // What was heard is noted a moment later.
    await expect.poll(async () => (await log()).every(({ state }) => state === 'delivered')).toBe(true)
    const heard = new Set(receiver.received.map((one) => told(one).id))
    expect((await log()).map(({ eventId }) => eventId).toSorted()).toEqual([...heard].toSorted())
    const { tries = 0 } = (await log()).find(({ eventId }) => eventId === last?.id) ?? {}
    const again = await tenant.call('POST', `${webhooks}/${id}/deliveries/${last?.id}/retry`)
    expect(again).toMatchObject({ status: 200, json: { state: 'delivered', tries: tries + 1 } })
    expect(told(receiver.received.at(-1) as Received).body).toBe(last?.body)
    expect((await tenant.call('DELETE', `${webhooks}/${id}`)).status).toBe(204)
    expect((await tenant.call('GET', webhooks)).json.items).toEqual([])
  })

  test('sees what a test came to, and a new secret beside the old one', async () => {
    const { id, secret } = await register(receiver.url, ['asset.ready'])
    receiver.answers(says(500))
    const tested = await tenant.call('POST', `${webhooks}/${id}/test`)
    expect(tested).toMatchObject({ status: 200, json: { state: 'pending', attempts: [{ status: 500 }] } })
    const rotated = await tenant.call('POST', `${webhooks}/${id}/rotate`)
    receiver.answers(says(200))
    await tenant.call('POST', `${webhooks}/${id}/test`)
    const last = receiver.received.at(-1) as Received
    expect([isSigned(last, secret), isSigned(last, rotated.json.secret)]).toEqual([true, true])
    await tenant.call('DELETE', `${webhooks}/${id}`)
  })

  test('registers once however often its request is repeated, and only where webhooks may go', async () => {
    const headers = { 'idempotency-key': 'webhook-of-a-lost-answer' }
    const add = (url: string) => tenant.call('POST', webhooks, { url }, headers)
    const [one, two] = [await add(receiver.url), await add(receiver.url)]
    expect(one).toMatchObject({ status: 201 })
    expect(two.json).toEqual(one.json)
    expect(await add(`${receiver.url}/other`)).toMatchObject({ status: 422 })
    for (const url of ['ftp://127.0.0.1/', 'http://me:secret@127.0.0.1/', 'nonsense'])
      expect(await tenant.call('POST', webhooks, { url })).toMatchObject({
        status: 400,
        json: { errors: [{ pointer: '/url' }] },
      })
    // This machine, where that is allowed; its neighbours never.
    const inside = await register('http://169.254.169.254/latest/meta-data', ['asset.ready'])
    const refused = await tenant.call('POST', `${webhooks}/${inside.id}/test`)
    expect(refused.json.attempts).toMatchObject([{ error: 'address-not-allowed' }])
    const allowed = await tenant.call('POST', `${webhooks}/${one.json.id}/test`)
    expect(allowed.json.attempts).toMatchObject([{ status: 200 }])
    for (const id of [inside.id, one.json.id]) await tenant.call('DELETE', `${webhooks}/${id}`)
  })
})

test(`kill -9 of everything, ${kills} times: each end of a title is told (SEED=${seed})`, {
  timeout: 600_000,
}, async () => {
  const random = seeded(seed)
  const { secret } = await register(receiver.url, all)
  const titles: string[] = []
  receiver.answers((response, request) => says(random() < 0.2 ? 503 : 200)(response, request))
  for (let round = 0; round < kills; round++) {
    titles.push(await tenant.upload(film), await tenant.upload(Buffer.from('no film'.repeat(50))))
    await sleep(random() * 5000)
    for (const { name, pid } of platform.local().processes) killed(name === 'supervisor' ? pid : -pid)
    await platform.ended
    await begin(platform.stateDirectory)
  }
  for (const id of titles) await tenant.until(id, ({ state }) => state === 'ready' || state === 'failed')
  const heard = () =>
    receiver.received
      .map(told)
      .flatMap(({ type, title }) => (type === 'asset.progress' ? [] : [`${title} ${type}`]))
  const expected = titles.map((id, n) => `${id} ${n % 2 === 0 ? 'asset.ready' : 'asset.failed'}`)
  await expect
    .poll(
      async () => {
        await sweep()
        return expected.filter((one) => !heard().includes(one))
      },
      { timeout: 300_000, interval: 2000 },
    )
    .toEqual([])
  expect([...new Set(heard())].toSorted()).toEqual(expected.toSorted())
  const byId = Map.groupBy(receiver.received.map(told), ({ id }) => id)
  for (const [id, same] of byId) expect([id, new Set(same.map(({ body }) => body)).size]).toEqual([id, 1])
  for (const one of receiver.received) expect(isSigned(one, secret)).toBe(true)
  console.log(`${titles.length} titles, ${byId.size} events heard in ${receiver.received.length} requests`)
})
