// Which public keys a tenant may sign grants with, how many stand beside each other, and how one of them ends.
import { createPublicKey, type JsonWebKeyInput, type KeyObject } from 'node:crypto'
import { isoTime } from '../core/clock.ts'
import { makeId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { Random } from '../core/random.ts'
import type { SigningAlgorithm, SigningKey, Tenant } from './model.ts'

/** Unretired ones: rotation needs two, the rest is room for several backends. */
const mostInUse = 10
/** With those that ended lately: sessions look their key up for as long as they may live, which is 7 days. */
const mostKept = 40
const keptForMs = 30 * 24 * 3600_000

/** What a verification costs grows with either; an even exponent or one below 65537 signs nothing safely. */
const rsaBits = { least: 2048, most: 4096 }
const rsaExponent = { least: 65_537n, most: 2n ** 32n }

export interface NewSigningKey {
  readonly name: string
  /** PEM, or a JSON Web Key (RFC 7517). */
  readonly publicKey: string | Readonly<Record<string, unknown>>
}

const refused = (detail: string, cause?: unknown) => new Problem('signing-key-refused', { detail, cause })

/** The key as it will be kept: SPKI written anew, and the one algorithm it may be used with. */
export function readPublicKey(given: NewSigningKey['publicKey']): {
  algorithm: SigningAlgorithm
  publicKey: string
} {
  // Node would take the public half out of a private key; whoever sends one must be told that it is burnt.
  if (isPrivate(given))
    throw refused(
      'This holds a private key. Nothing of it was kept, but it has left your machine: make a new pair and register the public half of that.',
    )
  const key = parse(given)
  return { algorithm: algorithmOf(key), publicKey: key.export({ type: 'spki', format: 'pem' }).toString() }
}

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const isPrivate = (given: NewSigningKey['publicKey']): boolean =>
  typeof given === 'string'
    ? /PRIVATE KEY/i.test(given) || /"(d|k)"\s*:/.test(given)
    : privateMembers.some((name) => name in given)

function parse(given: NewSigningKey['publicKey']): KeyObject {
  // A certificate would do for Node, but its dates and its issuer would count for nothing here.
  if (typeof given === 'string' && !/^\s*-----BEGIN (RSA )?PUBLIC KEY-----/.test(given))
    throw refused('Send the public key in PEM, as `openssl pkey -pubout` writes it, or as a JSON Web Key.')
  try {
    return createPublicKey(
      typeof given === 'string' ? given : ({ key: given, format: 'jwk' } as JsonWebKeyInput),
    )
  } catch (cause) {
    throw refused('This can not be read as a public key: it is damaged or of an unknown kind.', cause)
  }
}

function algorithmOf(key: KeyObject): SigningAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key
  if (type === 'ed25519') {
    if (isWeak(key)) throw refused('This Ed25519 key is a point of small order: anybody can sign for it.')
    return 'EdDSA'
  }
  if (type === 'ec') {
    if (details.namedCurve === 'prime256v1') return 'ES256'
    throw refused(`This key lies on ${details.namedCurve ?? 'a curve without a name'}; ES256 needs P-256.`)
  }
  if (type !== 'rsa') throw refused(`Keys of the kind ${type} are not taken; use Ed25519, P-256 or RSA.`)
  const { modulusLength: bits = 0, publicExponent: exponent = 0n } = details
  if (bits < rsaBits.least || bits > rsaBits.most)
    throw refused(`This RSA key has ${bits} bits; it must have from ${rsaBits.least} to ${rsaBits.most}.`)
  if (exponent % 2n === 0n || exponent < rsaExponent.least || exponent > rsaExponent.most)
    throw refused('The exponent of this RSA key is not one that is safe; make a key with 65537.')
  return 'RS256'
}

/** y of the points whose order divides 8, both spellings of each (RFC 8032 5.1.7 leaves their refusal to us). */
const smallOrder: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

function isWeak(key: KeyObject): boolean {
  const point = Buffer.from(key.export({ type: 'spki', format: 'der' }).subarray(-32))
  // The highest bit is the sign of x.
  point[31] = (point[31] ?? 0) & 0x7f
  return smallOrder.has(point.toString('hex'))
}

export const makeSigningKey = (ask: NewSigningKey, nowMs: number, random: Random): SigningKey => ({
  id: makeId('sig', random),
  name: ask.name,
  ...readPublicKey(ask.publicKey),
  createdAt: isoTime(nowMs),
})

/** Repeatable with the same key; with another one under the same id it is not the same request. */
export function withSigningKey(tenant: Tenant, key: SigningKey): Tenant | 'unchanged' {
  const same = tenant.signingKeys.find(({ id }) => id === key.id)
  if (same) {
    if (same.name === key.name && same.publicKey === key.publicKey) return 'unchanged'
    throw new Problem('idempotency-mismatch')
  }
  const nowMs = Date.parse(key.createdAt)
  const kept = tenant.signingKeys.filter(
    ({ retiredAt }) => retiredAt === undefined || nowMs - Date.parse(retiredAt) < keptForMs,
  )
  const known = kept.find(({ publicKey }) => publicKey === key.publicKey)
  if (known?.revokedAt) throw refused('This key was revoked; make a new pair.')
  if (known && !known.retiredAt)
    throw new Problem('already-exists', { detail: 'This public key is registered already.' })
  if (kept.filter(({ retiredAt }) => retiredAt === undefined).length >= mostInUse)
    throw new Problem('conflict', {
      detail: `A tenant has at most ${mostInUse} signing keys; retire one first.`,
    })
  if (kept.length >= mostKept)
    throw new Problem('conflict', {
      detail: `${mostKept} signing keys were in use within 30 days, and that is the most there can be.`,
    })
  return { ...tenant, signingKeys: [...kept, key] }
}

/** Retired: its grants open nothing more. Revoked as well: what they opened is over too. */
export function endedSigningKey(
  tenant: Tenant,
  { id, how, nowMs }: { id: string; how: 'retired' | 'revoked'; nowMs: number },
): Tenant | 'unchanged' {
  const key = tenant.signingKeys.find((candidate) => candidate.id === id)
  if (!key) throw new Problem('not-found')
  if (how === 'retired' ? key.retiredAt : key.revokedAt) return 'unchanged'
  const at = isoTime(nowMs)
  const ended: SigningKey = {
    ...key,
    retiredAt: key.retiredAt ?? at,
    ...(how === 'revoked' ? { revokedAt: at } : {}),
  }
  return { ...tenant, signingKeys: tenant.signingKeys.map((each) => (each === key ? ended : each)) }
}
