// Which compact JWS is genuine (RFC 7515): one form, three algorithms, and the key decides which, never the token.
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { z } from 'zod'
import { fromBase64url, toBase64url } from '../core/base64url.ts'
import { SigningAlgorithm } from '../tenants/model.ts'
import { type JsonObject, readStrictJson } from './strict-json.ts'

export const jwsMaxCharacters = 4096

/** Exactly these: `crit`, `jwk`, `jku`, `x5c`, `b64` and whatever else could steer a reader are refused. */
const Header = z
  .object({
    alg: SigningAlgorithm,
    kid: z.string().regex(/^[a-z0-9_]{1,64}$/),
    typ: z.literal('JWT').optional(),
  })
  .strict()

export interface Jws {
  readonly algorithm: SigningAlgorithm
  readonly keyId: string
  readonly payload: JsonObject
  readonly signed: Uint8Array
  readonly signature: Uint8Array
}

export type JwsFault = 'too-long' | 'not-a-jws' | 'wrong-header'

export interface VerifyingKey {
  readonly algorithm: SigningAlgorithm
  /** SPKI in PEM. */
  readonly publicKey: string
}

export function readJws(text: string): Jws | JwsFault {
  if (text.length > jwsMaxCharacters) return 'too-long'
  const parts = text.split('.')
  const [header, payload, signature] = parts.map(fromBase64url)
  if (parts.length !== 3 || !header || !payload || !signature?.length) return 'not-a-jws'
  const claims = readStrictJson(payload)
  const named = Header.safeParse(readStrictJson(header))
  if (!named.success) return 'wrong-header'
  if (!claims) return 'not-a-jws'
  return {
    algorithm: named.data.alg,
    keyId: named.data.kid,
    payload: claims,
    signed: Buffer.from(text.slice(0, text.lastIndexOf('.'))),
    signature,
  }
}

const digests = { EdDSA: null, ES256: 'sha256', RS256: 'sha256' } as const

/**
 * Does its arithmetic whatever came. The signature has exactly the length of its algorithm: ES256 is r and s, 32 bytes
 * each (RFC 7518 3.4), so DER is none. OpenSSL refuses r or s of 0, and an S of Ed25519 that is not below the order of
 * the group (RFC 8032 5.1.7).
 */
export function isGenuine({ algorithm, signed, signature }: Jws, key: VerifyingKey): boolean {
  const publicKey = createPublicKey(key.publicKey)
  const { modulusLength = 0 } = publicKey.asymmetricKeyDetails ?? {}
  const lengthBytes = key.algorithm === 'RS256' ? Math.ceil(modulusLength / 8) : 64
  const fits = signature.length === lengthBytes && algorithm === key.algorithm
  const given = fits ? signature : Buffer.alloc(lengthBytes, 1)
  const verified = verify(
    digests[key.algorithm],
    signed,
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    given,
  )
  return fits && verified
}

/** The platform's own: Ed25519 alone. */
export function signJws(payload: JsonObject, key: { keyId: string; privateKey: KeyObject }): string {
  const json = (value: unknown) => toBase64url(Buffer.from(JSON.stringify(value)))
  const signed = `${json({ alg: 'EdDSA', kid: key.keyId })}.${json(payload)}`
  return `${signed}.${toBase64url(sign(null, Buffer.from(signed), key.privateKey))}`
}
