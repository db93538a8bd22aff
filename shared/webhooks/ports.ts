// What webhooks need of the world: events of titles, where endpoints and deliveries are kept, and a way out.
import type { AssetEventName } from '../assets/events.ts'
import type { Change } from '../assets/ports.ts'
import type { EventId, TenantId, WebhookId } from '../core/ids.ts'
import type { Page, PageQuery } from '../core/page.ts'

export type EventName = AssetEventName | 'webhook.test'

/** What a secret is derived from; the secret itself is nowhere kept. */
export interface SecretRef {
  readonly id: string
  /** After a rotation: until then its signature stands beside the next one's. */
  readonly until?: string
}

export interface Endpoint {
  readonly id: WebhookId
  readonly name: string
  readonly url: string
  readonly events: readonly AssetEventName[]
  /** The newest first; never empty. */
  readonly secrets: readonly SecretRef[]
  readonly createdAt: string
  /** Since then no try has succeeded. */
  readonly failingSince?: string
  /** Its receiver answered 410, or nothing good for days: nothing more is sent there. */
  readonly goneAt?: string
  /** Of the request that made it. */
  readonly requestHash: string
}

/** All endpoints of a tenant in one document, so that "at most ten" is one atomic write; id `endpoints`. */
export interface Endpoints {
  readonly id: 'endpoints'
  readonly tenantId: TenantId
  readonly type: 'endpoints'
  readonly schema: 1
  readonly items: readonly Endpoint[]
}

/** One try: what was answered, or in one word why nothing was. */
export interface Attempt {
  readonly at: string
  readonly status?: number
  readonly error?: SendError
  readonly durationMs: number
}

/** One event on its way to one endpoint: the schedule of its tries and their log. */
export interface Delivery {
  /** `{eventId}.{webhookId}`: an event that is passed on twice is one delivery. */
  readonly id: string
  readonly tenantId: TenantId
  readonly type: 'delivery'
  readonly schema: 1
  readonly webhookId: WebhookId
  readonly eventId: EventId
  readonly event: EventName
  /** Exactly what is sent, at every try. */
  readonly body: string
  readonly createdAt: string
  readonly state: 'pending' | 'delivered' | 'failed' | 'cancelled'
  readonly tries: number
  /** The newest last, and only the last few. */
  readonly attempts: readonly Attempt[]
  /** While it is pending. Whoever tries it moves this ahead first, so that nobody else does meanwhile. */
  readonly nextTryAtMs?: number
  /** Seconds, for Cosmos. */
  readonly ttl: number
}

export interface EndpointStore {
  get(tenantId: TenantId): Promise<Endpoints | undefined>
  /** Created, or replaced by ETag. */
  change(
    tenantId: TenantId,
    change: (current: Endpoints | undefined) => Endpoints | 'unchanged',
  ): Promise<Endpoints | undefined>
}

export interface DeliveryStore {
  /** False when there is one of that id. */
  create(delivery: Delivery): Promise<boolean>
  get(tenantId: TenantId, id: string): Promise<Delivery | undefined>
  update(tenantId: TenantId, id: string, change: Change<Delivery>): Promise<Delivery>
  /** Of one endpoint, the newest first. */
  list(of: { tenantId: TenantId; webhookId: WebhookId }, page: PageQuery): Promise<Page<Delivery>>
  /** Across tenants, in no order: those whose next try is due. */
  due(nowMs: number, limit: number): Promise<Delivery[]>
}

export type SendError =
  | 'name-not-found'
  | 'address-not-allowed'
  | 'connection-refused'
  | 'connection-lost'
  | 'certificate-refused'
  | 'timeout'

export interface Sent {
  readonly status?: number
  readonly error?: SendError
  readonly retryAfterSeconds?: number
  readonly durationMs: number
}

/** One POST. Never rejects; never goes to an address that is not public, and follows nothing. */
export type Send = (
  url: string,
  message: { headers: Readonly<Record<string, string>>; body: string },
) => Promise<Sent>
