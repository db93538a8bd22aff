// Deliveries of webhooks: what was sent and what came of it, once more on demand; a timer repeats what was not heard.
import { PageQuery } from '../shared/core/page.ts'
import { DeliveryPage, DeliveryView, viewDelivery } from '../shared/webhooks/schema.ts'
import { http, type StageDefinitions, type Timer } from './definition.ts'

const test = http({
  name: 'webhooks-test',
  methods: ['POST'],
  path: 'api/v1/webhooks/{webhookId}/test',
  auth: 'tenant',
  summary: 'Send a test event now, and say what came of it',
  reply: { 200: DeliveryView },
  run: async ({ app, tenant, params, random }) =>
    viewDelivery(await app.webhooks.test(tenant.id, params['webhookId'] ?? '', random)),
})

const list = http({
  name: 'webhooks-deliveries',
  methods: ['GET'],
  path: 'api/v1/webhooks/{webhookId}/deliveries',
  auth: 'tenant',
  summary: 'What was sent in the last 30 days, the newest first, with every try',
  query: PageQuery,
  reply: { 200: DeliveryPage },
  run: async ({ app, tenant, params, query }) => {
    const page = await app.webhooks.deliveries(tenant.id, params['webhookId'] ?? '', query)
    return { ...page, items: page.items.map(viewDelivery) }
  },
})

const retry = http({
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
const sweep: Timer = {
  kind: 'timer',
  name: 'webhooks-sweep',
  schedule: '15 * * * * *',
  run: async (app) => {
    await app.webhooks.sweep()
    return []
  },
}

export const webhooksDeliveries: StageDefinitions = {
  servedBy: 'api',
  definitions: [test, list, retry, sweep],
}
