// A Key Vault for tests: https, the bearer challenge, RSA keys with versions, secrets; just the calls the application makes.
import { constants, generateKeyPairSync, type KeyObject, privateDecrypt, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Certificate } from './certificate.ts'
import type { Entra } from './entra.ts'

export interface VaultServer {
  readonly url: string
  /** Method and path of every call that bore a good token. */
  readonly calls: readonly string[]
  /** Makes a new current version; older ones still unwrap. */
  rotate(key: string): void
  /** Disables all versions but the newest, as an operator does once nothing needs them. */
  disableOlder(key: string): void
  readonly secrets: Map<string, string>
  stop(): Promise<void>
}

/** `host` has to be a name below the challenge's resource, as the client checks (`movidone.vault.test`). */
export async function startVault(host: string, tls: Certificate, entra: Entra): Promise<VaultServer> {
  const resource = `https://${host.replace(/^[^.]+\./, '')}`
  const keys = new Map<string, Array<{ version: string; privateKey: KeyObject; publicKey: KeyObject }>>()
  const disabled = new Set<string>()
  const secrets = new Map<string, string>()
  const calls: string[] = []
  let url = ''

  async function answer(request: IncomingMessage): Promise<[status: number, body: unknown]> {
    const { pathname } = new URL(request.url ?? '/', url)
    calls.push(`${request.method} ${pathname}`)
    const [, kind, name = '', version = '', operation] = pathname.split('/')
    const found = keys.get(name)?.findLast((key) => version === '' || key.version === version)
    if (found && disabled.has(found.version))
      return [403, { error: { code: 'Forbidden', message: 'Operation is not allowed on a disabled key.' } }]
    if (kind === 'keys' && !found) return [404, { error: { code: 'KeyNotFound', message: name } }]
    const kid = `${url}/keys/${name}/${found?.version}`
    if (kind === 'keys' && found && request.method === 'GET' && !operation) {
      const { kty, n, e } = found.publicKey.export({ format: 'jwk' })
      const key = { kid, kty, n, e, key_ops: ['wrapKey', 'unwrapKey'] }
      return [200, { key, attributes: { enabled: true } }]
    }
    if (kind === 'keys' && found && request.method === 'POST' && operation === 'unwrapkey') {
      const { alg, value } = JSON.parse(await text(request))
      if (alg !== 'RSA-OAEP-256')
        return [501, { error: { code: 'NotServed', message: `the algorithm ${alg}` } }]
      const padding = constants.RSA_PKCS1_OAEP_PADDING
      const key = { key: found.privateKey, oaepHash: 'sha256', padding }
      try {
        const plain = privateDecrypt(key, Buffer.from(value, 'base64url'))
        return [200, { kid, value: plain.toString('base64url') }]
      } catch {
        return [400, { error: { code: 'BadParameter', message: 'The parameter is incorrect.' } }]
      }
    }
    if (kind === 'secrets' && request.method === 'GET' && version === '') {
      const value = secrets.get(name)
      if (value === undefined) return [404, { error: { code: 'SecretNotFound', message: name } }]
      return [200, { value, id: `${url}/secrets/${name}/1`, attributes: { enabled: true } }]
    }
    return [501, { error: { code: 'NotServed', message: `${request.method} ${pathname}` } }]
  }

  const server = createServer(tls, async (request, response) => {
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? ''
    if (!entra.accepts(token, resource)) {
      request.resume()
      const challenge = `Bearer authorization="https://login.microsoftonline.com/${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}", resource="${resource}"`
      const body = JSON.stringify({ error: { code: 'Unauthorized', message: 'a token is needed' } })
      return void response
        .writeHead(401, { 'www-authenticate': challenge, 'content-type': 'application/json' })
        .end(body)
    }
    const [status, body] = await answer(request)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `https://${host}:${(server.address() as AddressInfo).port}`
  return {
    url,
    calls,
    secrets,
    rotate(key) {
      const pair = generateKeyPairSync('rsa', { modulusLength: 3072 })
      keys.set(key, [...(keys.get(key) ?? []), { version: randomBytes(16).toString('hex'), ...pair }])
    },
    disableOlder(key) {
      for (const { version } of keys.get(key)?.slice(0, -1) ?? []) disabled.add(version)
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
