// Webhooks of a suspended tenant: nothing is sent while it lasts, and nothing of it is lost that still matters.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createApp } from '../../shared/app.ts'
import { loadConfig } from '../../shared/config/index.ts'
import { silentLog } from '../../shared/core/log.ts'
import { systemRandom as random } from '../../shared/core/random.ts'
import type { CosmosServer } from '../support/cosmos.ts'
import { newTenantId } from '../support/documents.ts'
import { startBackend } from './backend.ts'
import type { Receiver } from './receiver.ts'
import { minuteMs, openStage } from './stage.ts'

let server: CosmosServer
let receiver: Receiver
let folder: string
startBackend(async (backend) => {
  ;({ server, receiver } = backend)
  folder = await mkdtemp(join(tmpdir(), 'movidone-suspended-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const dayMs = 24 * 60 * minuteMs

test('an event waits without a try, and goes out when its tenant is let go on', async () => {
  const stage = openStage(server, { prompt: false })
  const tenantId = newTenantId()
  const { id } = await stage.register(tenantId, receiver.url)
  const states = async () => (await stage.log(tenantId, id)).map(({ state, tries }) => [state, tries])
  const other = await stage.encoding()
  await stage.register(other.tenantId, receiver.url)
  stage.suspended.add(tenantId)
  for (const asset of [await stage.encoding(tenantId), await stage.encoding(tenantId), other])
    await stage.ready(asset)
  for (let day = 0; day < 3; day++) {
    await stage.webhooks.sweep()
    expect(await states()).toEqual(Array(2).fill(['pending', 0]))
    stage.pass(dayMs - minuteMs)
  }
  expect(receiver.received.map(({ body }) => JSON.parse(body).data.tenantId)).toEqual([other.tenantId])
  stage.suspended.delete(tenantId)
  await stage.webhooks.sweep()
  expect(await states()).toEqual(Array(2).fill(['delivered', 1]))
  expect(receiver.received).toHaveLength(3)
})

test('after three days it is cancelled, progress at once; both are sent when that is asked for', async () => {
  const stage = openStage(server, { prompt: false })
  const asset = await stage.encoding()
  const { tenantId } = asset
  const { id } = await stage.register(tenantId, receiver.url, ['asset.ready', 'asset.progress'])
  const log = () => stage.log(tenantId, id)
  const states = async () => (await log()).map(({ event, state }) => `${event} ${state}`).sort()
  stage.suspended.add(tenantId)
  await stage.progress(asset, 50)
  await stage.webhooks.sweep()
  expect(await states()).toEqual(['asset.progress cancelled'])
  await stage.ready(asset)
  await stage.webhooks.sweep()
  expect(await states()).toEqual(['asset.progress cancelled', 'asset.ready pending'])
  stage.pass(3 * dayMs + minuteMs)
  await stage.webhooks.sweep()
  expect(await states()).toEqual(['asset.progress cancelled', 'asset.ready cancelled'])
  expect(receiver.received).toEqual([])
  stage.suspended.delete(tenantId)
  await stage.webhooks.sweep()
  expect(receiver.received).toEqual([])
  for (const { eventId } of await log())
    expect(await stage.webhooks.retry(tenantId, id, eventId)).toMatchObject({ state: 'delivered', tries: 1 })
})

test('the app knows by what an admin said who is suspended', async () => {
  const config = loadConfig({
    ...{ BLOB_URL: 'http://127.0.0.1:1/movidone', BLOB_ACCOUNT: 'movidone', BLOB_KEY: 'a2V5' },
    ...{ COSMOS_ENDPOINT: server.endpoint, COSMOS_KEY: server.key, COSMOS_DATABASE: server.database },
    ...{ KEK_FILE: join(folder, 'kek.pem'), ADMIN_KEY: 'an-admin-key-for-these-tests' },
    WEBHOOK_ALLOW_LOCAL: 'true',
  })
  const { tenants, webhooks } = createApp(config, { log: silentLog })
  const { id: tenantId } = await tenants.create({ name: 'Late payer', requestHash: 'h' }, random)
  const endpoint = { url: receiver.url, name: '', events: [], requestHash: 'h' }
  const { id } = await webhooks.add(tenantId, endpoint, random)
  expect(await webhooks.test(tenantId, id, random)).toMatchObject({ state: 'delivered' })
  await tenants.order(tenantId, { suspended: true })
  const waiting = await webhooks.test(tenantId, id, random)
  expect(waiting).toMatchObject({ state: 'pending', tries: 0 })
  expect(receiver.received).toHaveLength(1)
  await tenants.order(tenantId, { suspended: false })
  expect(await webhooks.retry(tenantId, id, waiting.eventId)).toMatchObject({ state: 'delivered', tries: 1 })
  expect(receiver.received).toHaveLength(2)
})
