// Webhooks: what happens to a tenant's titles is told to its backend, signed, again and again until it was heard.
import type { AssetEvent, Outbox } from '../assets/ports.ts'
import { type Clock, isoTime } from '../core/clock.ts'
import { type EventId, makeId, type TenantId, type WebhookId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { Page, PageQuery } from '../core/page.ts'
import { Problem } from '../core/problem.ts'
import type { Random } from '../core/random.ts'
import { createCourier } from './courier.ts'
import { createTryOnce } from './deliver.ts'
import { createEndpoints } from './endpoints.ts'
import type { Delivery, DeliveryStore, EndpointStore, EventName, Send } from './ports.ts'
import { dueAgain } from './schedule.ts'

export interface WebhookDeps {
  readonly outbox: Outbox
  readonly endpoints: EndpointStore
  readonly deliveries: DeliveryStore
  readonly isSuspended: (tenantId: TenantId) => Promise<boolean>
  readonly send: Send
  readonly secret: () => Promise<Uint8Array>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly allowLocal: boolean
}

const keptSeconds = 30 * 24 * 3600
const eventsAtOnce = 1000
const dueAtOnce = 2000
const relaysAtOnce = 16
/** A sweep ends before the next one begins, and leaves time to try what it passed on. */
const sweepMs = 45_000
const relayMs = 20_000

const deliveryId = (eventId: string, webhookId: string): string => `${eventId}.${webhookId}`

export function createWebhooks(deps: WebhookDeps) {
  const { outbox, deliveries, clock, log } = deps
  const endpoints = createEndpoints({ ...deps, store: deps.endpoints })
  const tryOnce = createTryOnce({ ...deps, endpoints })
  const courier = createCourier({ tryOnce, clock, log })

  interface Message {
    readonly tenantId: TenantId
    readonly eventId: EventId
    readonly event: EventName
    readonly at: string
    readonly data: object
  }

  /** Due at once. Created twice it is one delivery, whose tries go on as they were. */
  async function createDelivery(webhookId: WebhookId, message: Message): Promise<Delivery> {
    const { tenantId, eventId, event, at, data } = message
    const nowMs = clock.now()
    const delivery: Delivery = {
      id: deliveryId(eventId, webhookId),
      ...{ tenantId, type: 'delivery', schema: 1, webhookId, eventId, event },
      body: JSON.stringify({ type: event, timestamp: at, data }),
      createdAt: isoTime(nowMs),
      ...{ state: 'pending', tries: 0, attempts: [], nextTryAtMs: nowMs, ttl: keptSeconds },
    }
    await deliveries.create(delivery)
    return delivery
  }

  /** An event leaves the outbox when each of its deliveries is written down; cut off before, it is passed on again. */
  async function relay(event: AssetEvent): Promise<Delivery[]> {
    const { tenantId, id: eventId, name, at, sequence, asset } = event
    const listening = (await endpoints.list(tenantId)).filter(
      ({ events, goneAt }) => events.includes(name) && !goneAt,
    )
    const message = { tenantId, eventId, event: name, at, data: { tenantId, sequence, asset } }
    const made = await Promise.all(listening.map(({ id }) => createDelivery(id, message)))
    await outbox.settle(event)
    return made
  }

  async function relayOrLeave(event: AssetEvent): Promise<Delivery[]> {
    try {
      return await relay(event)
    } catch (error) {
      // It is still in the outbox: the sweep passes it on.
      log('warn', 'webhooks.relay-failed', { eventId: event.id, cause: String(error).slice(0, 200) })
      return []
    }
  }

  async function deliveryOf(tenantId: TenantId, webhookId: string, eventId: string): Promise<Delivery> {
    await endpoints.find(tenantId, webhookId)
    const found = await deliveries.get(tenantId, deliveryId(eventId, webhookId))
    if (!found) throw new Problem('not-found')
    return found
  }

  /** What is due, as many endpoints at once as there is room for. */
  async function deliverDue(until: Promise<unknown>, isOver: () => boolean): Promise<void> {
    const due = await deliveries.due(clock.now(), dueAtOnce)
    const lanes = Map.groupBy(
      due.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1)),
      ({ webhookId }) => webhookId,
    )
    const serving = new Set<Promise<void>>()
    for (const lane of lanes.values()) {
      while (!courier.hasRoom() && serving.size > 0 && !isOver()) await Promise.race([...serving, until])
      if (isOver()) return
      const served = Promise.all(lane.map((delivery) => courier.send(delivery))).then(() => {
        serving.delete(served)
      })
      serving.add(served)
    }
    await Promise.race([Promise.all(serving), until])
  }

  return {
    list: endpoints.list,
    add: endpoints.add,
    change: endpoints.change,
    remove: endpoints.remove,
    rotate: endpoints.rotate,

    /** At once and beside whatever this process does; when it dies first, the sweep of any other sees to it. */
    announce(event: AssetEvent): void {
      void relayOrLeave(event).then((made) => made.forEach(courier.send))
    },

    /**
     * Passes on what was left, then tries all that is due: so whoever does not answer is asked once, however much waits
     * for it. Ends within a minute, whatever the receivers do, and waits for its tries: what goes on after a function has
     * answered is cut off when the host scales in.
     */
    async sweep(): Promise<void> {
      const beganMs = clock.now()
      let isOver = false
      const until = clock.wait(sweepMs).then(() => {
        isOver = true
      })
      const waiting = await outbox.pending(eventsAtOnce)
      const work = async () => {
        while (waiting.length > 0 && clock.now() - beganMs < relayMs)
          await relayOrLeave(waiting.shift() as AssetEvent)
      }
      await Promise.all(Array.from({ length: relaysAtOnce }, work))
      await deliverDue(until, () => isOver)
    },

    /** Tried before it is answered, so that whoever sets up a receiver sees at once what it says. */
    async test(tenantId: TenantId, webhookId: string, random: Random): Promise<Delivery> {
      const endpoint = await endpoints.find(tenantId, webhookId)
      const eventId = makeId('evt', random)
      const at = isoTime(clock.now())
      const message = { tenantId, eventId, event: 'webhook.test' as const, at, data: { tenantId, webhookId } }
      const delivery = await createDelivery(endpoint.id, message)
      await tryOnce(delivery)
      return deliveryOf(tenantId, webhookId, eventId)
    },

    async retry(tenantId: TenantId, webhookId: string, eventId: string): Promise<Delivery> {
      const { id } = await deliveryOf(tenantId, webhookId, eventId)
      const due = await deliveries.update(tenantId, id, (current) => dueAgain(current, clock.now()))
      return (await tryOnce(due)) ?? due
    },

    async deliveries(tenantId: TenantId, webhookId: string, page: PageQuery): Promise<Page<Delivery>> {
      const endpoint = await endpoints.find(tenantId, webhookId)
      return deliveries.list({ tenantId, webhookId: endpoint.id }, page)
    },
  }
}
