// Tenants: an admin makes them; they read and change themselves, and list, add and retire their API keys.
import { z } from 'zod'
import { Origin } from '../shared/tenants/model.ts'
import { http, type StageDefinitions } from './definition.ts'

const name = z.string().min(1).max(100)
const NewKey = z.object({ id: z.string(), apiKey: z.string() }).meta({ id: 'NewKey' })
const KeyView = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.string(),
  retiredAt: z.string().optional(),
})
const TenantView = z
  .object({ id: z.string(), name: z.string(), allowedOrigins: z.array(z.string()), createdAt: z.string() })
  .meta({ id: 'Tenant' })

const tenantsCreate = http({
  name: 'tenants-create',
  methods: ['POST'],
  path: 'api/v1/tenants',
  auth: 'admin',
  summary: 'Make a tenant; its first API key is shown this once',
  body: z.object({ name }).strict(),
  reply: { 201: NewKey },
  run: ({ app, body, requestHash, random }) => app.tenants.create({ ...body, requestHash }, random),
})

const tenantsRead = http({
  name: 'tenants-read',
  methods: ['GET'],
  path: 'api/v1/tenant',
  auth: 'tenant',
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
  body: z.object({ name: name.optional(), allowedOrigins: z.array(Origin).max(50).optional() }).strict(),
  reply: { 200: TenantView },
  run: async ({ app, tenant, body }) => TenantView.parse(await app.tenants.change(tenant, body)),
})

const keysList = http({
  name: 'tenants-keys-list',
  methods: ['GET'],
  path: 'api/v1/keys',
  auth: 'tenant',
  summary: 'API keys, without their secrets',
  reply: { 200: z.object({ items: z.array(KeyView) }) },
  run: ({ tenant }) => ({ items: tenant.keys.map((key) => KeyView.parse(key)) }),
})

const keysAdd = http({
  name: 'tenants-keys-add',
  methods: ['POST'],
  path: 'api/v1/keys',
  auth: 'tenant',
  summary: 'Add an API key; it is shown this once',
  body: z.object({ name }).strict(),
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
