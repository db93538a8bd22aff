// Admin: tenants are made, listed, limited and suspended by whoever runs the platform, who sees nothing of their titles.
import { PageQuery } from '../shared/core/page.ts'
import {
  AuditList,
  ManagedTenant,
  ManagedTenantList,
  ManagedTenantUsage,
  Named,
  NewKey,
  TenantOrder,
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

const tenantsList = http({
  name: 'tenants-admin-list',
  methods: ['GET'],
  path: 'api/v1/tenants',
  auth: 'admin',
  summary: 'Tenants, the oldest first, at most a thousand',
  reply: { 200: ManagedTenantList },
  run: async ({ app }) => ManagedTenantList.parse({ items: await app.tenants.list() }),
})

const tenantsRead = http({
  name: 'tenants-admin-read',
  methods: ['GET'],
  path: 'api/v1/tenants/{tenantId}',
  auth: 'admin',
  summary: 'One tenant, with what it uses',
  reply: { 200: ManagedTenantUsage },
  run: async ({ app, params }) => {
    const tenant = await app.tenants.read(params['tenantId'] ?? '')
    return ManagedTenantUsage.parse({ ...tenant, usage: await app.usage.view(tenant) })
  },
})

const tenantsOrder = http({
  name: 'tenants-admin-change',
  methods: ['PATCH'],
  path: 'api/v1/tenants/{tenantId}',
  auth: 'admin',
  summary: 'Rename, limit or suspend a tenant; limits that are given take the place of all there were',
  body: TenantOrder,
  reply: { 200: ManagedTenant },
  run: async ({ app, params, body }) =>
    ManagedTenant.parse(await app.tenants.order(params['tenantId'] ?? '', body)),
})

const tenantsAudit = http({
  name: 'tenants-admin-audit',
  methods: ['GET'],
  path: 'api/v1/tenants/{tenantId}/audit',
  auth: 'admin',
  summary: 'Who changed what of a tenant, the newest first, page by page',
  query: PageQuery,
  reply: { 200: AuditList },
  run: async ({ app, params, query }) => {
    const { id } = await app.tenants.read(params['tenantId'] ?? '')
    return AuditList.parse(await app.audit.list(id, query))
  },
})

const platformAudit = http({
  name: 'tenants-admin-platform-audit',
  methods: ['GET'],
  path: 'api/v1/audit/platform',
  auth: 'admin',
  summary: 'What admins changed that is no tenant’s, the newest first, page by page',
  query: PageQuery,
  reply: { 200: AuditList },
  run: async ({ app, query }) => AuditList.parse(await app.audit.list('platform', query)),
})

export const admin: StageDefinitions = {
  servedBy: 'api',
  definitions: [tenantsCreate, tenantsList, tenantsRead, tenantsOrder, tenantsAudit, platformAudit],
}
