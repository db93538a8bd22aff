// What an entry of the audit holds: whose list it stands in, and nothing that is personal or secret.
import { expect, test } from 'vitest'
import { systemRandom } from '../../shared/core/random.ts'
import { changesOf, createAudit, type Deed, partitionOf } from '../../shared/tenants/audit.ts'
import type { AuditEntry } from '../../shared/tenants/ports.ts'
import { newTenantId } from '../support/documents.ts'

const tenantId = newTenantId()
const deed: Deed = {
  tenantId,
  who: { kind: 'key', keyId: 'key_00000000000000000000', role: 'owner' },
  action: 'tenants-keys-add',
  params: {},
  body: { name: 'k', role: 'minter' },
  requestId: 'r-1',
}

test('fields are shown that are known to be harmless; of all others only the name', () => {
  const changes = changesOf({
    title: 'Tidal',
    policy: { countries: ['FR'] },
    viewer: 'ann@example.com',
    grant: 'eyJ…',
    publicKey: { d: 'a private key, sent by mistake' },
    fileName: 'C:\\Users\\ann\\tidal.mp4',
    addedNextYear: 'x',
    absent: undefined,
  })
  expect(changes).toEqual({
    title: 'Tidal',
    policy: { countries: ['FR'] },
    ...{ viewer: '•••', grant: '•••', publicKey: '•••', fileName: '•••', addedNextYear: '•••' },
  })
  for (const nothing of [undefined, null, 'text', 7]) expect(changesOf(nothing)).toEqual({})
})

test('an admin’s deed stands in the list of the tenant it is done to, any other in the platform’s', () => {
  const admin: Deed = { ...deed, who: { kind: 'admin' } }
  expect(partitionOf(deed)).toBe(tenantId)
  expect(partitionOf({ ...deed, params: { tenantId: newTenantId() } })).toBe(tenantId)
  expect(partitionOf({ ...admin, params: { tenantId } })).toBe(tenantId)
  expect(partitionOf(admin)).toBe('platform')
  expect(partitionOf({ ...admin, params: { tenantId: '../x' } })).toBe('platform')
})

test('an entry is kept before the outcome is known, and goes after 400 days', async () => {
  const kept: AuditEntry[] = []
  const store = { put: async (entry: AuditEntry) => void kept.push(entry), list: async () => ({ items: [] }) }
  const clock = { now: () => Date.parse('2026-11-22T10:00:00Z'), wait: async () => {} }
  const settle = await createAudit({ store, clock, random: systemRandom }).begin({
    ...deed,
    params: { assetId: 'x'.repeat(9000) },
  })
  expect(kept).toHaveLength(1)
  expect(kept[0]).toMatchObject({
    at: '2026-11-22T10:00:00.000Z',
    action: 'tenants-keys-add',
    ttl: 34_560_000,
  })
  expect(kept[0]).not.toHaveProperty('outcome')
  expect(kept[0]?.params['assetId']).toHaveLength(200)
  await settle({ status: 201, made: 'key_x' })
  expect(kept[1]).toEqual({ ...kept[0], outcome: { status: 201, made: 'key_x' } })
})
