// The fleet of a platform, as tests plan it, ask it as an admin, break its resource manager, and read its documents.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AssetDocument } from '../../shared/assets/model.ts'
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { createMachines } from '../../shared/azure/machines.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { systemRandom } from '../../shared/core/random.ts'
import type { Machines, NodeState, PoolName } from '../../shared/fleet/ports.ts'
import type { PoolView } from '../../shared/fleet/schema.ts'
import { TenantDocument } from '../../shared/tenants/model.ts'
import type { PlatformProcess } from './platform-process.ts'

interface PoolOptions {
  readonly count: number
  readonly minimum?: number
  readonly [setting: string]: unknown
}

/** `FLEET_POOLS` of encoders that wake and sleep within a test. */
export const poolsOfTests = ({ count, ...options }: PoolOptions): string =>
  JSON.stringify({
    currency: 'EUR',
    pools: [
      {
        name: 'encoder',
        groups: [{ name: 'local', count, pricePerHour: 0.2 }],
        goalSeconds: 3600,
        coolSeconds: 2,
        staySeconds: 2,
        bootSeconds: 1,
        // Nobody is given up because this machine is slow.
        lateSeconds: 300,
        drainSeconds: 300,
        scarceSeconds: 5,
        budgetPerHour: 100,
        budgetPerMonth: 10_000,
        ...options,
      },
    ],
  })

export type Fleet = ReturnType<typeof fleetOf>

export function fleetOf(
  { local, stateDirectory }: Pick<PlatformProcess, 'local' | 'stateDirectory'>,
  pool: PoolName = 'encoder',
) {
  const portOf = (name: string) => local().processes.find((one) => one.name === name)?.port
  const armUrl = () => `http://127.0.0.1:${portOf('arm')}`
  const armToken = async () => (await readFile(join(stateDirectory, 'arm', 'token'), 'utf8')).trim()

  async function ask(method: string, path: string, body?: unknown): Promise<PoolView> {
    const { apiUrl, adminKey } = local()
    const reply = await fetch(`${apiUrl}/api/v1/fleet/pools/${pool}${path}`, {
      method,
      headers: { 'x-movidone-admin': adminKey, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${await reply.text()}`)
    return (await reply.json()) as PoolView
  }
  const fleet = {
    view: () => ask('GET', ''),
    wake: (nodes: number) => ask('POST', '/wake', { nodes }),
    drain: (order: { nodes?: string[]; keep?: number }) => ask('POST', '/drain', order),
    async stateOf(node: string): Promise<NodeState | undefined> {
      return (await fleet.view()).nodes.find(({ id }) => id === node)?.state
    },
    async until(node: string, state: NodeState, patienceMs = 240_000): Promise<void> {
      const endMs = Date.now() + patienceMs
      for (let is = await fleet.stateOf(node); is !== state; is = await fleet.stateOf(node)) {
        if (Date.now() > endMs)
          throw new Error(`${node} is ${is}, not ${state}, after ${patienceMs / 1000} s`)
        await sleep(200)
      }
    },
    async fault(order: object): Promise<void> {
      const headers = { authorization: `Bearer ${await armToken()}` }
      const init = { method: 'POST', headers, body: JSON.stringify(order) }
      const reply = await fetch(`${armUrl()}/faults`, init)
      if (reply.status !== 201) throw new Error(await reply.text())
    },
    /** As the app asks for them. */
    async machines(): Promise<Machines> {
      const place = { subscription: '00000000-0000-4000-8000-000000000000', group: 'local' }
      const token = await armToken()
      return createMachines(
        { ...place, clientId: undefined, local: { url: armUrl(), token } },
        { clock: systemClock },
      )
    },
    async stores() {
      const key = (await readFile(join(stateDirectory, 'cosmos', 'account-key'), 'utf8')).trim()
      const endpoint = `http://127.0.0.1:${portOf('cosmos')}/`
      return createCosmosStores(
        { endpoint, key, database: 'movidone' },
        {
          ...{ clock: systemClock, random: systemRandom },
          schemas: { asset: AssetDocument, tenant: TenantDocument },
        },
      )
    },
  }
  return fleet
}
