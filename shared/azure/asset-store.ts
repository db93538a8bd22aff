// Titles, in the container `assets`: a partition a tenant.
import type { Asset, AssetStore } from '../assets/ports.ts'
import type { Documents } from './documents.ts'

// A sweep takes this many; the timer behind it comes again.
const staleAtOnce = 200

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
