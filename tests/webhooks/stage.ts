// The stage as it is deployed, on a real Cosmos server, with a clock that can be moved on and titles that change at a word.
import { completed, failed, finished, progressed } from '../../shared/assets/machine.ts'
import { type Asset, AssetDocument } from '../../shared/assets/model.ts'
import type { AssetEvent } from '../../shared/assets/ports.ts'
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { systemClock } from '../../shared/core/clock.ts'
import type { TenantId } from '../../shared/core/ids.ts'
import { silentLog } from '../../shared/core/log.ts'
import { systemRandom } from '../../shared/core/random.ts'
import { TenantDocument } from '../../shared/tenants/model.ts'
import { createWebhooks } from '../../shared/webhooks/index.ts'
import type { Delivery } from '../../shared/webhooks/ports.ts'
import { createSend } from '../../shared/webhooks/send.ts'
import type { CosmosServer } from '../support/cosmos.ts'
import { newTenantId, sampleAsset } from '../support/documents.ts'

export type Stage = ReturnType<typeof openStage>

const root = new Uint8Array(32).fill(3)
export const minuteMs = 60_000

/** One process of several: with `prompt` it sends what it changes at once, else all is left to the sweep. */
export function openStage(server: CosmosServer, { prompt = true }: { prompt?: boolean } = {}) {
  let aheadMs = 0
  const clock = { now: () => systemClock.now() + aheadMs, wait: systemClock.wait }
  const announce = (event: AssetEvent) => prompt && webhooks.announce(event)
  const stores = createCosmosStores(server, {
    clock: systemClock,
    random: systemRandom,
    schemas: { asset: AssetDocument, tenant: TenantDocument },
    announce,
  })
  const webhooks = createWebhooks({
    outbox: stores.outbox,
    endpoints: stores.endpoints,
    deliveries: stores.deliveries,
    send: createSend({ clock, allowLocal: true, connectMs: 2000, totalMs: 2500 }),
    secret: async () => root,
    clock,
    random: systemRandom,
    log: silentLog,
    allowLocal: true,
  })
  const change = (asset: Asset, next: (current: Asset) => Asset | 'unchanged') =>
    stores.assets.update(asset.tenantId, asset.id, next)

  return {
    webhooks,
    stores,
    /** All clocks of this process go on by so much. */
    pass(ms: number) {
      aheadMs += ms
    },

    /** A title of the tenant that is being encoded. */
    async encoding(tenantId: TenantId = newTenantId()): Promise<Asset> {
      const asset = sampleAsset({ tenantId })
      await stores.assets.create(asset)
      return change(asset, (current) => completed(current, { etag: '"e"' }, systemClock.now()))
    },
    progress: (asset: Asset, percent: number) =>
      change(asset, (current) =>
        progressed(current, { version: 1, percent, stage: 'encoding' }, systemClock.now()),
      ),
    ready: (asset: Asset) =>
      change(asset, (current) => {
        const timeline = `${asset.tenantId}/${asset.id}/v1/timeline-9.json`
        const facts = { version: 1, timeline, durationSeconds: 8, renditions: [] }
        return finished(current, facts, systemClock.now())
      }),
    fail: (asset: Asset) =>
      change(asset, (current) => failed(current, { version: 1, code: 'encode-failed' }, systemClock.now())),

    register: (tenantId: TenantId, url: string, events: Array<AssetEvent['name']> = ['asset.ready']) =>
      webhooks.add(tenantId, { url, name: '', events, requestHash: url }, systemRandom),
    log: async (tenantId: TenantId, webhookId: string): Promise<Delivery[]> =>
      (await webhooks.deliveries(tenantId, webhookId, { limit: 100 })).items,
  }
}
