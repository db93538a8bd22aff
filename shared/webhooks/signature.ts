// How a receiver knows who sends: Standard Webhooks 1.0, HMAC-SHA256 over id, time and body with a secret of the endpoint.
import { createHmac } from 'node:crypto'
import { isoTime } from '../core/clock.ts'
import type { EventId, TenantId } from '../core/ids.ts'
import type { Endpoint } from './ports.ts'

const prefix = 'whsec_'

/** 32 bytes out of the platform's secret: nothing is kept, and every secret is another one. */
export function secretOf(
  root: Uint8Array,
  of: { tenantId: TenantId; webhookId: string; secretId: string },
): string {
  const scope = `${of.tenantId}\0${of.webhookId}\0${of.secretId}`
  return prefix + createHmac('sha256', root).update(scope).digest('base64')
}

export function sign(
  secret: string,
  message: { id: string; timestampSeconds: number; body: string },
): string {
  const key = Buffer.from(secret.slice(prefix.length), 'base64')
  const { id, timestampSeconds, body } = message
  return `v1,${createHmac('sha256', key).update(`${id}.${timestampSeconds}.${body}`).digest('base64')}`
}

/** During a rotation both secrets sign, so that receivers change over whenever they like. */
export function signedHeaders(
  root: Uint8Array,
  endpoint: Endpoint,
  message: { tenantId: TenantId; eventId: EventId; body: string; nowMs: number },
): Record<string, string> {
  const { tenantId, eventId, body, nowMs } = message
  const timestampSeconds = Math.floor(nowMs / 1000)
  const signatures = endpoint.secrets
    .filter(({ until }) => until === undefined || until > isoTime(nowMs))
    .map(({ id }) => secretOf(root, { tenantId, webhookId: endpoint.id, secretId: id }))
    .map((secret) => sign(secret, { id: eventId, timestampSeconds, body }))
  return {
    'content-type': 'application/json',
    'user-agent': 'movidone-webhooks/1',
    'webhook-id': eventId,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signatures.join(' '),
  }
}
