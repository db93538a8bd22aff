// Documents as tests need them: whole, valid, and different only where a test says so.
import type { Asset } from '../../shared/assets/model.ts'
import { makeId } from '../../shared/core/ids.ts'
import { systemRandom } from '../../shared/core/random.ts'
import type { Tenant } from '../../shared/tenants/model.ts'

export const newTenantId = () => makeId('ten', systemRandom)
export const newAssetId = () => makeId('ast', systemRandom)

export function sampleAsset(changes: Partial<Asset> = {}): Asset {
  const id = newAssetId()
  const tenantId = newTenantId()
  return {
    id,
    tenantId,
    type: 'asset',
    schema: 1,
    title: 'A title',
    fileName: 'film.mp4',
    state: 'uploading',
    protection: 'aes-128',
    profile: 'standard',
    source: { blob: `${changes.tenantId ?? tenantId}/${changes.id ?? id}/source`, sizeBytes: 1000 },
    version: 1,
    progress: { percent: 0, stage: 'uploading' },
    renditions: [],
    createdAt: '2026-11-22T10:00:00.000Z',
    updatedAt: '2026-11-22T10:00:00.000Z',
    ...changes,
  }
}

export const sampleTenant = (changes: Partial<Tenant> = {}): Tenant => ({
  id: newTenantId(),
  type: 'tenant',
  schema: 1,
  name: 'A studio',
  keys: [],
  allowedOrigins: [],
  signingKeys: [],
  limits: {},
  createdAt: '2026-11-22T10:00:00.000Z',
  ...changes,
})
