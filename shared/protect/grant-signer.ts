// How the platform itself signs grants: Ed25519, with a key that comes out of its own secret and is kept nowhere else.
import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { AssetId, TenantId } from '../core/ids.ts'
import { lazy } from '../core/lazy.ts'
import { Problem } from '../core/problem.ts'
import type { Policy } from '../tenants/policy.ts'
import { type GrantClaims, grantFaults } from './grant.ts'
import { jwsMaxCharacters, signJws, type VerifyingKey } from './jws.ts'
import { type PlatformSecret, platformKeyId } from './platform-secret.ts'

export interface MintGrant {
  readonly tenantId: TenantId
  readonly assetId: AssetId
  /** Of one request: the same one opens the same session. */
  readonly jti: string
  readonly expiresInSeconds: number
  readonly viewer?: string | undefined
  readonly ttlSeconds?: number | undefined
  readonly policy?: Policy | undefined
}

export interface GrantSigner {
  verifyingKey(): Promise<VerifyingKey>
  mint(ask: MintGrant): Promise<{ grant: string; expiresAtMs: number }>
}

export interface SignerDeps {
  readonly platformSecret: PlatformSecret
  readonly now: () => number
  readonly audience: string
}

/** All of a PKCS #8 document around the 32 bytes of an Ed25519 seed (RFC 8410 section 7). */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')

export function createGrantSigner({ platformSecret, now, audience }: SignerDeps): GrantSigner {
  const pair = lazy(async () => {
    const key = Buffer.concat([pkcs8, await platformSecret('grant')])
    const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
    const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
    return { privateKey, publicKey }
  })
  return {
    verifyingKey: async () => ({ algorithm: 'EdDSA', publicKey: (await pair()).publicKey }),

    async mint({ tenantId, assetId, jti, expiresInSeconds, viewer, ttlSeconds, policy }) {
      const iat = Math.floor(now() / 1000)
      const claims: GrantClaims = {
        iss: tenantId,
        aud: audience,
        jti,
        iat,
        exp: iat + expiresInSeconds,
        asset: assetId,
        ...(viewer === undefined ? {} : { sub: viewer }),
        ...(ttlSeconds === undefined ? {} : { ttl: ttlSeconds }),
        ...(policy === undefined ? {} : { policy }),
      }
      const { privateKey } = await pair()
      const grant = signJws(claims, { keyId: platformKeyId, privateKey })
      if (grant.length > jwsMaxCharacters) throw new Problem('too-large', { detail: grantFaults['too-long'] })
      return { grant, expiresAtMs: claims.exp * 1000 }
    },
  }
}
