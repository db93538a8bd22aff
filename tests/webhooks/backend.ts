// What a tenant's backend is to a file of tests: stores of its own, a receiver that says 200 again after each test, and a check of signatures.
import { createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { type Received, type Receiver, says, startReceiver } from './receiver.ts'
import { startMs } from './stage.ts'

interface Backend {
  readonly server: CosmosServer
  readonly receiver: Receiver
}

/** Both are there from the file's first hook on. */
export function startBackend(run: (backend: Backend) => void | Promise<void>): void {
  let backend: Backend | undefined
  beforeAll(async () => {
    backend = { server: await startCosmos(), receiver: await startReceiver() }
    await run(backend)
  })
  afterAll(async () => {
    await backend?.receiver.close()
    await backend?.server.stop()
  })
  afterEach(() => {
    backend?.receiver.answers(says(200))
    if (backend) backend.receiver.received.length = 0
  })
}

/** As a receiver would, by what the specification says, with nothing of ours; its clock stands still as ours do. */
export function verify({ headers, body }: Received, secret: string): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const expected = createHmac('sha256', key).update(content).digest('base64')
  const given = String(headers['webhook-signature']).split(' ')
  const ageSeconds = Math.abs(startMs / 1000 - Number(headers['webhook-timestamp']))
  return ageSeconds < 300 && given.some((signature) => signature === `v1,${expected}`)
}
