// How each route of the contract is walked: a request that succeeds for whoever may make it, and what a stranger gets for the same.
import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'vitest'
import type { Tenant } from './tenant.ts'

/** What the owner has, by the names of path parameters; all of it is really there. */
export type Ids = Readonly<Record<string, string>>

export interface Scene {
  readonly owner: Tenant
  readonly ids: Ids
  /** Title that still waits for its file. */
  readonly uploading: string
  /** Of the owner's title, by the platform's key. */
  readonly grant: string
}

type Json = Record<string, unknown>

export interface Walk {
  readonly auth: 'tenant' | 'admin' | 'node' | 'none'
  /** Besides the owner. The contract must say the same. */
  readonly roles?: readonly string[]
  readonly success?: number
  readonly body?: (scene: Scene) => Json
  /** Made anew for each request that succeeds, since that uses it up; a stranger is refused the first. */
  readonly make?: (scene: Scene) => Promise<{ ids?: Ids; body?: Json }>
  /** 404 where the path takes an id, else what the owner gets, of the stranger's own. */
  readonly stranger?: number
  readonly strangerSees?: (json: Json) => void
}

const publicKey = () =>
  generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()

const made = async (owner: Tenant, path: string, body: Json): Promise<Record<string, string>> =>
  owner.expectStatus<Record<string, string>>(201, owner.call('POST', path, body))

const announced = async ({ owner }: Scene) => {
  const upload = await made(owner, '/api/v1/uploads', { fileName: 'gone.mp4', sizeBytes: 3 })
  return { id: upload['assetId'] ?? '', url: upload['uploadUrl'] ?? '' }
}
const session = async ({ owner, ids }: Scene): Promise<string> =>
  (await owner.playback(ids['assetId'] ?? '')).sessionId

/** One that stays, since a tenant has only so many; nobody listens there. */
async function webhook({ owner }: Scene): Promise<string> {
  const { items } = (await owner.call('GET', '/api/v1/webhooks')).json as { items: Array<{ id: string }> }
  return items[0]?.id ?? (await made(owner, '/api/v1/webhooks', nowhere))['id'] ?? ''
}
const nowhere = { url: 'http://127.0.0.1:9/hooks' }
const withWebhook = async (scene: Scene) => ({ ids: { webhookId: await webhook(scene) } })

const everybody = ['uploader', 'minter', 'statistics']

export const walks: Readonly<Record<string, Walk>> = {
  'POST /api/v1/tenants': { auth: 'admin', success: 201, body: () => ({ name: 'Another' }) },
  'GET /api/v1/tenants': { auth: 'admin' },
  'GET /api/v1/tenants/{tenantId}': { auth: 'admin' },
  'PATCH /api/v1/tenants/{tenantId}': { auth: 'admin', body: () => ({ limits: {} }) },
  'GET /api/v1/tenants/{tenantId}/audit': { auth: 'admin' },
  'GET /api/v1/audit/platform': { auth: 'admin' },
  'POST /api/v1/rewrap': { auth: 'admin', success: 202 },
  'POST /api/v1/fleet/units/{unitId}': { auth: 'node' },
  'GET /api/v1/fleet/pools': { auth: 'admin' },
  'GET /api/v1/fleet/pools/{pool}': { auth: 'admin' },
  'POST /api/v1/fleet/pools/{pool}/wake': {
    auth: 'admin',
    success: 202,
    body: () => ({ nodes: 1, minutes: 1 }),
  },
  'POST /api/v1/fleet/pools/{pool}/drain': {
    auth: 'admin',
    success: 202,
    body: () => ({ keep: 0, minutes: 1 }),
  },
  'DELETE /api/v1/fleet/pools/{pool}/orders': { auth: 'admin', success: 202 },

  'GET /api/v1/tenant': { auth: 'tenant', roles: everybody },
  'PATCH /api/v1/tenant': { auth: 'tenant', body: () => ({ policy: null }) },
  'GET /api/v1/usage': { auth: 'tenant', roles: ['statistics'] },
  'GET /api/v1/audit': { auth: 'tenant' },
  'GET /api/v1/keys': { auth: 'tenant' },
  'POST /api/v1/keys': { auth: 'tenant', success: 201, body: () => ({ name: 'walked', role: 'statistics' }) },
  'DELETE /api/v1/keys/{keyId}': {
    auth: 'tenant',
    success: 204,
    make: async ({ owner }) => ({
      ids: { keyId: (await made(owner, '/api/v1/keys', { name: 'gone' }))['id'] ?? '' },
    }),
  },

  'POST /api/v1/uploads': {
    auth: 'tenant',
    roles: ['uploader'],
    success: 201,
    body: () => ({ fileName: 'walked.mp4', sizeBytes: 3 }),
  },
  'GET /api/v1/uploads/{assetId}': {
    auth: 'tenant',
    roles: ['uploader'],
    make: async ({ uploading }) => ({ ids: { assetId: uploading } }),
  },
  'POST /api/v1/uploads/{assetId}/complete': {
    auth: 'tenant',
    roles: ['uploader'],
    success: 202,
    make: async (scene) => {
      const { id, url } = await announced(scene)
      await scene.owner.put(url, Buffer.from('abc'))
      return { ids: { assetId: id } }
    },
  },

  'POST /api/v1/uploads/{assetId}/quote': {
    auth: 'tenant',
    roles: ['uploader'],
    success: 202,
    make: async (scene) => {
      const { id, url } = await announced(scene)
      await scene.owner.put(url, Buffer.from('abc'))
      return { ids: { assetId: id } }
    },
  },
  'GET /api/v1/uploads/{assetId}/quote': {
    auth: 'tenant',
    roles: ['uploader'],
    make: async (scene) => {
      const { id, url } = await announced(scene)
      await scene.owner.put(url, Buffer.from('abc'))
      await scene.owner.expectStatus(202, scene.owner.call('POST', `/api/v1/uploads/${id}/quote`))
      return { ids: { assetId: id } }
    },
  },

  'GET /api/v1/assets': { auth: 'tenant', roles: everybody },
  'GET /api/v1/assets/{assetId}': { auth: 'tenant', roles: everybody },
  'PATCH /api/v1/assets/{assetId}': {
    auth: 'tenant',
    roles: ['uploader'],
    body: () => ({ title: 'Walked' }),
  },
  'DELETE /api/v1/assets/{assetId}': {
    auth: 'tenant',
    success: 204,
    make: async (scene) => ({ ids: { assetId: (await announced(scene)).id } }),
  },
  'POST /api/v1/assets/{assetId}/source-url': { auth: 'tenant', success: 201 },
  'POST /api/v1/assets/{assetId}/encode': { auth: 'tenant', roles: ['uploader'], success: 202 },
  'POST /api/v1/assets/{assetId}/cancel': {
    auth: 'tenant',
    roles: ['uploader'],
    success: 202,
    make: async ({ owner, ids }) => {
      await owner.expectStatus(202, owner.call('POST', `/api/v1/assets/${ids['assetId']}/encode`, {}))
      return {}
    },
  },
  'POST /api/v1/assets/{assetId}/rekey': { auth: 'tenant', success: 202 },

  'POST /api/v1/assets/{assetId}/playback': { auth: 'tenant', roles: ['minter'], success: 201 },
  'GET /api/v1/sessions': { auth: 'tenant', roles: ['minter'] },
  'DELETE /api/v1/sessions/{sessionId}': {
    auth: 'tenant',
    roles: ['minter'],
    success: 204,
    make: async (scene) => ({ ids: { sessionId: await session(scene) } }),
  },
  'POST /api/v1/revocations': {
    auth: 'tenant',
    roles: ['minter'],
    success: 204,
    make: async (scene) => ({ body: { sessionId: await session(scene) } }),
    stranger: 404,
  },
  'GET /api/v1/signing-keys': { auth: 'tenant', roles: ['minter'] },
  'POST /api/v1/signing-keys': {
    auth: 'tenant',
    success: 201,
    body: () => ({ name: 'walked', publicKey: publicKey() }),
  },
  'DELETE /api/v1/signing-keys/{signingKeyId}': {
    auth: 'tenant',
    success: 204,
    make: async ({ owner }) => {
      const body = { name: 'gone', publicKey: publicKey() }
      return { ids: { signingKeyId: (await made(owner, '/api/v1/signing-keys', body))['id'] ?? '' } }
    },
  },
  'POST /api/v1/assets/{assetId}/grants': { auth: 'tenant', roles: ['minter'], success: 201 },
  'POST /api/v1/grants/check': {
    auth: 'tenant',
    roles: ['minter'],
    body: ({ grant }) => ({ grant }),
    strangerSees: (json) => expect(json['accepted']).toBe(false),
  },

  'GET /api/v1/webhooks': { auth: 'tenant' },
  'POST /api/v1/webhooks': { auth: 'tenant', success: 201, body: () => nowhere },
  'PATCH /api/v1/webhooks/{webhookId}': {
    auth: 'tenant',
    make: withWebhook,
    body: () => ({ name: 'walked' }),
  },
  'DELETE /api/v1/webhooks/{webhookId}': {
    auth: 'tenant',
    success: 204,
    make: async ({ owner }) => ({
      ids: { webhookId: (await made(owner, '/api/v1/webhooks', nowhere))['id'] ?? '' },
    }),
  },
  'POST /api/v1/webhooks/{webhookId}/rotate': { auth: 'tenant', make: withWebhook },
  'POST /api/v1/webhooks/{webhookId}/test': { auth: 'tenant', make: withWebhook },
  'GET /api/v1/webhooks/{webhookId}/deliveries': { auth: 'tenant', make: withWebhook },
  'POST /api/v1/webhooks/{webhookId}/deliveries/{eventId}/retry': {
    auth: 'tenant',
    make: async (scene) => {
      const webhookId = await webhook(scene)
      const tested = scene.owner.call('POST', `/api/v1/webhooks/${webhookId}/test`)
      const { eventId } = await scene.owner.expectStatus<{ eventId: string }>(200, tested)
      return { ids: { webhookId, eventId } }
    },
  },

  // Below play/ nothing asks for a key; what a stranger gets there is a test of its own.
  'GET /api/v1/play/{token}/{path}': { auth: 'none' },
  'HEAD /api/v1/play/{token}/{path}': { auth: 'none' },
  'OPTIONS /api/v1/play/{token}/{path}': { auth: 'none' },
  'GET /api/healthz': { auth: 'none' },
  'HEAD /api/healthz': { auth: 'none' },
  'GET /api/openapi.json': { auth: 'none' },
  'HEAD /api/openapi.json': { auth: 'none' },
  'GET /console/{path}': { auth: 'none' },
  'HEAD /console/{path}': { auth: 'none' },
}
