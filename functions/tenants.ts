// Tenants: an admin makes them; they read and change themselves, and list, add and retire their API keys.
import {
  KeyList,
  KeyRequest,
  KeyView,
  Named,
  NewKey,
  TenantChange,
  TenantView,
} from '../shared/tenants/schema.ts'
import { http, type StageDefinitions } from './definition.ts'

const tenantsCreate = http({
  name: 'tenants-create',
  methods: ['POST'],
  path: 'api/v1/tenants',
  auth: 'admin',
  summary: 'Make a tenant; its first API key is shown this once',
  body: Named,
  reply: { 201: NewKey },
  run: ({ app, body, requestHash, random }) => app.tenants.create({ ...body, requestHash }, random),
})

const tenantsRead = http({
  name: 'tenants-read',
  methods: ['GET'],
  path: 'api/v1/tenant',
  auth: 'tenant',
  roles: ['uploader', 'minter', 'statistics'],
  summary: 'The tenant whose key this is',
  reply: { 200: TenantView },
  run: ({ tenant }) => TenantView.parse(tenant),
})

const tenantsChange = http({
  name: 'tenants-change',
  methods: ['PATCH'],
  path: 'api/v1/tenant',
  auth: 'tenant',
  summary: 'Change the name, or the sites whose players may read streams',
  body: TenantChange,
  reply: { 200: TenantView },
  run: async ({ app, tenant, body }) => TenantView.parse(await app.tenants.change(tenant, body)),
})

const keysList = http({
  name: 'tenants-keys-list',
  methods: ['GET'],
  path: 'api/v1/keys',
  auth: 'tenant',
  summary: 'API keys, without their secrets',
  reply: { 200: KeyList },
  run: ({ tenant }) => ({ items: tenant.keys.map((key) => KeyView.parse(key)) }),
})

const keysAdd = http({
  name: 'tenants-keys-add',
  methods: ['POST'],
  path: 'api/v1/keys',
  auth: 'tenant',
  summary: 'Add an API key; it is shown this once',
  body: KeyRequest,
  reply: { 201: NewKey },
  run: ({ app, tenant, body, random }) => app.tenants.addKey(tenant, body, random),
})

const keysRetire = http({
  name: 'tenants-keys-retire',
  methods: ['DELETE'],
  path: 'api/v1/keys/{keyId}',
  auth: 'tenant',
  summary: 'Retire an API key',
  reply: { 204: null },
  run: ({ app, tenant, params }) => app.tenants.retireKey(tenant, params['keyId'] ?? ''),
})

export const tenants: StageDefinitions = {
  servedBy: 'api',
  definitions: [tenantsCreate, tenantsRead, tenantsChange, keysList, keysAdd, keysRetire],
}
