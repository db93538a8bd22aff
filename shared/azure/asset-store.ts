// Titles, in the container `assets`: a partition a tenant.
import type { Asset, AssetStore } from '../assets/ports.ts'
import type { Documents } from './documents.ts'

// A bound on memory, far beyond what is ever encoded at once: a sweep finds again whatever is well, and must see past it.
const staleAtOnce = 5000

export function createAssetStore(assets: Documents<Asset>): AssetStore {
  return {
    create: assets.create,
    get: assets.get,
    update: assets.update,
    remove: assets.remove,
    list: (tenantId, page) => assets.page(tenantId, { ...page, newestBy: 'createdAt' }),
    findStale({ state, updatedBefore, uncleaned }) {
      const filter = 'c.state = @state AND c.updatedAt < @updatedBefore'
      return assets.find(
        uncleaned ? `${filter} AND NOT IS_DEFINED(c.cleanedAt)` : filter,
        { state, updatedBefore },
        staleAtOnce,
      )
    },
  }
}
