// What a session token is and which ones are genuine: `{sessionId}.{expiry}.{keyId}.{HMAC-SHA256}`, one spelling each.
import { createHmac, type KeyObject } from 'node:crypto'
import { constantTimeEqual } from '../core/hash.ts'

export const tokenMaxBytes = 160

export interface SessionClaim {
  /** `{viewerKey}-{20 base32}`: the viewer's hash comes first, so that any node finds the session by a point read. */
  readonly sessionId: string
  readonly viewerKey: string
  readonly expiresAtSeconds: number
}

export interface SigningKey {
  readonly keyId: string
  /** An imported key: HMAC with raw bytes imports them anew each time, which costs seven times the HMAC itself. */
  readonly secret: KeyObject | Uint8Array
}

const mac = (secret: SigningKey['secret'], signed: string): string =>
  createHmac('sha256', secret).update(signed).digest('base64url')

export function mintToken(session: { sessionId: string; expiresAtSeconds: number }, key: SigningKey): string {
  const signed = `${session.sessionId}.${session.expiresAtSeconds.toString(36)}.${key.keyId}`
  return `${signed}.${mac(key.secret, signed)}`
}

// Numbers without leading zeros and exactly 43 characters of base64url; the alphabet of ids is that of core/ids.ts.
const form =
  /^((([0-9a-hjkmnp-tv-z]{16})-[0-9a-hjkmnp-tv-z]{20})\.([1-9a-z][0-9a-z]{0,7})\.([a-z0-9]{1,16}))\.([\w-]{43})$/
const unsigned = '0'.repeat(43)

/**
 * The claim of a genuine token; whether it still counts is decided by what its session has seen. The HMAC is computed and compared whatever came, and compared as
 * text: of the 4 base64url spellings of one signature only the canonical one is equal.
 */
export function verifyToken(token: string, key: SigningKey): SessionClaim | undefined {
  const parts = token.length <= tokenMaxBytes ? form.exec(token) : null
  const [, signed = unsigned, sessionId = '', viewerKey = '', expiry = '0', keyId = '', given = unsigned] =
    parts ?? []
  const genuine = constantTimeEqual(mac(key.secret, signed), given)
  const expiresAtSeconds = Number.parseInt(expiry, 36)
  const accepted = genuine && parts !== null && keyId === key.keyId
  return accepted ? { sessionId, viewerKey, expiresAtSeconds } : undefined
}

/** The viewer's part of a session id, when it has the form of one. */
export const viewerKeyOf = (sessionId: string): string | undefined =>
  /^([0-9a-hjkmnp-tv-z]{16})-[0-9a-hjkmnp-tv-z]{20}$/.exec(sessionId)?.[1]
