// Who is served when: one try after the other for each endpoint, many endpoints at once, and none is held up by another.
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { DeliveryRef, TryOnce } from './deliver.ts'

export interface CourierDeps {
  readonly tryOnce: TryOnce
  readonly clock: Clock
  readonly log: Log
}

export interface Courier {
  /** Resolves when the endpoint's lane is empty. What finds no place is left to the next sweep: it is due anyway. */
  send(ref: DeliveryRef): Promise<void>
  /** False while as many endpoints are being served as can be. */
  hasRoom(): boolean
}

const mostLanes = 64
const mostWaiting = 100
/** A failed try is repeated here when that is due so soon; the sweep sees to later ones. */
const soonMs = 15_000

interface Lane {
  readonly waiting: Map<string, DeliveryRef>
  readonly empty: Promise<void>
}

export function createCourier({ tryOnce, clock, log }: CourierDeps): Courier {
  const lanes = new Map<string, Lane>()

  async function again(ref: DeliveryRef, waitMs: number): Promise<void> {
    await clock.wait(waitMs)
    await send(ref)
  }

  /** False where the endpoint does not answer well: what else waits for it had better wait too. */
  async function serve(ref: DeliveryRef): Promise<boolean> {
    try {
      const delivery = await tryOnce(ref)
      if (delivery?.state !== 'pending') return delivery?.state !== 'failed'
      const waitMs = (delivery.nextTryAtMs ?? 0) - clock.now()
      if (waitMs <= soonMs) void again(ref, waitMs)
      return false
    } catch (error) {
      log('warn', 'webhooks.try-failed', { webhookId: ref.webhookId, cause: String(error).slice(0, 200) })
      return false
    }
  }

  async function run(webhookId: string, waiting: Map<string, DeliveryRef>): Promise<void> {
    for (let goesOn = true; goesOn; ) {
      const [first] = waiting.values()
      if (!first) break
      goesOn = await serve(first)
      waiting.delete(first.id)
    }
    lanes.delete(webhookId)
  }

  function send(ref: DeliveryRef): Promise<void> {
    const lane = lanes.get(ref.webhookId)
    if (lane) {
      if (lane.waiting.size < mostWaiting && !lane.waiting.has(ref.id)) lane.waiting.set(ref.id, ref)
      return lane.empty
    }
    if (lanes.size >= mostLanes) return Promise.resolve()
    const waiting = new Map([[ref.id, ref]])
    // The lane stands before its first try begins, so that a second call finds it.
    const empty = Promise.resolve().then(() => run(ref.webhookId, waiting))
    lanes.set(ref.webhookId, { waiting, empty })
    return empty
  }

  return { send, hasRoom: () => lanes.size < mostLanes }
}
