// What a grant says and when it counts: the claims of the JWS, the times that they must keep, and the words for every refusal.
import { z } from 'zod'
import { type AssetId, idPattern, type TenantId } from '../core/ids.ts'
import { Policy } from '../tenants/policy.ts'
import type { JwsFault } from './jws.ts'

export const grantMaxSeconds = 7 * 24 * 3600
/** Idle for longer than it lives no session can be. */
export const ttlMaxSeconds = 7 * 24 * 3600
/** How far the clock of a tenant's backend may be ahead of ours. None for the end: who expires is over. */
const leeway = { issuedSeconds: 60, notBeforeSeconds: 10 }

const seconds = z.number().int().min(0)

/** Exactly these: a claim that nobody here reads would be a restriction that is lost. */
export const GrantClaims = z
  .object({
    /** The tenant. */
    iss: z.custom<TenantId>((v) => typeof v === 'string' && idPattern('ten').test(v), 'must be a tenant id'),
    aud: z.string(),
    /** Whatever says it again opens no second session. */
    jti: z.string().regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible characters of ASCII'),
    iat: seconds,
    exp: seconds,
    nbf: seconds.optional(),
    /** The viewer, in the tenant's own words. */
    sub: z.string().min(1).max(200).optional(),
    asset: z.custom<AssetId>((v) => typeof v === 'string' && idPattern('ast').test(v), 'must be an asset id'),
    /** `ttlSeconds` of the session. */
    ttl: seconds.min(1).max(ttlMaxSeconds).optional(),
    policy: Policy.optional(),
  })
  .strict()
export type GrantClaims = z.infer<typeof GrantClaims>

export type TimeFault = 'wrong-times' | 'issued-in-the-future' | 'not-yet' | 'expired'

export function timeFault({ iat, exp, nbf }: GrantClaims, nowMs: number): TimeFault | undefined {
  const now = nowMs / 1000
  if (exp <= iat || exp - iat > grantMaxSeconds) return 'wrong-times'
  if (iat > now + leeway.issuedSeconds) return 'issued-in-the-future'
  if (nbf !== undefined && nbf > now + leeway.notBeforeSeconds) return 'not-yet'
  return exp <= now ? 'expired' : undefined
}

export type GrantFault =
  | JwsFault
  | TimeFault
  | 'wrong-claims'
  | 'wrong-issuer'
  | 'unknown-key'
  | 'retired-key'
  | 'revoked-key'
  | 'wrong-algorithm'
  | 'wrong-signature'
  | 'wrong-audience'
  | 'suspended'
  | 'unknown-title'
  | 'failed-title'
  | 'not-playable-yet'
  | 'title-revoked'
  | 'viewer-revoked'
  | 'session-revoked'
  | 'outside-its-window'

/** For the developer who signs grants, and for nobody else: a player is told one thing whatever was wrong. */
export const grantFaults: Readonly<Record<GrantFault, string>> = {
  'too-long': 'A grant has at most 4096 characters; shorten `sub` or the policy.',
  'not-a-jws':
    'This is no compact JWS: three parts of base64url without padding, joined by dots, the second a JSON object whose names differ, with whole numbers.',
  'wrong-header':
    'The header must hold `alg` (EdDSA, ES256 or RS256), `kid` (the id of the signing key), and nothing else but `"typ": "JWT"`.',
  'wrong-claims':
    'The claims must be `iss`, `aud`, `jti`, `iat`, `exp`, `asset`, if need be `nbf`, `sub`, `ttl`, `policy`, and nothing else.',
  'wrong-issuer': '`iss` must be your own tenant id.',
  'unknown-key': '`kid` names no signing key of yours; register the public key and use the id that you get.',
  'retired-key': 'This signing key is retired; sign with one that is in use.',
  'revoked-key': 'This signing key is revoked, and with it everything that it signed.',
  'wrong-algorithm': '`alg` is not the algorithm of the key that `kid` names.',
  'wrong-signature':
    'The signature is not one of this key over this header and these claims. ES256 wants 64 bytes, r and s, not DER.',
  'wrong-audience': '`aud` must be the one string that this platform is called by.',
  'wrong-times': '`exp` must be later than `iat`, by at most 7 days; both count seconds.',
  'issued-in-the-future':
    '`iat` is more than 60 seconds ahead: set the clock of your backend, and count seconds.',
  'not-yet': '`nbf` is still ahead.',
  expired: '`exp` is over; mint a new grant for each visit.',
  suspended: 'This tenant is suspended; ask the operator of the platform.',
  'unknown-title': '`asset` is none of your titles.',
  'failed-title': 'This title failed to encode; read its `error`.',
  'not-playable-yet': 'This title has no segment yet; its `progress` tells.',
  'title-revoked': 'The sessions of this title were ended after `iat`; mint a new grant.',
  'viewer-revoked': 'This viewer was revoked after `iat`; mint a new grant if it may watch again.',
  'session-revoked': 'The session of this grant was revoked; mint one with another `jti`.',
  'outside-its-window': 'The policy has a window of time, and it is not now.',
}
