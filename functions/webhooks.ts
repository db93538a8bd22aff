// Webhooks: a tenant says where its backend listens, and what it is told there.
import {
  NewWebhook,
  RotateRequest,
  viewEndpoint,
  WebhookChange,
  WebhookList,
  WebhookRequest,
  WebhookView,
} from '../shared/webhooks/schema.ts'
import { http, type StageDefinitions } from './definition.ts'

const webhooksList = http({
  name: 'webhooks-list',
  methods: ['GET'],
  path: 'api/v1/webhooks',
  auth: 'tenant',
  summary: 'Webhooks, without their secrets',
  reply: { 200: WebhookList },
  run: async ({ app, tenant }) => ({ items: (await app.webhooks.list(tenant.id)).map(viewEndpoint) }),
})

const webhooksAdd = http({
  name: 'webhooks-add',
  methods: ['POST'],
  path: 'api/v1/webhooks',
  auth: 'tenant',
  summary: 'Register a webhook; its secret is shown this once',
  body: WebhookRequest,
  reply: { 201: NewWebhook },
  run: ({ app, tenant, body, requestHash, random }) =>
    app.webhooks.add(tenant.id, { ...body, requestHash }, random),
})

const webhooksChange = http({
  name: 'webhooks-change',
  methods: ['PATCH'],
  path: 'api/v1/webhooks/{webhookId}',
  auth: 'tenant',
  summary: 'Change where a webhook goes and what it is told; one that was gone is sent to again',
  body: WebhookChange,
  reply: { 200: WebhookView },
  run: async ({ app, tenant, params, body }) =>
    viewEndpoint(await app.webhooks.change(tenant.id, params['webhookId'] ?? '', body)),
})

const webhooksRemove = http({
  name: 'webhooks-remove',
  methods: ['DELETE'],
  path: 'api/v1/webhooks/{webhookId}',
  auth: 'tenant',
  summary: 'Delete a webhook; nothing more is sent there',
  reply: { 204: null },
  run: ({ app, tenant, params }) => app.webhooks.remove(tenant.id, params['webhookId'] ?? ''),
})

const webhooksRotate = http({
  name: 'webhooks-rotate',
  methods: ['POST'],
  path: 'api/v1/webhooks/{webhookId}/rotate',
  auth: 'tenant',
  summary: 'A new secret; the one before goes on signing beside it for a while',
  body: RotateRequest,
  reply: { 200: NewWebhook },
  run: ({ app, tenant, params, body, random }) =>
    app.webhooks.rotate(tenant.id, { id: params['webhookId'] ?? '', ...body }, random),
})

export const webhooks: StageDefinitions = {
  servedBy: 'api',
  definitions: [webhooksList, webhooksAdd, webhooksChange, webhooksRemove, webhooksRotate],
}
