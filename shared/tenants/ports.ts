// Where tenants are kept.
import type { TenantId } from '../core/ids.ts'
import type { Tenant } from './model.ts'

export type { Tenant }

export interface TenantStore {
  /** False when there is one of that id. */
  create(tenant: Tenant): Promise<boolean>
  get(id: TenantId): Promise<Tenant | undefined>
  update(id: TenantId, change: (current: Tenant) => Tenant | 'unchanged'): Promise<Tenant>
}
