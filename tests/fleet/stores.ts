// The fleet's store on a real Cosmos protocol, and a node's document put into any state that a test begins with.
import { AssetDocument } from '../../shared/assets/model.ts'
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { systemRandom } from '../../shared/core/random.ts'
import { asleep } from '../../shared/fleet/machine.ts'
import { createNodes } from '../../shared/fleet/nodes.ts'
import { poolOf } from '../../shared/fleet/plan.ts'
import type { Node } from '../../shared/fleet/ports.ts'
import { TenantDocument } from '../../shared/tenants/model.ts'
import { startCosmos } from '../support/cosmos.ts'

export const pace = { clock: systemClock, random: systemRandom }
export const schemas = { asset: AssetDocument, tenant: TenantDocument }

export type FleetOnCosmos = Awaited<ReturnType<typeof startFleet>>

/** `given` are the account and database of a server that runs already. */
export async function startFleet(given?: { endpoint: string; key: string; database: string }) {
  const own = given ? undefined : await startCosmos()
  const cosmos = given ?? own!
  const { fleet: store } = createCosmosStores(cosmos, { ...pace, schemas })
  const poolNamed = (id: string) => poolOf(id) ?? 'encoder'
  const find = (id: string) => store.node(poolNamed(id), id)
  return {
    cosmos,
    store,
    nodes: createNodes({ store, clock: systemClock }),
    find,
    /** As whatever moves nodes would leave it; made when nobody ever touched it. */
    set: (id: string, change: Partial<Node> | ((node: Node) => Node)) =>
      store.changeNode(poolNamed(id), id, (node) => {
        const before = node ?? asleep(poolNamed(id), id)
        return typeof change === 'function' ? change(before) : { ...before, ...change, sinceMs: store.now() }
      }),
    /** Resolves with the document once it is so. */
    async until(id: string, so: (node: Node) => boolean, patienceMs = 60_000): Promise<Node> {
      for (const end = Date.now() + patienceMs; ; ) {
        const node = await find(id)
        if (node && so(node)) return node
        if (Date.now() > end) throw new Error(`not so after ${patienceMs / 1000} s: ${JSON.stringify(node)}`)
        await systemClock.wait(20)
      }
    },
    stop: async () => own?.stop(),
  }
}
