// The platform's own secret: made once by whichever process needs it first, kept wrapped, and split by purpose.
import { hkdfSync } from 'node:crypto'
import type { Random } from '../core/random.ts'
import type { Kek, KeyStore, WrappedKeys } from './ports.ts'

/** Names the secret in the store and in every session token, so that a next one can stand beside it. */
export const platformKeyId = 'p1'
const secretBytes = 32

export interface SecretDeps {
  readonly keys: KeyStore
  readonly kek: Kek
  readonly random: Random
}

/** 32 bytes for one purpose (HKDF-SHA256, RFC 5869): what leaks of one tells nothing of another. */
export type PlatformSecret = (purpose: string) => Promise<Uint8Array>

export function createPlatformSecret({ keys, kek, random }: SecretDeps): PlatformSecret {
  const read = () => keys.get('platform', platformKeyId)

  async function make(): Promise<WrappedKeys | undefined> {
    const { kekId, wrapped } = await kek.wrap(random.bytes(secretBytes))
    const made: WrappedKeys = {
      id: platformKeyId,
      assetId: 'platform',
      type: 'keys',
      schema: 1,
      kekId,
      wrapped: Buffer.from(wrapped).toString('base64'),
      keys: [{ keyId: platformKeyId, rendition: 'platform' }],
    }
    return (await keys.create(made)) ? made : read()
  }

  async function load(): Promise<Uint8Array> {
    const document = (await read()) ?? (await make())
    if (!document) throw new Error('the platform secret vanished while it was made')
    const secret = await kek.unwrap(document.kekId, Buffer.from(document.wrapped, 'base64'))
    if (secret.length !== secretBytes) throw new Error('the platform secret has a wrong size')
    return secret
  }

  let root: Promise<Uint8Array> | undefined
  const derived = new Map<string, Uint8Array>()
  return async (purpose) => {
    const known = derived.get(purpose)
    if (known) return known
    root ??= load().catch((error: unknown) => {
      // A vault that was away is asked again by the next request.
      root = undefined
      throw error
    })
    const secret = new Uint8Array(hkdfSync('sha256', await root, '', `movidone\0${purpose}`, secretBytes))
    derived.set(purpose, secret)
    return secret
  }
}
