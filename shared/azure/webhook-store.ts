// Endpoints and deliveries of webhooks, in the container `webhooks`: one partition per tenant; their `ttl` deletes deliveries.
import { z } from 'zod'
import { AssetEventName } from '../assets/events.ts'
import { type EventId, idPattern, type TenantId, type WebhookId } from '../core/ids.ts'
import type { Delivery, DeliveryStore, EndpointStore, Endpoints } from '../webhooks/ports.ts'
import type { Documents, Schema } from './documents.ts'

const tenantId = z.custom<TenantId & string>((v) => idPattern('ten').test(String(v)))
const webhookId = z.custom<WebhookId & string>((v) => idPattern('whk').test(String(v)))
const eventId = z.custom<EventId & string>((v) => idPattern('evt').test(String(v)))

const endpoints: Schema<Endpoints> = z.object({
  id: z.literal('endpoints'),
  tenantId,
  type: z.literal('endpoints'),
  schema: z.literal(1),
  items: z.array(
    z.object({
      id: webhookId,
      name: z.string(),
      url: z.string(),
      events: z.array(AssetEventName),
      secrets: z.array(z.object({ id: z.string(), until: z.string().exactOptional() })),
      createdAt: z.string(),
      failingSince: z.string().exactOptional(),
      goneAt: z.string().exactOptional(),
      requestHash: z.string(),
    }),
  ),
})

const sendErrors = [
  'name-not-found',
  'address-not-allowed',
  'connection-refused',
  'connection-lost',
  'certificate-refused',
  'timeout',
] as const

const delivery: Schema<Delivery> = z.object({
  id: z.string(),
  tenantId,
  type: z.literal('delivery'),
  schema: z.literal(1),
  webhookId,
  eventId,
  event: z.enum([...AssetEventName.options, 'webhook.test']),
  body: z.string(),
  createdAt: z.string(),
  state: z.enum(['pending', 'delivered', 'failed', 'cancelled']),
  tries: z.number().int().min(0),
  attempts: z.array(
    z.object({
      at: z.string(),
      status: z.number().int().exactOptional(),
      error: z.enum(sendErrors).exactOptional(),
      durationMs: z.number(),
    }),
  ),
  nextTryAtMs: z.number().exactOptional(),
  ttl: z.number().int().min(1),
})

export const endpointsKind = { partition: 'tenantId', type: 'endpoints', schema: endpoints }
export const deliveryKind = { partition: 'tenantId', type: 'delivery', schema: delivery }

const endpointsId = 'endpoints'

export const createEndpointStore = (documents: Documents<Endpoints>): EndpointStore => ({
  get: (tenant) => documents.get(tenant, endpointsId),
  change: (tenant, change) => documents.change(tenant, endpointsId, change),
})

export const createDeliveryStore = (deliveries: Documents<Delivery>): DeliveryStore => ({
  create: deliveries.create,
  get: deliveries.get,
  update: deliveries.update,
  list: (of, page) =>
    deliveries.page(of.tenantId, { ...page, newestBy: 'createdAt', where: { webhookId: of.webhookId } }),
  due: (nowMs, limit) => deliveries.find('c.nextTryAtMs <= @nowMs', { nowMs }, limit),
})
