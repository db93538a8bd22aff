// Fleet, as an admin sees it: its pools and their nodes, what they cost; nodes are woken and sent to sleep on demand.
import { DrainOrder, PoolList, PoolView, WakeOrder } from '../shared/fleet/schema.ts'
import { http, type StageDefinitions } from './definition.ts'
import { drive } from './hand-off.ts'

const poolsList = http({
  name: 'fleet-pools',
  methods: ['GET'],
  path: 'api/v1/fleet/pools',
  auth: 'admin',
  summary: 'All pools of virtual machines, with their nodes and what they cost',
  reply: { 200: PoolList },
  run: async ({ app }) => ({ items: await app.fleet.list() }),
})

const poolRead = http({
  name: 'fleet-pool',
  methods: ['GET'],
  path: 'api/v1/fleet/pools/{pool}',
  auth: 'admin',
  summary: 'One pool',
  reply: { 200: PoolView },
  run: ({ app, params }) => app.fleet.view(params['pool'] ?? ''),
})

const poolWake = http({
  name: 'fleet-pool-wake',
  methods: ['POST'],
  path: 'api/v1/fleet/pools/{pool}/wake',
  auth: 'admin',
  summary: 'Keep so many nodes awake for a while, within the maximum and the budget of the pool',
  body: WakeOrder,
  reply: { 202: PoolView },
  durable: true,
  run: async ({ app, params, body, orchestrations }) => {
    const { view, errands } = await app.fleet.wake(params['pool'] ?? '', body)
    await drive(app, orchestrations, errands)
    return view
  },
})

const poolDrain = http({
  name: 'fleet-pool-drain',
  methods: ['POST'],
  path: 'api/v1/fleet/pools/{pool}/drain',
  auth: 'admin',
  summary:
    'Send nodes to sleep: those that are named, or all but so many for a while; they finish what they hold',
  body: DrainOrder,
  reply: { 202: PoolView },
  durable: true,
  run: async ({ app, params, body, orchestrations }) => {
    const { view, errands } = await app.fleet.drain(params['pool'] ?? '', body)
    await drive(app, orchestrations, errands)
    return view
  },
})

const poolLift = http({
  name: 'fleet-pool-lift',
  methods: ['DELETE'],
  path: 'api/v1/fleet/pools/{pool}/orders',
  auth: 'admin',
  summary: 'Take back what an admin asked of a pool: what is decided counts alone again',
  reply: { 202: PoolView },
  durable: true,
  run: async ({ app, params, orchestrations }) => {
    const { view, errands } = await app.fleet.lift(params['pool'] ?? '')
    await drive(app, orchestrations, errands)
    return view
  },
})

export const fleetPools: StageDefinitions = {
  servedBy: 'api',
  definitions: [poolsList, poolRead, poolWake, poolDrain, poolLift],
}
