// The fleet's timer, orchestrations and activities on the local engine with the real libraries, and through kills of it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { drainAsked } from '../../shared/fleet/machine.ts'
import type { Node } from '../../shared/fleet/ports.ts'
import { emptyFleet } from '../fleet/empty.ts'
import { type FleetOnCosmos, startFleet } from '../fleet/stores.ts'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { seeded } from '../support/seeded.ts'
import { type DurableHost, discard, freshDirectory, startHost } from './durable-host.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const one = 'encoder-z1-1'
const boot = { id: 'boot', sha256: 'x'.repeat(64), version: '1.0.0' }
const load = { sessions: 0, bytesPerSecond: 0, cpu: 0 }

let cosmos: CosmosServer
let fleet: FleetOnCosmos
let directory: string
let host: DurableHost
let answers = ''

const begin = () =>
  startHost(directory, {
    folder: join(import.meta.dirname, 'app-fleet'),
    env: {
      ...{ COSMOS_ENDPOINT: cosmos.endpoint, COSMOS_KEY: cosmos.key, COSMOS_DATABASE: cosmos.database },
      ...{ RAN_DIRECTORY: directory, ANSWERS: answers },
    },
  })
beforeAll(async () => {
  cosmos = await startCosmos()
  fleet = await startFleet(cosmos)
})
afterAll(() => cosmos?.stop())
beforeEach(async () => {
  await emptyFleet(cosmos)
  directory = freshDirectory()
})
afterEach(async () => {
  await host.stop()
  discard(directory)
})

const asked = (): string[] =>
  existsSync(join(directory, 'asked'))
    ? readFileSync(join(directory, 'asked'), 'utf8').trim().split('\n')
    : []
const isIn =
  (...states: Array<Node['state']>) =>
  (node: Node) =>
    states.includes(node.state)
const hasWork = () => writeFileSync(join(directory, 'work'), JSON.stringify({ seconds: 600, parallel: 1 }))

it('an activity calls for workers; the wake goes through whatever the resource manager says, the drain too', async () => {
  answers = 'throws,later,later'
  hasWork()
  host = await begin()
  const { runtimeStatus } = await host.run('caller', {})
  expect(runtimeStatus).toBe('Completed')
  expect((await fleet.find(one))?.state).toBe('starting')
  await fleet.until(one, () => asked().length >= 4, 150_000)
  expect(asked()).toEqual(['start throws', 'start later', 'start later', 'start begun'])
  await fleet.nodes.register(one, boot)
  expect((await host.settled(`wake-${one}-1`)).runtimeStatus).toBe('Completed')
  await host.says('"fleet.ready"')
  // As a decision would, whose errand never began: a watch finds it.
  const nextOne = host.log().split('"fleet.stranded"').length
  await fleet.set(one, (node) => ({ ...drainAsked(node, 'idle', fleet.store.now()), drivenAtMs: 0 }))
  await host.says('"fleet.stranded"', nextOne)
  for (let n = 0; n < 2; n++) await fleet.nodes.beat(one, boot.id, { holds: [], load })
  await fleet.until(one, isIn('stopped'))
  expect(asked().at(-1)).toBe('deallocate begun')
  expect((await host.settled(`drain-${one}-1`)).runtimeStatus).toBe('Completed')
})

it(`goes on after each kill of the host: woken once, stopped once (SEED=${seed})`, async () => {
  const random = seeded(seed)
  answers = ''
  hasWork()
  host = await begin()
  async function killSoon(): Promise<void> {
    await sleep(random() * 1500)
    await host.kill()
    host = await begin()
  }
  await fleet.until(one, isIn('starting'))
  await killSoon()
  await killSoon()
  await fleet.until(one, () => asked().length > 0)
  await fleet.nodes.register(one, boot)
  expect((await host.settled(`wake-${one}-1`)).runtimeStatus).toBe('Completed')
  await fleet.set(one, (node) => drainAsked(node, 'idle', fleet.store.now()))
  await killSoon()
  for (let n = 0; n < 2; n++) await fleet.nodes.beat(one, boot.id, { holds: [], load })
  writeFileSync(join(directory, 'work'), JSON.stringify({ seconds: 0, parallel: 0 }))
  await killSoon()
  const stopped = await fleet.until(one, isIn('stopped'), 60_000)
  expect(stopped.epoch).toBe(1)
  // A request whose answer was lost with the host is made once more, to the same effect.
  expect(new Set(asked())).toEqual(new Set(['start begun', 'deallocate begun']))
  expect(asked().length).toBeLessThanOrEqual(6)
})
