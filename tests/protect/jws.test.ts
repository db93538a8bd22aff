// Compact JWS: the RFCs' own examples, grants that openssl signed, every trick with a signature, and JSON that reads one way.
import { createPublicKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { GrantClaims } from '../../shared/protect/grant.ts'
import { isGenuine, type Jws, readJws } from '../../shared/protect/jws.ts'
import { nobodysKeys } from '../../shared/protect/nobodys-keys.ts'
import { readStrictJson } from '../../shared/protect/strict-json.ts'
import type { SigningAlgorithm } from '../../shared/tenants/model.ts'
import { signatureTricks } from './grant-mutations.ts'
import vectors from './openssl-grants.json' with { type: 'json' }
import { algorithms, makeSigner, signGrant } from './signers.ts'

const read = (text: string): Jws => {
  const jws = readJws(text)
  if (typeof jws === 'string') throw new Error(jws)
  return jws
}
const bytes = (text: string) => Buffer.from(text, 'base64url')
const ofJwk = (jwk: Record<string, string>): string =>
  createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString()

/** RFC 8037 A.4 and RFC 7515 A.3: their headers name no key, so they are taken apart here. */
const published = [
  {
    algorithm: 'EdDSA',
    publicKey: ofJwk({ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }),
    token:
      'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
  },
  {
    algorithm: 'ES256',
    publicKey: ofJwk({
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    }),
    token:
      'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
  },
] as const

describe('a signature', () => {
  test.each(published)('of the RFC is genuine: $algorithm', ({ algorithm, publicKey, token }) => {
    const at = token.lastIndexOf('.')
    const signed = Buffer.from(token.slice(0, at))
    const jws: Jws = { algorithm, keyId: '', payload: {}, signed, signature: bytes(token.slice(at + 1)) }
    expect(isGenuine(jws, { algorithm, publicKey })).toBe(true)
    signed[3] = (signed[3] ?? 0) ^ 1
    expect(isGenuine(jws, { algorithm, publicKey })).toBe(false)
  })

  test.each(vectors.grants)('by openssl is genuine: $algorithm', ({ algorithm, publicKey, grant }) => {
    const key = { algorithm: algorithm as SigningAlgorithm, publicKey }
    const jws = read(grant)
    expect(jws).toMatchObject({ algorithm, keyId: 'sig_00000000000000000001' })
    expect(GrantClaims.parse(jws.payload)).toMatchObject({ sub: 'anna', ttl: 60, policy: { maxStreams: 2 } })
    expect(isGenuine(jws, key)).toBe(true)
    expect(isGenuine(jws, makeSigner(key.algorithm))).toBe(false)
  })

  test.each([...algorithms.map((each) => [each, 2048] as const), ['RS256', 4096] as const])(
    'that is nearly one is none: %s of %i bits',
    (algorithm, bits) => {
      const signer = makeSigner(algorithm, bits)
      const jws = read(signGrant({ alg: algorithm, kid: 'sig_1' }, { jti: 'a' }, signer))
      expect(isGenuine(jws, signer)).toBe(true)
      const tricks = signatureTricks(Buffer.from(jws.signature), signer)
      expect(tricks.length).toBeGreaterThan(10)
      for (const signature of tricks)
        expect([signature.toString('hex'), isGenuine({ ...jws, signature }, signer)]).toEqual([
          signature.toString('hex'),
          false,
        ])
    },
  )

  test('counts under the algorithm of the key alone, whatever the header says', () => {
    for (const algorithm of algorithms) {
      const signer = makeSigner(algorithm)
      const jws = read(signGrant({ alg: algorithm, kid: 'sig_1' }, {}, signer))
      expect(isGenuine(jws, signer)).toBe(true)
      for (const other of algorithms.filter((each) => each !== algorithm))
        expect(isGenuine({ ...jws, algorithm: other }, signer)).toBe(false)
    }
  })

  test('is none under nobody’s keys, which are what tenants may register', () => {
    for (const algorithm of algorithms) {
      const key = createPublicKey(nobodysKeys[algorithm])
      expect(key.asymmetricKeyType).toBe({ EdDSA: 'ed25519', ES256: 'ec', RS256: 'rsa' }[algorithm])
      const jws = read(signGrant({ alg: algorithm, kid: 'sig_1' }, {}, makeSigner(algorithm)))
      expect(isGenuine(jws, { algorithm, publicKey: nobodysKeys[algorithm] })).toBe(false)
    }
  })
})

describe('the form', () => {
  const signer = makeSigner('EdDSA')
  const faultOf = (header: unknown, payload: unknown = {}) => {
    const jws = readJws(signGrant(header, payload, signer))
    return typeof jws === 'string' ? jws : undefined
  }
  const good = { alg: 'EdDSA', kid: 'sig_1' }

  test('has at most 4096 characters', () => {
    expect(faultOf(good, { sub: 'a'.repeat(2868) })).toBeUndefined()
    expect(faultOf(good, { sub: 'a'.repeat(3000) })).toBe('too-long')
    expect(['a'.repeat(4096), 'a'.repeat(4097)].map(readJws)).toEqual(['not-a-jws', 'too-long'])
  })

  test('has a header of exactly `alg`, `kid` and perhaps `typ`', () => {
    expect([faultOf(good), faultOf({ ...good, typ: 'JWT' })]).toEqual([undefined, undefined])
    const wrong = [{ typ: 'jwt' }, { crit: [] }, { jwk: {} }, { alg: 'none' }, { alg: 'HS256' }, { kid: '' }]
    for (const more of [...wrong, { kid: 1 }, { kid: undefined }, { alg: undefined }, { kid: 'a/b' }])
      expect([more, faultOf({ ...good, ...more })]).toEqual([more, 'wrong-header'])
    expect(faultOf([good])).toBe('wrong-header')
  })

  test('is three parts with one spelling each', () => {
    const text = signGrant(good, {}, signer)
    expect(typeof readJws(text)).toBe('object')
    const [header = '', payload = '', signature = ''] = text.split('.')
    const wrong = [
      '',
      '.',
      '..',
      '...',
      `${text}.`,
      `.${text}`,
      `${header}.${payload}`,
      `${text}=`,
      `${text}\n`,
    ]
    for (const other of [...wrong, `${header}.${payload}.`, `${header}=.${payload}.${signature}`])
      expect([other, readJws(other)]).toEqual([other, expect.stringMatching(/^(not-a-jws|wrong-header)$/)])
  })
})

describe('JSON of a token', () => {
  const text = (json: string) => readStrictJson(Buffer.from(json))
  test.each([
    '{}',
    ' { "a" : [ 1 , true , null , "x" ] } ',
    '{"a":{"b":[]}}',
    '{"a":":{[\\"1.5e9","b":"\\u00e9é\\\\"}',
    '{"a":9007199254740991}',
    '{"é":"𝄞"}',
  ])('is read: %s', (json) => expect(text(json)).toEqual(JSON.parse(json)))

  test.each([
    ['a name twice', '{"a":1,"a":1}'],
    ['a name twice, once escaped', '{"a":1,"\\u0061":1}'],
    ['a name twice further in', '{"a":{"b":1,"b":2}}'],
    ['a name twice in a list', '{"a":[{"b":1,"b":2}]}'],
    ['a prototype twice', '{"__proto__":1,"__proto__":2}'],
    ['a list', '[]'],
    ['a text', '"a"'],
    ['a number', '1'],
    ['nothing', 'null'],
    ['no bytes', ''],
    ['a fraction', '{"a":1.5}'],
    ['a fraction that is none', '{"a":1.0}'],
    ['an exponent', '{"a":1e3}'],
    ['a number below 0', '{"a":-1}'],
    ['minus 0', '{"a":-0}'],
    ['a number that is rounded', '{"a":9007199254740993}'],
    ['a number that is infinite', '{"a":1e999}'],
    ['a list in a list in a list in it', '{"a":[[[]]]}'],
    ['a thousand lists', `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`],
    ['half a pair', '{"a":"\\ud800"}'],
    ['half a pair in a name', '{"\\udc00":1}'],
    ['a mark of byte order', '\ufeff{}'],
    ['a comma too many', '{"a":1,}'],
    ['two objects', '{}{}'],
    ['a comment', '{}//'],
  ])('is not %s', (_, json) => expect(text(json)).toBeUndefined())

  test('is not bytes that are no UTF-8', () => {
    expect(readStrictJson(Buffer.from('{"a":"é"}'))).toEqual({ a: 'é' })
    for (const wrong of ['ff', 'c0af', 'eda080', 'e9'])
      expect(
        readStrictJson(Buffer.concat([Buffer.from('{"a":"'), Buffer.from(wrong, 'hex'), Buffer.from('"}')])),
      ).toBeUndefined()
  })
})
