// One try of one delivery: claimed first, so that no two are made at once, and written down whatever comes of it.
import type { Clock } from '../core/clock.ts'
import type { TenantId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { Problem } from '../core/problem.ts'
import type { Random } from '../core/random.ts'
import type { EndpointService } from './endpoints.ts'
import type { Delivery, DeliveryStore, Send } from './ports.ts'
import { cancelled, claimed, endpointAfter, held, tried } from './schedule.ts'
import { signedHeaders } from './signature.ts'

export type DeliveryRef = Pick<Delivery, 'tenantId' | 'id' | 'webhookId'>

export interface DeliverDeps {
  readonly deliveries: DeliveryStore
  readonly endpoints: Pick<EndpointService, 'list' | 'note'>
  /** Or is not there at all. */
  readonly isSuspended: (tenantId: TenantId) => Promise<boolean>
  readonly send: Send
  readonly secret: () => Promise<Uint8Array>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Resolves with the delivery as it is then; undefined when it is gone, not due, or somebody else's at the moment. */
export type TryOnce = (ref: DeliveryRef) => Promise<Delivery | undefined>

export function createTryOnce(deps: DeliverDeps): TryOnce {
  const { deliveries, endpoints, isSuspended, send, secret, clock, random, log } = deps

  async function claim({ tenantId, id }: DeliveryRef): Promise<Delivery | undefined> {
    let isOurs = false
    const delivery = await deliveries
      .update(tenantId, id, (current) => {
        const next = claimed(current, clock.now())
        isOurs = next !== 'unchanged'
        return next
      })
      .catch((error: unknown) => {
        if (error instanceof Problem && error.code === 'not-found') return undefined
        throw error
      })
    return isOurs ? delivery : undefined
  }

  return async (ref) => {
    const delivery = await claim(ref)
    if (!delivery) return undefined
    const { tenantId, id, webhookId, eventId, body } = delivery
    const endpoint = (await endpoints.list(tenantId)).find((item) => item.id === webhookId)
    if (!endpoint || endpoint.goneAt) return deliveries.update(tenantId, id, cancelled)
    if (await isSuspended(tenantId))
      return deliveries.update(tenantId, id, (current) => held(current, clock.now()))
    const message = { tenantId, eventId, body, nowMs: clock.now() }
    const sent = await send(endpoint.url, { headers: signedHeaders(await secret(), endpoint, message), body })
    const facts = { nowMs: clock.now(), chance: (random.bytes(1)[0] ?? 0) / 256 }
    const after = await deliveries.update(tenantId, id, (current) => tried(current, sent, facts))
    if (endpointAfter(endpoint, sent, clock.now()) !== 'unchanged')
      await endpoints.note(tenantId, webhookId, sent)
    const { state, tries, event } = after
    log('info', 'webhooks.tried', {
      webhookId,
      eventId,
      kind: event,
      state,
      tries,
      status: sent.status,
      error: sent.error,
    })
    return after
  }
}
