// What somebody sends who knows how grants are made: other algorithms, keys, claims and signatures, some of them rightly signed.
import { createHmac, createPublicKey } from 'node:crypto'
import fc from 'fast-check'
import type { GrantStage, Registered } from './grant-stage.ts'
import { textMutations } from './mutations.ts'
import { assetId, otherTenant, tenantId } from './ports.ts'
import { encode, makeSigner, type Signer, signedPart, signGrant } from './signers.ts'

type Json = Record<string, unknown>

/** Orders of the groups: S of Ed25519 (RFC 8032 5.1) and n of P-256 (FIPS 186-5). */
const orderOfEd25519 = 2n ** 252n + 27742317777372353535851937790883648493n
const orderOfP256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

const bigEndian = (value: bigint, bytes: number) =>
  Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex').subarray(-bytes)
const toBigInt = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`)

/** ASN.1 `SEQUENCE { r INTEGER, s INTEGER }`, as openssl writes it. */
function der(signature: Buffer): Buffer {
  const integer = (bytes: Buffer) => {
    const first = bytes.findIndex((byte) => byte !== 0)
    const short = bytes.subarray(first < 0 ? -1 : first)
    const value = (short[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), short]) : short
    return Buffer.concat([Buffer.of(2, value.length), value])
  }
  const half = signature.length / 2
  const body = Buffer.concat([integer(signature.subarray(0, half)), integer(signature.subarray(half))])
  return Buffer.concat([Buffer.of(0x30, body.length), body])
}

/** Other signatures beside the right one; none of them is one. */
export function signatureTricks(signature: Buffer, { algorithm, publicKey }: Signer): Buffer[] {
  const { length } = signature
  const common = [
    Buffer.alloc(0),
    Buffer.alloc(length),
    Buffer.alloc(length, 255),
    Buffer.concat([signature, Buffer.of(0)]),
    Buffer.concat([Buffer.of(0), signature]),
    Buffer.concat([signature, signature]),
    signature.subarray(1),
    signature.subarray(0, -1),
    Buffer.from(signature).reverse(),
  ]
  const half = length / 2
  const [r, s] = [signature.subarray(0, half), signature.subarray(half)]
  if (algorithm === 'ES256') {
    const zero = Buffer.alloc(half)
    const n = bigEndian(orderOfP256, half)
    const one = bigEndian(1n, half)
    const pairs = [
      [zero, s],
      [r, zero],
      [n, n],
      [n, s],
      [r, n],
      [one, one],
      [s, r],
      [one, zero],
    ] as const
    return [...common, der(signature), ...pairs.map((pair) => Buffer.concat(pair))]
  }
  if (algorithm === 'EdDSA') {
    const little = Buffer.from(s).reverse()
    const more = [1n, 2n, 8n].map((k) => toBigInt(little) + k * orderOfEd25519).filter((v) => v < 2n ** 256n)
    const spelled = more.map((value) => Buffer.concat([r, bigEndian(value, 32).reverse()]))
    const identity = Buffer.from(bigEndian(1n, 32)).reverse()
    return [...common, ...spelled, Buffer.concat([identity, Buffer.alloc(32)]), Buffer.concat([s, r])]
  }
  const modulus = Buffer.from(String(createPublicKey(publicKey).export({ format: 'jwk' }).n), 'base64url')
  const beyond = toBigInt(signature) + toBigInt(modulus)
  return [
    ...common,
    modulus,
    bigEndian(1n, length),
    bigEndian(toBigInt(modulus) - 1n, length),
    ...(beyond < 2n ** BigInt(length * 8) ? [bigEndian(beyond, length)] : []),
    bigEndian(beyond, length + 1),
  ]
}

export function grantMutations(stage: GrantStage, signer: Registered, grant: string): fc.Arbitrary<string> {
  const header: Json = { alg: signer.algorithm, kid: signer.key.id }
  const claims: Json = { ...stage.claims() }
  const now = stage.clock.now() / 1000
  const signature = Buffer.from(grant.split('.')[2] ?? '', 'base64url')
  const attacker = makeSigner(signer.algorithm)
  const keyOf = (key: Signer) => createPublicKey(key.publicKey).export({ format: 'jwk' })
  const others = Object.values(stage.signers).filter((one) => one !== signer)
  const signed = (changed: unknown, of: unknown = claims, by: Pick<Signer, 'sign'> = signer) =>
    signGrant(changed, of, by)

  const algorithms = fc.constantFrom<unknown>(
    ...['none', 'None', 'NONE', 'nOnE', '', 'HS256', 'HS384', 'HS512', 'RS384', 'RS512', 'PS256', 'ES384'],
    ...['ES512', 'ES256K', 'Ed25519', 'eddsa', 'es256', 'EdDSA', 'ES256', 'RS256', 'dir', 'A128KW'],
    ...[null, 0, true, ['EdDSA'], { alg: 'EdDSA' }, undefined],
  )
  const hmacs = ['sha256', 'sha384', 'sha512'].flatMap((digest) =>
    [
      signer.publicKey,
      signer.publicKey.trim(),
      createPublicKey(signer.publicKey).export({ type: 'spki', format: 'der' }),
      JSON.stringify(keyOf(signer)),
      '',
    ].map((secret) => ({
      sign: (text: string | Uint8Array) => createHmac(digest, secret).update(text).digest(),
    })),
  )
  const empty = { sign: () => Buffer.alloc(0) }
  const confused = fc
    .tuple(
      algorithms,
      fc.constantFrom<Pick<Signer, 'sign'>>(
        ...hmacs,
        empty,
        attacker,
        ...others,
        ...Object.values(stage.foreign),
      ),
    )
    .map(([alg, by]) => signed({ ...header, alg }, claims, by))
  const unsignedPart = algorithms.map((alg) => signedPart({ ...header, alg }, claims))
  const unsigned = fc
    .tuple(unsignedPart, fc.constantFrom('', '.', `.${encode(signature)}`, '.AA', '..'))
    .map(([text, tail]) => text + tail)

  const extra = fc.constantFrom<Json>(
    { crit: ['exp'] },
    { crit: [] },
    { b64: false, crit: ['b64'] },
    { jwk: keyOf(attacker) },
    { jku: 'https://evil.example/keys' },
    { x5u: 'https://evil.example/chain' },
    { x5c: [attacker.publicKey] },
    { zip: 'DEF' },
    { cty: 'JWT' },
    { typ: 'jwt' },
    { typ: 'at+jwt' },
    { typ: null },
    { kid: undefined },
    { kid: null },
    { kid: [signer.key.id] },
    { kid: 'p1' },
    { kid: 'p2' },
    { kid: `${signer.key.id}\0` },
    { kid: `../${signer.key.id}` },
    { kid: signer.key.id.toUpperCase() },
    { kid: '__proto__' },
    ...[...others, ...Object.values(stage.foreign)].map(({ key }) => ({ kid: key.id })),
  )
  const steered = fc
    .tuple(extra, fc.constantFrom<Signer>(signer, attacker))
    .map(([more, by]) => signed({ ...header, ...more }, claims, by))

  const changes: fc.Arbitrary<Json> = fc.oneof(
    fc.record({ exp: fc.integer({ min: now + 3601, max: now + 2_000_000_000 }) }),
    fc.record({ iat: fc.integer({ min: 0, max: now + 600 }) }),
    fc.record({ jti: fc.string({ maxLength: 20 }) }),
    fc.record({ sub: fc.string({ minLength: 1, maxLength: 20 }) }),
    fc.record({ ttl: fc.integer({ min: 1, max: 604_800 }) }),
    fc.constantFrom<Json>({ iss: otherTenant }, { asset: 'ast_00000000000000000009' }, { policy: {} }),
    fc.constantFrom<Json>({ policy: { maxStreams: 100 } }, { aud: 'elsewhere' }, { nbf: 0 }),
  )
  const changed = fc.oneof(
    changes.map((more) => `${signedPart(header, { ...claims, ...more })}.${encode(signature)}`),
    changes.map((more) => signed(header, { ...claims, ...more }, attacker)),
    fc
      .constantFrom(...Object.values(stage.foreign))
      .map((by) => signed({ alg: by.algorithm, kid: by.key.id }, claims, by)),
    fc.constantFrom(...Object.values(stage.foreign)).map((by) => signed(header, claims, by)),
  )

  // By the right key, and still none that counts.
  const wrong = fc.constantFrom<unknown>(
    ...['Movidone', 'movidone ', '', ['movidone'], null, 1].map((aud) => ({ ...claims, aud })),
    ...[now, now - 1, 0, now + 604_801, 2 ** 53, now + 0.5, String(now + 60), null].map((exp) => ({
      ...claims,
      exp,
    })),
    ...[now + 61, now * 1000, -1, null, String(now)].map((iat) => ({ ...claims, iat })),
    ...[now + 11, 'now', null].map((nbf) => ({ ...claims, nbf })),
    ...['', ' ', 'a b', 'é', 'a'.repeat(129), 7, null].map((jti) => ({ ...claims, jti })),
    ...['', 'a'.repeat(201), 7, null, '\ud800'].map((sub) => ({ ...claims, sub })),
    ...[0, 604_801, 1.5, '60', null].map((ttl) => ({ ...claims, ttl })),
    ...[otherTenant, tenantId.toUpperCase(), `${tenantId} `, [tenantId], null].map((iss) => ({
      ...claims,
      iss,
    })),
    ...['ast_00000000000000000009', `${assetId}/../x`, [assetId], null].map((asset) => ({
      ...claims,
      asset,
    })),
    ...[null, [], 'all', { maxstreams: 1 }, { countries: [] }, { networks: ['10.0.0.1/8'] }].map(
      (policy) => ({ ...claims, policy }),
    ),
    ...['admin', 'scope', 'Exp', '__proto__x', 'constructor', 'tenant'].map((name) => ({
      ...claims,
      [name]: true,
    })),
    ...Object.keys(claims).map((name) => ({ ...claims, [name]: undefined })),
    ...[[], [claims], 'text', 7, null, true].map((value) => JSON.stringify(value)),
    ...rawClaims(claims),
  )
  const wronglySaid = wrong.map((said) => signed(header, said))
  const headers = fc.constantFrom<unknown>(
    ...rawClaims(header),
    '[]',
    'null',
    '""',
    '',
    JSON.stringify([header]),
  )
  const wronglyHeaded = headers.map((said) => signed(said))

  const tricks = fc
    .constantFrom(...signatureTricks(signature, signer))
    .map((other) => `${signedPart(header, claims)}.${encode(other)}`)
  const resigned = fc
    .constantFrom<Pick<Signer, 'sign'>>(...others, ...Object.values(stage.foreign), attacker)
    .map((by) => signed(header, claims, by))

  return fc.oneof(
    { weight: 8, arbitrary: textMutations(grant) },
    confused,
    unsigned,
    steered,
    { weight: 2, arbitrary: changed },
    wronglySaid,
    wronglyHeaded,
    tricks,
    resigned,
  )
}

/** JSON that two readers could read differently, or that is none. */
function rawClaims(object: Json): Array<string | Buffer> {
  const text = JSON.stringify(object)
  const [first = ''] = Object.keys(object)
  const doubled = (name: string, value: unknown) => `${text.slice(0, -1)},"${name}":${JSON.stringify(value)}}`
  const number = /:(\d+)/.exec(text)?.[0]
  return [
    doubled(first, object[first]),
    doubled(first, 'other'),
    doubled(`\\u00${first.charCodeAt(0).toString(16)}${first.slice(1)}`, object[first]),
    doubled('__proto__', { admin: true }),
    doubled('', 1),
    `${text}${text}`,
    `${text},`,
    `\ufeff${text}`,
    `[${text}]`,
    text.replaceAll('"', "'"),
    `${text.slice(0, -1)},}`,
    `/**/${text}`,
    `${'{"a":'.repeat(400)}1${'}'.repeat(400)}`,
    Buffer.concat([Buffer.from(text.slice(0, -2)), Buffer.of(0xff, 0xfe), Buffer.from(text.slice(-2))]),
    Buffer.concat([Buffer.from(text.slice(0, -2)), Buffer.of(0xc0, 0xaf), Buffer.from(text.slice(-2))]),
    Buffer.from(text, 'utf16le'),
    ...(number
      ? [
          `${number}.0`,
          `${number}e0`,
          `:-${number.slice(1)}`,
          `:0${number.slice(1)}`,
          ':1e400',
          `${number}.5`,
        ].map((other) => text.replace(number, other))
      : []),
  ]
}
