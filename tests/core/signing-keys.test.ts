// Signing keys: which are taken and which are not, what is kept of them, and how they stand beside each other and end.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Problem } from '../../shared/core/problem.ts'
import { seededRandom } from '../../shared/core/random.ts'
import type { SigningKey, Tenant } from '../../shared/tenants/model.ts'
import {
  endedSigningKey,
  makeSigningKey,
  readPublicKey,
  withSigningKey,
} from '../../shared/tenants/signing-keys.ts'
import { sampleTenant } from '../support/documents.ts'

const day = 86_400_000
const nowMs = Date.UTC(2030, 0, 1)
const ed25519 = () => generateKeyPairSync('ed25519')
const rsa = (modulusLength: number, publicExponent = 65_537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent })
const curve = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()
const refusal = (given: string | Record<string, unknown>) => {
  try {
    readPublicKey(given)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  return undefined
}

const good = [
  ['Ed25519', 'EdDSA', ed25519().publicKey],
  ['P-256', 'ES256', curve('P-256').publicKey],
  ['RSA of 2048 bits', 'RS256', rsa(2048).publicKey],
  ['RSA of 3072 bits with the exponent 65539', 'RS256', rsa(3072, 65_539).publicKey],
] as const

describe('a public key', () => {
  test.each(good)('of %s is taken for %s, in PEM and as JWK, and kept in one form', (_, algorithm, key) => {
    const taken = { algorithm, publicKey: pem(key) }
    expect(readPublicKey(pem(key))).toEqual(taken)
    expect(readPublicKey(`\n${pem(key).replaceAll('\n', '\r\n')}\n\n`)).toEqual(taken)
    expect(readPublicKey({ ...key.export({ format: 'jwk' }), use: 'sig', kid: 'x' })).toEqual(taken)
  })

  test('in the older form of RSA is written anew', () => {
    const { publicKey } = rsa(2048)
    const pkcs1 = publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()
    expect(readPublicKey(pkcs1)).toEqual({ algorithm: 'RS256', publicKey: pem(publicKey) })
  })

  test.each([
    ['RSA of 1024 bits', () => rsa(1024).publicKey, /1024 bits/],
    ['RSA of 2047 bits', () => rsa(2047).publicKey, /2047 bits/],
    ['RSA with the exponent 3', () => rsa(2048, 3).publicKey, /exponent/],
    ['RSA-PSS', () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey, /rsa-pss/],
    ['P-384', () => curve('P-384').publicKey, /P-256/],
    ['secp256k1', () => curve('secp256k1').publicKey, /P-256/],
    ['Ed448', () => generateKeyPairSync('ed448').publicKey, /ed448/],
    ['X25519', () => generateKeyPairSync('x25519').publicKey, /x25519/],
  ])('of %s is refused, in words', (_, make, words) => {
    expect(refusal(pem(ed25519().publicKey))).toBeUndefined()
    const problem = refusal(pem(make()))
    expect(problem?.code).toBe('signing-key-refused')
    expect(problem?.message).toMatch(words)
  })

  test('of RSA beyond 4096 bits is refused', () => {
    const { publicKey } = rsa(2048)
    const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
    // What is verified with it would cost four times as much; that it has no private half does not matter here.
    const long = Buffer.concat([Buffer.of(0xc1), Buffer.from(n, 'base64url'), Buffer.alloc(256, 0x55)])
    expect(refusal({ kty: 'RSA', n: long.toString('base64url'), e })?.message).toMatch(/4104 bits/)
    expect(refusal({ kty: 'RSA', n, e: 'AQAA' })?.message).toMatch(/exponent/)
  })

  test('that is private is refused, told to be burnt, and not repeated', () => {
    const pairs = [ed25519(), curve('P-256'), rsa(2048)]
    for (const { publicKey, privateKey } of pairs) {
      expect(refusal(pem(publicKey))).toBeUndefined()
      const jwk = privateKey.export({ format: 'jwk' })
      const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      const locked = privateKey
        .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
        .toString()
      for (const given of [pkcs8, locked, jwk, JSON.stringify(jwk), `${pem(publicKey)}${pkcs8}`]) {
        const problem = refusal(given)
        expect(problem).toMatchObject({ code: 'signing-key-refused', message: /private key/ })
        const told = JSON.stringify([problem, problem?.message, problem?.options])
        expect(told).not.toContain(pkcs8.split('\n')[1])
        expect(told).not.toContain(jwk.d)
      }
    }
    expect(refusal({ kty: 'oct', k: 'c2VjcmV0' })?.message).toMatch(/private key/)
  })

  test.each([
    ['nothing that can be read', 'hello'],
    ['a damaged one', pem(good[0][2]).replace('MCow', 'MCox')],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'],
    ['an empty object', {}],
    ['a JWK off the curve', { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'B'.repeat(43) }],
    ['a JWK of the wrong size', { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }],
  ])('%s is refused', (_, given) => {
    expect(refusal(given)?.code).toBe('signing-key-refused')
  })

  test.each([
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000080',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ])('of small order, for which anybody can sign before Node 24, is refused: %s', (point) => {
    const x = Buffer.from(point, 'hex').toString('base64url')
    expect(refusal({ kty: 'OKP', crv: 'Ed25519', x })?.message).toMatch(/small order/)
  })
})

const random = seededRandom(Buffer.from('tests'), 'signing-keys')
const newKey = (name = 'backend', atMs = nowMs) =>
  makeSigningKey({ name, publicKey: pem(ed25519().publicKey) }, atMs, random)
const added = (tenant: Tenant, key: SigningKey): Tenant => {
  const next = withSigningKey(tenant, key)
  return next === 'unchanged' ? tenant : next
}
const ended = (tenant: Tenant, key: SigningKey, atMs = nowMs, how: 'retired' | 'revoked' = 'retired') => {
  const next = endedSigningKey(tenant, { id: key.id, how, nowMs: atMs })
  return next === 'unchanged' ? tenant : next
}

describe('the keys of a tenant', () => {
  test('are ten at most; a retired one makes room', () => {
    const keys = Array.from({ length: 10 }, () => newKey())
    const full = keys.reduce(added, sampleTenant())
    expect(full.signingKeys).toHaveLength(10)
    expect(() => added(full, newKey())).toThrow(/at most 10/)
    const roomy = ended(full, keys[0]!)
    expect(added(roomy, newKey()).signingKeys).toHaveLength(11)
  })

  test('keep those that ended for as long as a session may ask for them, and never grow without a bound', () => {
    let tenant = sampleTenant()
    const rotate = (atMs: number) => {
      const key = newKey('backend', atMs)
      tenant = ended(added(tenant, key), key, atMs)
      return key
    }
    const first = rotate(nowMs)
    rotate(nowMs + 8 * day)
    expect(tenant.signingKeys.map(({ id }) => id)).toContain(first.id)
    rotate(nowMs + 31 * day)
    expect(tenant.signingKeys.map(({ id }) => id)).not.toContain(first.id)
    expect(() => {
      for (let n = 0; n < 50; n++) rotate(nowMs + 31 * day)
    }).toThrow(/30 days/)
    expect(tenant.signingKeys).toHaveLength(40)
  })

  test('are registered once; a repeated request is the same, another one under its id is not', () => {
    const key = newKey()
    const tenant = added(sampleTenant(), key)
    expect(withSigningKey(tenant, key)).toBe('unchanged')
    expect(() => withSigningKey(tenant, { ...key, name: 'other' })).toThrow(Problem)
    expect(() => withSigningKey(tenant, { ...newKey(), publicKey: key.publicKey })).toThrow(
      /registered already/,
    )
    const again = added(ended(tenant, key), { ...newKey(), publicKey: key.publicKey })
    expect(again.signingKeys).toHaveLength(2)
    const revoked = ended(tenant, key, nowMs, 'revoked')
    expect(() => withSigningKey(revoked, { ...newKey(), publicKey: key.publicKey })).toThrow(/revoked/)
  })

  test('end once: retired, and revoked even after that', () => {
    const key = newKey()
    const tenant = added(sampleTenant(), key)
    const retired = ended(tenant, key, nowMs + 1000)
    expect(retired.signingKeys[0]).toMatchObject({ retiredAt: '2030-01-01T00:00:01.000Z' })
    expect(endedSigningKey(retired, { id: key.id, how: 'retired', nowMs: nowMs + 2000 })).toBe('unchanged')
    const revoked = ended(retired, key, nowMs + 3000, 'revoked')
    expect(revoked.signingKeys[0]).toMatchObject({
      retiredAt: '2030-01-01T00:00:01.000Z',
      revokedAt: '2030-01-01T00:00:03.000Z',
    })
    expect(ended(tenant, key, nowMs, 'revoked').signingKeys[0]?.retiredAt).toBeDefined()
    expect(() => ended(tenant, newKey())).toThrow(Problem)
  })
})
