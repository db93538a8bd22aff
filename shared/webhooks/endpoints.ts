// The endpoints of a tenant: registered, removed, and their secrets changed, all in one document changed by its ETag.
import type { AssetEventName } from '../assets/events.ts'
import { type Clock, isoTime } from '../core/clock.ts'
import { base32, makeId, type TenantId, type WebhookId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { Random } from '../core/random.ts'
import type { Endpoint, EndpointStore, Endpoints, Sent } from './ports.ts'
import { endpointAfter } from './schedule.ts'
import { secretOf } from './signature.ts'
import { objectionTo } from './target.ts'

export interface EndpointDeps {
  readonly store: EndpointStore
  readonly clock: Pick<Clock, 'now'>
  readonly allowLocal: boolean
  /** 32 bytes of the platform's own, for webhooks alone. */
  readonly secret: () => Promise<Uint8Array>
}

export interface NewEndpoint {
  readonly url: string
  readonly name: string
  readonly events: readonly AssetEventName[]
  readonly requestHash: string
}

export interface EndpointChange {
  readonly url?: string | undefined
  readonly name?: string | undefined
  readonly events?: readonly AssetEventName[] | undefined
}

const mostEndpoints = 10

function found(items: readonly Endpoint[], id: string): Endpoint {
  const endpoint = items.find((item) => item.id === id)
  if (!endpoint) throw new Problem('not-found')
  return endpoint
}

export function createEndpoints({ store, clock, allowLocal, secret }: EndpointDeps) {
  const list = async (tenantId: TenantId): Promise<readonly Endpoint[]> =>
    (await store.get(tenantId))?.items ?? []

  /** Throws `not-found` for what is not there, or is another tenant's. */
  const find = async (tenantId: TenantId, id: string): Promise<Endpoint> => found(await list(tenantId), id)

  function checkUrl(url: string): void {
    const objection = objectionTo(url, allowLocal)
    if (objection) throw new Problem('invalid-request', { errors: [{ pointer: '/url', message: objection }] })
  }

  function change(
    tenantId: TenantId,
    next: (items: readonly Endpoint[]) => readonly Endpoint[] | 'unchanged',
  ) {
    return store.change(tenantId, (current): Endpoints | 'unchanged' => {
      const items = next(current?.items ?? [])
      if (items === 'unchanged') return items
      return { id: 'endpoints', tenantId, type: 'endpoints', schema: 1, items }
    })
  }

  const changeOne = (tenantId: TenantId, id: string, next: (endpoint: Endpoint) => Endpoint | 'unchanged') =>
    change(tenantId, (items) => {
      const endpoint = found(items, id)
      const after = next(endpoint)
      return after === 'unchanged' ? after : items.map((item) => (item === endpoint ? after : item))
    })

  const shown = async (tenantId: TenantId, webhookId: WebhookId, secretId: string) => ({
    id: webhookId,
    secret: secretOf(await secret(), { tenantId, webhookId, secretId }),
  })

  return {
    list,
    find,

    /** The same Idempotency-Key draws the same ids, so the same endpoint and the same secret. */
    async add(
      tenantId: TenantId,
      ask: NewEndpoint,
      random: Random,
    ): Promise<{ id: WebhookId; secret: string }> {
      const objection = objectionTo(ask.url, allowLocal)
      if (objection)
        throw new Problem('invalid-request', { errors: [{ pointer: '/url', message: objection }] })
      const id = makeId('whk', random)
      const secretId = base32(random.bytes(20))
      const endpoint = { id, ...ask, secrets: [{ id: secretId }], createdAt: isoTime(clock.now()) }
      await change(tenantId, (items) => {
        const same = items.find((item) => item.id === id)
        if (same && same.requestHash !== ask.requestHash) throw new Problem('idempotency-mismatch')
        if (same) return 'unchanged'
        if (items.length >= mostEndpoints)
          throw new Problem('conflict', {
            detail: `A tenant has at most ${mostEndpoints} webhooks; delete one first.`,
          })
        return [...items, endpoint]
      })
      return shown(tenantId, id, secretId)
    },

    /** Whoever changes it means it to be used: one that was gone is sent to again. */
    async change(tenantId: TenantId, id: string, { url, name, events }: EndpointChange): Promise<Endpoint> {
      if (url !== undefined) checkUrl(url)
      const after = await changeOne(tenantId, id, (endpoint) => {
        const { goneAt: _, failingSince: _since, ...rest } = endpoint
        return { ...rest, url: url ?? rest.url, name: name ?? rest.name, events: events ?? rest.events }
      })
      return found(after?.items ?? [], id)
    },

    async remove(tenantId: TenantId, id: string): Promise<void> {
      await find(tenantId, id)
      await change(tenantId, (items) => items.filter((item) => item.id !== id))
    },

    /** How long the former secret goes on signing beside the new one. */
    async rotate(tenantId: TenantId, ask: { id: string; previousSeconds: number }, random: Random) {
      const secretId = base32(random.bytes(20))
      const nowMs = clock.now()
      const until = isoTime(nowMs + ask.previousSeconds * 1000)
      await changeOne(tenantId, ask.id, (endpoint) => {
        const [current, ...older] = endpoint.secrets
        if (!current || current.id === secretId) return 'unchanged'
        const living = older.filter((one) => (one.until ?? '') > isoTime(nowMs)).slice(0, 1)
        const secrets = [{ id: secretId }, { ...current, until }, ...living]
        return { ...endpoint, secrets }
      })
      return shown(tenantId, ask.id as WebhookId, secretId)
    },

    /** What a try says of it; it may have been removed meanwhile. */
    async note(tenantId: TenantId, id: WebhookId, sent: Sent): Promise<void> {
      const next = (endpoint: Endpoint) => endpointAfter(endpoint, sent, clock.now())
      await changeOne(tenantId, id, next).catch((error: unknown) => {
        if (!(error instanceof Problem && error.code === 'not-found')) throw error
      })
    },
  }
}

export type EndpointService = ReturnType<typeof createEndpoints>
