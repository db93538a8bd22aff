// Signatures as Standard Webhooks says, seen by implementations that are not ours; secrets that are nowhere kept.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Endpoint } from '../../shared/webhooks/ports.ts'
import { secretOf, sign, signedHeaders } from '../../shared/webhooks/signature.ts'
import { newTenantId } from '../support/documents.ts'

const root = new Uint8Array(32).fill(7)
const tenantId = newTenantId()
const nowMs = Date.parse('2026-11-22T10:00:00.000Z')
const endpoint: Endpoint = {
  id: 'whk_00000000000000000000',
  name: '',
  url: 'https://www.example.com/hooks',
  events: ['asset.ready'],
  secrets: [{ id: 'b' }, { id: 'a', until: '2026-11-22T11:00:00.000Z' }],
  createdAt: '2026-11-22T09:00:00.000Z',
  requestHash: '',
}
const secret = (secretId: string, webhookId: string = endpoint.id) =>
  secretOf(root, { tenantId, webhookId, secretId })

/** HMAC-SHA256 written out from RFC 2104, with nothing but the hash. */
function plainSign(secretText: string, signedText: string): string {
  const block = Buffer.alloc(64)
  Buffer.from(secretText.replace('whsec_', ''), 'base64').copy(block)
  const [inner, outer] = [0x36, 0x5c].map((pad) => block.map((byte) => byte ^ pad))
  const hash = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
  const signature = hash(outer as Buffer, hash(inner as Buffer, Buffer.from(signedText)))
  return `v1,${signature.toString('base64')}`
}

test('the example that the libraries of Standard Webhooks are tested with', () => {
  const message = {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestampSeconds: 1614265330,
    body: '{"test": 2432232314}',
  }
  expect(sign('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', message)).toBe(
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  )
})

const text = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString())

test('an implementation written from the RFC signs the same', () => {
  for (const body of fc.sample(text, { numRuns: 200, seed: 1 })) {
    const message = { id: 'evt_x', timestampSeconds: 1_800_000_000, body }
    expect(sign(secret('a'), message)).toBe(plainSign(secret('a'), `evt_x.1800000000.${body}`))
  }
})

test('both secrets sign while they change, then the new one alone', () => {
  const headersAt = (at: number) =>
    signedHeaders(root, endpoint, { tenantId, eventId: 'evt_00000000000000000000', body: '{}', nowMs: at })
  const headers = headersAt(nowMs)
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'webhook-id': 'evt_00000000000000000000',
    'webhook-timestamp': '1795341600',
  })
  const signed = `evt_00000000000000000000.1795341600.{}`
  expect(headers['webhook-signature']).toBe(
    [plainSign(secret('b'), signed), plainSign(secret('a'), signed)].join(' '),
  )
  expect(headersAt(nowMs + 3_600_000)['webhook-signature']?.split(' ')).toHaveLength(1)
})

test('each secret is another one, of 32 bytes, and the same each time', () => {
  const secrets = [secret('a'), secret('b'), secret('a', 'whk_11111111111111111111')]
  secrets.push(secretOf(root, { tenantId: newTenantId(), webhookId: endpoint.id, secretId: 'a' }))
  secrets.push(secretOf(new Uint8Array(32), { tenantId, webhookId: endpoint.id, secretId: 'a' }))
  expect(new Set(secrets).size).toBe(5)
  expect(secret('a')).toBe(secrets[0])
  for (const text of secrets) {
    expect(text).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(Buffer.from(text.slice(6), 'base64')).toHaveLength(32)
  }
})
