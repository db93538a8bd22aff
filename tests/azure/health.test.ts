// Whether the app says that it is well: when every store answers, and without a call of its own for everybody who asks.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApp } from '../../shared/app.ts'
import { loadConfig } from '../../shared/config/index.ts'
import { type BlobServer, startBlobs } from '../support/azurite.ts'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'

let blobs: BlobServer
let cosmos: CosmosServer
let door: FaultProxy
let fault: Fault | undefined

beforeAll(async () => {
  ;[blobs, cosmos] = await Promise.all([startBlobs(), startCosmos()])
  door = await startFaultProxy(cosmos.endpoint, () => fault)
})
afterAll(() => Promise.all([door?.stop(), blobs?.stop(), cosmos?.stop()]))

test('a crowd of questions is one question to the stores, and a store that is away is told', async () => {
  let nowMs = Date.now()
  const config = loadConfig({
    ...{ BLOB_URL: blobs.url, BLOB_ACCOUNT: blobs.account, BLOB_KEY: blobs.key },
    ...{ COSMOS_ENDPOINT: door.origin, COSMOS_KEY: cosmos.key, COSMOS_DATABASE: cosmos.database },
    ...{ KEK_FILE: '/nonexistent', ADMIN_KEY: 'an-admin-key-for-these-tests' },
  })
  const { health } = createApp(config, { clock: { now: () => nowMs, wait: async () => {} } })
  expect(await health()).toMatchObject({ status: 'ok' })
  nowMs += 5000
  const before = door.seen.length
  const answers = await Promise.all(Array.from({ length: 50 }, health))
  expect(answers.every(({ status }) => status === 'ok')).toBe(true)
  expect(door.seen.length - before).toBe(1)

  fault = { status: 503 }
  nowMs += 5000
  await expect(health()).rejects.toMatchObject({ code: 'unavailable' })
  fault = undefined
  expect(await health()).toMatchObject({ status: 'ok' })
})
