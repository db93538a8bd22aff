// The platform secret: made once however many processes start at once, wrapped at rest, split by purpose.
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { createPlatformSecret } from '../../shared/protect/platform-secret.ts'
import { countingKek, keyDocuments, testRandom } from './ports.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('twelve processes that start at once agree on one secret, and each unwraps it once', async () => {
  const keys = keyDocuments()
  const processes = Array.from({ length: 12 }, (_, n) => {
    const { kek, count } = countingKek()
    return { count, secret: createPlatformSecret({ keys, kek, random: testRandom(`process ${n}`) }) }
  })
  const all = processes.flatMap(({ secret }) => [secret('session-token'), secret('session-token')])
  expect(new Set((await Promise.all(all)).map(hex)).size).toBe(1)
  expect(processes.map(({ count }) => count.unwrap)).toEqual(Array(12).fill(1))
  expect(keys.all.size).toBe(1)
})

test('purposes are HKDF-SHA256 outputs that openssl gives too, none of them the secret itself', async () => {
  const keys = keyDocuments()
  const root = Buffer.from(Array.from({ length: 32 }, (_, n) => n))
  const secret = createPlatformSecret({ keys, kek: countingKek().kek, random: { bytes: () => root } })
  // openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:… -kdfopt info:'movidone\0session-token' HKDF
  expect(hex(await secret('session-token'))).toBe(
    '4b2223958327ce22f1461a1d4f423b7a0d0f8052608d3332e1eb3e1e3de60fe4',
  )
  const outputs = [await secret('session-token'), await secret('viewer'), await secret('idempotency'), root]
  expect(new Set(outputs.map(hex)).size).toBe(4)
  expect(createHmac('sha256', await secret('viewer')).digest()).toHaveLength(32)
})

test('a vault that was away is asked again', async () => {
  const { kek } = countingKek()
  let away = true
  const unwrap: typeof kek.unwrap = async (id, wrapped) => {
    if (away) throw new Error('vault away')
    return kek.unwrap(id, wrapped)
  }
  const secret = createPlatformSecret({ keys: keyDocuments(), kek: { ...kek, unwrap }, random: testRandom() })
  await expect(secret('viewer')).rejects.toThrow('vault away')
  away = false
  expect(await secret('viewer')).toHaveLength(32)
})
