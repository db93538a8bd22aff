// Titles as their tenant sees them: list, read, rename, delete.
import { type Clock, isoTime } from '../core/clock.ts'
import type { AssetId, TenantId } from '../core/ids.ts'
import type { Page, PageQuery } from '../core/page.ts'
import { removed, sessionsEnded } from './machine.ts'
import { type Asset, type AssetView, present, viewAsset } from './model.ts'
import type { AssetStore } from './ports.ts'

export interface Assets {
  list(tenantId: TenantId, page: PageQuery): Promise<Page<AssetView>>
  /** Throws `not-found` for what is not there, is deleted, or is another tenant's. */
  get(tenantId: TenantId, id: string): Promise<Asset>
  rename(tenantId: TenantId, id: string, title: string): Promise<Asset>
  /** Sessions of this title that were opened until `atMs` are over. */
  endSessions(tenantId: TenantId, id: string, atMs: number): Promise<void>
  /** Nobody sees the title any more; returns it as it was, so that what belongs to it can be cleaned. */
  remove(tenantId: TenantId, id: string): Promise<Asset>
}

export function createAssets({ store, clock }: { store: AssetStore; clock: Clock }): Assets {
  const get = async (tenantId: TenantId, id: string): Promise<Asset> =>
    present(await store.get(tenantId, id as AssetId))
  return {
    get,
    async list(tenantId, page) {
      const found = await store.list(tenantId, page)
      return { ...found, items: found.items.filter((asset) => !asset.deletedAt).map(viewAsset) }
    },
    rename: (tenantId, id, title) =>
      store.update(tenantId, id as AssetId, (asset) => ({
        ...present(asset),
        title,
        updatedAt: isoTime(clock.now()),
      })),
    async endSessions(tenantId, id, atMs) {
      await store.update(tenantId, id as AssetId, (asset) =>
        sessionsEnded(present(asset), { atMs }, clock.now()),
      )
    },
    async remove(tenantId, id) {
      const before = await get(tenantId, id)
      await store.update(tenantId, before.id, (asset) => removed(asset, clock.now()))
      return before
    },
  }
}
