// Tenants: they read and change themselves, keep their API keys, and see what they use and who changed what.
import { PageQuery } from '../shared/core/page.ts'
import {
  AuditList,
  KeyList,
  KeyRequest,
  KeyView,
  NewKey,
  TenantChange,
  TenantView,
  UsageView,
} from '../shared/tenants/schema.ts'
import { http, type StageDefinitions } from './definition.ts'

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
  summary: 'Change the name, the sites whose players may read streams, or the policy of all sessions',
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

const usageRead = http({
  name: 'tenants-usage',
  methods: ['GET'],
  path: 'api/v1/usage',
  auth: 'tenant',
  roles: ['statistics'],
  summary: 'What the tenant uses, and its limits',
  reply: { 200: UsageView },
  run: ({ app, tenant }) => app.usage.view(tenant),
})

const auditList = http({
  name: 'tenants-audit',
  methods: ['GET'],
  path: 'api/v1/audit',
  auth: 'tenant',
  summary: 'Who changed what, the newest first, page by page',
  query: PageQuery,
  reply: { 200: AuditList },
  run: async ({ app, tenant, query }) => AuditList.parse(await app.audit.list(tenant.id, query)),
})

export const tenants: StageDefinitions = {
  servedBy: 'api',
  definitions: [tenantsRead, tenantsChange, keysList, keysAdd, keysRetire, usageRead, auditList],
}
