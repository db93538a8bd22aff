// Tenants, in the container `tenants`: each its own partition.
import type { Tenant, TenantStore } from '../tenants/ports.ts'
import type { Documents } from './documents.ts'

export const createTenantStore = (tenants: Documents<Tenant>): TenantStore => ({
  create: tenants.create,
  get: (id) => tenants.get(id, id),
  update: (id, change) => tenants.update(id, id, change),
  list: async (limit) => {
    const found = await tenants.find('IS_DEFINED(c.keys)', {}, limit)
    return found.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1))
  },
})
