// What a tenant says of its webhooks, and what it is shown of them and of their deliveries: the secret once.
import { z } from 'zod'
import { AssetEventName } from '../assets/events.ts'
import { isoTime } from '../core/clock.ts'
import type { Delivery, Endpoint } from './ports.ts'

const url = z.string().min(1).max(2048)
const name = z.string().max(100)
const events = z
  .array(AssetEventName)
  .min(1)
  .max(AssetEventName.options.length)
  .refine((names) => new Set(names).size === names.length, 'must name each event once')

export const WebhookRequest = z
  .object({
    url,
    name: name.default(''),
    events: events.default(['asset.ready', 'asset.failed']),
  })
  .strict()
export const WebhookChange = z
  .object({ url: url.optional(), name: name.optional(), events: events.optional() })
  .strict()
export const NewWebhook = z
  .object({ id: z.string(), secret: z.string() })
  .meta({ id: 'NewWebhook', description: 'The secret is shown this once.' })
export const RotateRequest = z
  .object({ previousSeconds: z.number().int().min(0).max(604_800).default(86_400) })
  .strict()

export const WebhookView = z
  .object({
    id: z.string(),
    name: z.string(),
    url: z.string(),
    events: z.array(AssetEventName),
    createdAt: z.string(),
    failingSince: z.string().optional(),
    goneAt: z.string().optional(),
  })
  .meta({ id: 'Webhook' })
export const WebhookList = z.object({ items: z.array(WebhookView) })

export const viewEndpoint = (endpoint: Endpoint): z.infer<typeof WebhookView> =>
  WebhookView.parse({ ...endpoint, events: [...endpoint.events] })

const AttemptView = z.object({
  at: z.string(),
  status: z.number().int().optional(),
  error: z.string().optional(),
  durationMs: z.number(),
})
export const DeliveryView = z
  .object({
    eventId: z.string(),
    event: z.string(),
    state: z.enum(['pending', 'delivered', 'failed', 'cancelled']),
    createdAt: z.string(),
    tries: z.number().int(),
    attempts: z.array(AttemptView),
    nextTryAt: z.string().optional(),
  })
  .meta({ id: 'Delivery' })
export const DeliveryPage = z
  .object({ items: z.array(DeliveryView), cursor: z.string().optional() })
  .meta({ id: 'DeliveryPage' })

export const viewDelivery = ({ nextTryAtMs, ...delivery }: Delivery): z.infer<typeof DeliveryView> =>
  DeliveryView.parse({
    ...delivery,
    ...(nextTryAtMs === undefined ? {} : { nextTryAt: isoTime(nextTryAtMs) }),
  })
