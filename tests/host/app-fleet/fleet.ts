// The fleet's own definitions on the engine, bound as the application binds them; only the machines are a file.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bind } from '../../../functions/bind.ts'
import type { Definition } from '../../../functions/definition.ts'
import { fleetWatch } from '../../../functions/fleet-watch.ts'
import { drive } from '../../../functions/hand-off.ts'
import type { App } from '../../../shared/app.ts'
import { AssetDocument } from '../../../shared/assets/model.ts'
import { createCosmosStores } from '../../../shared/azure/cosmos.ts'
import { systemClock } from '../../../shared/core/clock.ts'
import { consoleLog } from '../../../shared/core/log.ts'
import { systemRandom } from '../../../shared/core/random.ts'
import { decide } from '../../../shared/fleet/decide.ts'
import { createFleet } from '../../../shared/fleet/index.ts'
import type { Asked, Machines, Power } from '../../../shared/fleet/ports.ts'
import { TenantDocument } from '../../../shared/tenants/model.ts'
import { sampleFleet, sampleGroup, samplePlan } from '../../fleet/documents.ts'
import '../app-durable/binding.ts'

const {
  COSMOS_ENDPOINT = '',
  COSMOS_KEY = '',
  COSMOS_DATABASE = '',
  RAN_DIRECTORY = '.',
  ANSWERS = '',
} = process.env
const path = (name: string) => join(RAN_DIRECTORY, name)
const power = (): Power =>
  existsSync(path('power')) ? (readFileSync(path('power'), 'utf8') as Power) : 'deallocated'
const asked = (): string[] =>
  existsSync(path('asked')) ? readFileSync(path('asked'), 'utf8').trim().split('\n') : []

/** The first requests get the answers of the script, all others are obeyed. */
async function ask(what: string, then: Power): Promise<Asked> {
  const is = ANSWERS.split(',')[asked().length] || 'begun'
  appendFileSync(path('asked'), `${what} ${is}\n`)
  if (is === 'throws') throw new Error('the resource manager can not be reached')
  if (is === 'later') return { is, waitSeconds: 0.2 }
  writeFileSync(path('power'), then)
  return { is: 'begun' }
}
const machines: Machines = {
  start: () => ask('start', 'running'),
  deallocate: () => ask('deallocate', 'deallocated'),
  look: async () => ({ power: power() }),
  all: async () => new Map([['encoder-z1-1', { power: power() }]]),
}

const stores = createCosmosStores(
  { endpoint: COSMOS_ENDPOINT, key: COSMOS_KEY, database: COSMOS_DATABASE },
  { clock: systemClock, random: systemRandom, schemas: { asset: AssetDocument, tenant: TenantDocument } },
)
const work = existsSync(path('work'))
  ? JSON.parse(readFileSync(path('work'), 'utf8'))
  : { seconds: 0, parallel: 0 }
const pool = samplePlan({ groups: [sampleGroup({ count: 1 })], maximum: 1, lateMs: 60_000 })
const fleet = createFleet({
  plan: { ...sampleFleet(pool), beatMs: 1000, deadMs: 10_000 },
  store: stores.fleet,
  machines,
  backlog: { read: async () => work },
  decide,
  clock: systemClock,
  log: consoleLog,
  pace: { lookMs: 200, strandedMs: 4000, awayMs: 500 },
})

/** As encode calls for workers: an activity that starts the errands that its call came to. */
const call: Definition = {
  kind: 'activity',
  name: 'call',
  durable: true,
  run: async (app, _input, orchestrations) => drive(app, orchestrations, await app.fleet.call('encoder')),
}
const caller: Definition = {
  kind: 'orchestrator',
  name: 'caller',
  run: function* (context) {
    const retry = { firstRetryIntervalInMilliseconds: 1000, maxNumberOfAttempts: 2 }
    yield context.df.callActivityWithRetry('call', retry as never, {})
  },
}
const app = { fleet, log: consoleLog } as unknown as App
/** What the watch finds is found at once: nobody waits here for its ten seconds. */
const soon = (one: Definition): Definition =>
  one.kind === 'timer' ? { ...one, schedule: '* * * * * *' } : one
for (const definition of [...fleetWatch.definitions.map(soon), call, caller]) bind(definition, app)
