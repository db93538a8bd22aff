// What a tenant may do to an encode besides starting the first one: encode a title anew, and cancel what is under way.
import { cancelled, reencoded } from '../assets/machine.ts'
import { type Asset, encodeInstanceId, present } from '../assets/model.ts'
import { encodeOf, latestVersion } from '../assets/next.ts'
import type { AssetStore, SourceStore } from '../assets/ports.ts'
import type { Clock } from '../core/clock.ts'
import type { AssetId, TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { OfferStore } from './ports.ts'

export interface ControlDeps {
  readonly assets: Pick<AssetStore, 'get' | 'update'>
  readonly sources: Pick<SourceStore, 'facts'>
  readonly offers: Pick<OfferStore, 'removeJob'>
  readonly clock: Clock
}

export function createControl({ assets, sources, offers, clock }: ControlDeps) {
  const find = async (tenantId: TenantId, id: string): Promise<Asset> =>
    present(await assets.get(tenantId, id as AssetId))
  /** Workers are woken for what is offered: nothing of a title whose encode has ended may be any more. */
  const withdraw = (asset: Asset): Promise<void> =>
    offers.removeJob(encodeInstanceId(asset.id, latestVersion(asset)))
  return {
    withdraw,

    /** The title as the encode of its next version sees it. While that is under way, asked again it is the same one. */
    async reencode(tenantId: TenantId, id: string): Promise<Asset> {
      const before = await find(tenantId, id)
      const change = (asset: Asset) => reencoded(present(asset), clock.now())
      // What can't be encoded anew refuses before anybody looks for its source.
      change(before)
      const source = await sources.facts(before.source.blob)
      if (!source) throw new Problem('source-gone')
      if (source.etag !== before.source.etag) throw new Problem('source-changed')
      const asset = await assets.update(tenantId, before.id, change)
      return encodeOf(asset, latestVersion(asset))
    },

    /** Units under way look at the title every two seconds, and stop; their orchestration cleans up after them. */
    async cancel(tenantId: TenantId, id: string): Promise<Asset> {
      const { id: assetId } = await find(tenantId, id)
      const asset = await assets.update(tenantId, assetId, (title) => cancelled(present(title), clock.now()))
      await withdraw(asset)
      return asset
    },
  }
}
