// Tenants' backends as tests play them: key pairs of the three algorithms, and grants signed with them, well or badly.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { SigningAlgorithm } from '../../shared/tenants/model.ts'

export const algorithms = ['EdDSA', 'ES256', 'RS256'] as const satisfies readonly SigningAlgorithm[]

export interface Signer {
  readonly algorithm: SigningAlgorithm
  readonly publicKey: string
  readonly privateKey: KeyObject
  sign(signed: string | Uint8Array): Buffer
}

const makePair = (algorithm: SigningAlgorithm, rsaBits: number) =>
  algorithm === 'EdDSA'
    ? generateKeyPairSync('ed25519')
    : algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: rsaBits })

export function makeSigner(algorithm: SigningAlgorithm, rsaBits = 2048): Signer {
  const { publicKey, privateKey } = makePair(algorithm, rsaBits)
  return {
    algorithm,
    privateKey,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (signed) =>
      sign(algorithm === 'EdDSA' ? null : 'sha256', Buffer.from(signed), {
        key: privateKey,
        dsaEncoding: 'ieee-p1363',
      }),
  }
}

export const encode = (value: string | Uint8Array): string => Buffer.from(value).toString('base64url')

/** Header and claims as they are given: objects as JSON, anything else as it stands. */
export const signedPart = (header: unknown, claims: unknown): string =>
  [header, claims]
    .map((part) =>
      encode(typeof part === 'string' || part instanceof Uint8Array ? part : JSON.stringify(part)),
    )
    .join('.')

export function signGrant(header: unknown, claims: unknown, signer: Pick<Signer, 'sign'>): string {
  const signed = signedPart(header, claims)
  return `${signed}.${encode(signer.sign(signed))}`
}
