// The stage as it is deployed, on a real Cosmos server, with a clock that stands still and titles that change at a word.
import { completed, failed, finished, progressed } from '../../shared/assets/machine.ts'
import { type Asset, AssetDocument } from '../../shared/assets/model.ts'
import type { AssetEvent, Outbox } from '../../shared/assets/ports.ts'
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { type Clock, systemClock } from '../../shared/core/clock.ts'
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
/** The same for all processes of a test. */
export const startMs = systemClock.now()

/** Time that passes only when a test says so; and nobody who waits is awake before it says that too. */
function stillClock() {
  let nowMs = startMs
  const sleeping: Array<{ untilMs: number; wake: () => void }> = []
  return {
    now: () => nowMs,
    wait: (ms: number) =>
      new Promise<void>((wake) => (ms > 0 ? sleeping.push({ untilMs: nowMs + ms, wake }) : wake())),
    pass(ms: number) {
      nowMs += ms
    },
    sleeping: () => sleeping.filter(({ untilMs }) => untilMs > nowMs).length,
    wake() {
      for (const { untilMs, wake } of sleeping) if (untilMs <= nowMs) wake()
    },
  }
}

interface StageOptions {
  /** It sends what it changes at once; else all is left to the sweep. */
  readonly prompt?: boolean
  /** Instead of the one that stands still. */
  readonly clock?: Clock
  /** What goes wrong with its outbox. */
  readonly outbox?: (of: Outbox) => Outbox
}

/** One process of several. */
export function openStage(server: CosmosServer, { prompt = true, ...options }: StageOptions = {}) {
  const still = stillClock()
  const clock = options.clock ?? still
  const suspended = new Set<TenantId>()
  const announce = (event: AssetEvent) => prompt && webhooks.announce(event)
  const stores = createCosmosStores(server, {
    clock: systemClock,
    random: systemRandom,
    schemas: { asset: AssetDocument, tenant: TenantDocument },
    announce,
  })
  const webhooks = createWebhooks({
    outbox: options.outbox?.(stores.outbox) ?? stores.outbox,
    endpoints: stores.endpoints,
    deliveries: stores.deliveries,
    isSuspended: async (tenantId) => suspended.has(tenantId),
    send: createSend({ clock, allowLocal: true, connectMs: minuteMs, totalMs: minuteMs }),
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
    suspended,
    /** All clocks of this process go on by so much, as if it were another one: what waits in it sleeps on. */
    pass: still.pass,
    /** How many in it wait. */
    sleeping: still.sleeping,
    /** Whoever has waited long enough goes on. */
    wake: still.wake,

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
