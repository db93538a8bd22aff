// A made-up Entra ID: it signs access tokens (RFC 7519, ES256) for whatever audience is asked, and knows its own again.
import { generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto'
import type { TokenCredential } from '@azure/identity'

export interface Entra {
  readonly credential: TokenCredential
  /** Scopes that tokens were asked for, in order. */
  readonly asked: readonly string[]
  /** Signed here, for this audience, and within its time. */
  accepts(token: string, audience: string): boolean
}

const lifeSeconds = 3600

export function createEntra(): Entra {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const tenant = randomUUID()
  const asked: string[] = []
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

  function issue(audience: string): { token: string; expiresOnTimestamp: number } {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      ...{
        aud: audience,
        iss: `https://sts.windows.net/${tenant}/`,
        tid: tenant,
        oid: randomUUID(),
        ver: '1.0',
      },
      ...{ iat: now - 60, nbf: now - 60, exp: now + lifeSeconds },
    }
    const content = `${part({ alg: 'ES256', typ: 'JWT' })}.${part(claims)}`
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
    const signature = sign('sha256', Buffer.from(content), key).toString('base64url')
    return { token: `${content}.${signature}`, expiresOnTimestamp: (now + lifeSeconds) * 1000 }
  }

  return {
    asked,
    credential: {
      async getToken(scopes) {
        const scope = [scopes].flat()[0] ?? ''
        asked.push(scope)
        return issue(scope.replace(/\/\.default$/, ''))
      },
    },
    accepts(token, audience) {
      const [header, claims, signature] = token.split('.')
      if (!header || !claims || !signature) return false
      const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
      const content = Buffer.from(`${header}.${claims}`)
      if (!verify('sha256', content, key, Buffer.from(signature, 'base64url'))) return false
      const { aud, nbf, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString())
      const now = Date.now() / 1000
      return aud === audience && nbf <= now && now < exp
    },
  }
}
