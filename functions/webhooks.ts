// Webhooks: a tenant says where its backend listens and sees what was sent; a timer repeats what was not heard.
import {
  DeliveryPage,
  DeliveryQuery,
  DeliveryView,
  NewWebhook,
  RotateRequest,
  viewDelivery,
  viewEndpoint,
  WebhookList,
  WebhookRequest,
} from '../shared/webhooks/schema.ts'
import { http, type StageDefinitions, type Timer } from './definition.ts'

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

const webhooksTest = http({
  name: 'webhooks-test',
  methods: ['POST'],
  path: 'api/v1/webhooks/{webhookId}/test',
  auth: 'tenant',
  summary: 'Send a test event now, and say what came of it',
  reply: { 200: DeliveryView },
  run: async ({ app, tenant, params, random }) =>
    viewDelivery(await app.webhooks.test(tenant.id, params['webhookId'] ?? '', random)),
})

const webhooksDeliveries = http({
  name: 'webhooks-deliveries',
  methods: ['GET'],
  path: 'api/v1/webhooks/{webhookId}/deliveries',
  auth: 'tenant',
  summary: 'What was sent in the last 30 days, the newest first, with every try',
  query: DeliveryQuery,
  reply: { 200: DeliveryPage },
  run: async ({ app, tenant, params, query }) => {
    const page = await app.webhooks.deliveries(tenant.id, params['webhookId'] ?? '', query)
    return { ...page, items: page.items.map(viewDelivery) }
  },
})

const webhooksRetry = http({
  name: 'webhooks-retry',
  methods: ['POST'],
  path: 'api/v1/webhooks/{webhookId}/deliveries/{eventId}/retry',
  auth: 'tenant',
  summary: 'Send an event once more now, and say what came of it',
  reply: { 200: DeliveryView },
  run: async ({ app, tenant, params }) => {
    const { webhookId = '', eventId = '' } = params
    return viewDelivery(await app.webhooks.retry(tenant.id, webhookId, eventId))
  },
})

/** Here and not in activities, which may wait behind hours of encoding. */
const webhooksSweep: Timer = {
  kind: 'timer',
  name: 'webhooks-sweep',
  schedule: '15 * * * * *',
  run: async (app) => {
    await app.webhooks.sweep()
    return []
  },
}

const routes = [webhooksList, webhooksAdd, webhooksRemove, webhooksRotate, webhooksTest, webhooksDeliveries]
export const webhooks: StageDefinitions = {
  servedBy: 'api',
  definitions: [...routes, webhooksRetry, webhooksSweep],
}
