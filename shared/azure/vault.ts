// Where the key encryption key is: in Key Vault, which unwraps and never gives it away, or in a file on one machine.
import { constants, createPublicKey, type KeyObject, privateDecrypt, publicEncrypt } from 'node:crypto'
import type { TokenCredential } from '@azure/identity'
import type { CryptographyClient } from '@azure/keyvault-keys'
import type { AdminKeyConfig, KekConfig } from '../config/index.ts'
import type { Clock } from '../core/clock.ts'
import { lazy } from '../core/lazy.ts'
import type { Kek } from '../protect/ports.ts'
import { entraCredential } from './credential.ts'
import { surfacing } from './failure.ts'
import { createKeyFile } from './key-file.ts'

export interface VaultDeps {
  readonly clock: Clock
  /** Instead of the identity that the configuration names. */
  readonly credential?: TokenCredential
}

type VaultKekConfig = Extract<KekConfig, { kind: 'vault' }>

// RFC 8017 7.1 with SHA-256 for both hashes: what Key Vault and JOSE call RSA-OAEP-256.
const oaep256 = { oaepHash: 'sha256', padding: constants.RSA_PKCS1_OAEP_PADDING }
// A rotated key is taken up within this time; what older versions wrapped stays readable, since their id is kept.
const currentVersionMs = 3_600_000
const retryOptions = { maxRetries: 3, retryDelayInMs: 500, maxRetryDelayInMs: 4000 }

/** Opens nothing before the first use. */
export const createKek = (config: KekConfig, deps: VaultDeps): Kek =>
  surfacing(config.kind === 'file' ? fileKek(config.path) : vaultKek(config, deps))

function fileKek(path: string): Kek {
  const open = createKeyFile(path)
  return {
    currentId: async () => (await open()).current.kekId,
    async wrap(plain) {
      const { kekId, publicKey } = (await open()).current
      return { kekId, wrapped: publicEncrypt({ key: publicKey, ...oaep256 }, plain) }
    },
    async unwrap(kekId, wrapped) {
      const { privateKey } = (await open()).find(kekId)
      return privateDecrypt({ key: privateKey, ...oaep256 }, wrapped)
    },
  }
}

/** Wrapping needs the public half alone and is done here; each unwrapping is a call that the vault allows and records. */
function vaultKek({ url, name, clientId }: VaultKekConfig, deps: VaultDeps): Kek {
  const open = lazy(async () => {
    const sdk = await import('@azure/keyvault-keys')
    const credential = deps.credential ?? (await entraCredential(clientId))
    return { sdk, credential, keys: new sdk.KeyClient(url, credential, { retryOptions }) }
  })
  const ours = `${url.replace(/\/$/, '')}/keys/${name}/`

  async function readCurrent(): Promise<{ kekId: string; publicKey: KeyObject }> {
    const { keys } = await open()
    const { id, key } = await keys.getKey(name)
    if (!id?.startsWith(ours) || !key?.n || !key.e) throw new Error(`the key '${name}' of ${url} is not RSA`)
    const jwk = { kty: 'RSA', n: base64url(key.n), e: base64url(key.e) }
    return { kekId: id, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) }
  }
  // One for each version that anything is wrapped by: they are few, and each signs in and reads its key once.
  const versions = new Map<string, CryptographyClient>()
  let current = { read: lazy(readCurrent), untilMs: 0 }
  const readAnew = () => {
    current = { read: lazy(readCurrent), untilMs: deps.clock.now() + currentVersionMs }
    return current.read()
  }
  const newest = () => (deps.clock.now() < current.untilMs ? current.read() : readAnew())

  return {
    currentId: async () => (await readAnew()).kekId,
    async wrap(plain) {
      const { kekId, publicKey } = await newest()
      return { kekId, wrapped: publicEncrypt({ key: publicKey, ...oaep256 }, plain) }
    },
    async unwrap(kekId, wrapped) {
      // The id comes from a document: it may not send us, and our token, anywhere but to our own key.
      if (!kekId.startsWith(ours)) throw new Error(`${kekId} is not a version of the key '${name}' of ${url}`)
      const { sdk, credential } = await open()
      const client = versions.get(kekId) ?? new sdk.CryptographyClient(kekId, credential, { retryOptions })
      versions.set(kekId, client)
      return (await client.unwrapKey('RSA-OAEP-256', wrapped)).result
    },
  }
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

/** The value of a secret; only a vault has any. */
export async function readVaultSecret(
  { url, secret, clientId }: Extract<AdminKeyConfig, { kind: 'vault' }>,
  deps: Partial<VaultDeps> = {},
): Promise<string> {
  const { SecretClient } = await import('@azure/keyvault-secrets')
  const credential = deps.credential ?? (await entraCredential(clientId))
  const { value } = await new SecretClient(url, credential, { retryOptions }).getSecret(secret)
  if (!value) throw new Error(`the secret '${secret}' of ${url} is empty`)
  return value
}
