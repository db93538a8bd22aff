// kill -9 between a change and its event, again and again: each that was acknowledged arrives, and a second time as the same.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { newTenantId } from '../support/documents.ts'
import { seeded } from '../support/seeded.ts'
import { type Receiver, says, startReceiver } from './receiver.ts'
import { minuteMs, openStage } from './stage.ts'

const kills = Number(process.env['KILLS'] ?? 8)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const program = fileURLToPath(new URL('changer.ts', import.meta.url))

let server: CosmosServer
let receiver: Receiver
beforeAll(async () => {
  server = await startCosmos()
  receiver = await startReceiver()
})
afterAll(async () => {
  await receiver?.close()
  await server?.stop()
})

test(`no event is lost over ${kills} kills (SEED=${seed})`, {
  timeout: 180_000 + kills * 10_000,
}, async () => {
  const random = seeded(seed)
  const stage = openStage(server, { prompt: false })
  const tenantId = newTenantId()
  await stage.register(tenantId, receiver.url, ['asset.ready', 'asset.failed', 'asset.progress'])
  // One in eight is not taken at first, so that kills meet repetitions too.
  receiver.answers((response, request) => says(random() < 0.125 ? 503 : 200)(response, request))

  const acknowledged: string[] = []
  let cutOff = 0
  for (let round = 0; round < kills; round++) {
    const settings = JSON.stringify({ server: { ...server }, tenantId })
    const child = spawn(process.execPath, [program, settings], { stdio: ['ignore', 'pipe', 'inherit'] })
    const closed = once(child, 'close')
    // In the middle of a change, however fast the machine makes them.
    let most = 1 + Math.floor(random() * 12)
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged.push(line)
      if (--most === 0) void sleep(random() * 20).then(() => child.kill('SIGKILL'))
    }
    await closed
    expect(most).toBeLessThanOrEqual(0)
    cutOff += (await stage.stores.outbox.pending(5000)).length
  }

  // One that fails ends the lane for that sweep, so how many it takes is the receiver's affair.
  const untold = async () =>
    (await stage.stores.deliveries.due(Number.MAX_SAFE_INTEGER, 5000)).filter(({ tries }) => tries === 0)
  let sweeps = 0
  do {
    stage.pass(2 * minuteMs)
    await stage.webhooks.sweep()
    sweeps++
  } while ((await untold()).length > 0)
  expect(await stage.stores.outbox.pending(5000)).toEqual([])

  const heard = receiver.received.map(({ headers, body }) => {
    const { type, data } = JSON.parse(body)
    return { id: headers['webhook-id'], what: `${data.asset.id} ${type}`, sequence: data.sequence, body }
  })
  const missing = acknowledged.filter((what) => !heard.some((one) => one.what === what))
  expect(missing).toEqual([])
  // Each event has one id and one body, however often it came; each id is one event.
  const byId = Map.groupBy(heard, ({ id }) => id)
  for (const [id, same] of byId) expect([id, new Set(same.map(({ body }) => body)).size]).toEqual([id, 1])
  const byWhat = Map.groupBy(heard, ({ what }) => what)
  for (const [what, same] of byWhat) expect([what, new Set(same.map(({ id }) => id)).size]).toEqual([what, 1])
  expect(byId.size).toBe(byWhat.size)
  console.log(
    `${kills} kills: ${acknowledged.length} acknowledged, ${byId.size} events heard in ${heard.length} requests, ${cutOff} found in the outbox, ${sweeps} sweeps`,
  )
})
