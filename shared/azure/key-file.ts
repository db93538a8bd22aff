// The file that stands in for the vault on one machine: an RSA key that is made once, whoever comes first, and kept private.
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { toBase64url } from '../core/base64url.ts'
import { sha256 } from '../core/hash.ts'

export interface KeyFile {
  /** `file:` and the key's thumbprint (RFC 7638): the same key has the same id wherever its file lies. */
  readonly kekId: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const modulusLength = 3072

const hasCode = (error: unknown, code: string) => (error as NodeJS.ErrnoException).code === code

export async function openKeyFile(path: string): Promise<KeyFile> {
  const text = await readFile(path, 'utf8').catch(async (error: unknown) => {
    if (!hasCode(error, 'ENOENT')) throw error
    await make(path)
    return readFile(path, 'utf8')
  })
  const { mode } = await stat(path)
  if (process.platform !== 'win32' && mode & 0o077)
    throw new Error(`others can read the key file ${path}: chmod 600 it`)
  return parse(path, text)
}

function parse(path: string, pem: string): KeyFile {
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey(pem)
  } catch (cause) {
    throw new Error(`${path} does not hold a private key in PEM; restore it, for what it wrapped needs it`, {
      cause,
    })
  }
  if (privateKey.asymmetricKeyType !== 'rsa') throw new Error(`${path} holds a key that is not RSA`)
  const publicKey = createPublicKey(privateKey)
  const { e, kty, n } = publicKey.export({ format: 'jwk' })
  const kekId = `file:${toBase64url(sha256(JSON.stringify({ e, kty, n })))}`
  return { kekId, privateKey, publicKey }
}

/** A link appears whole or not at all and never replaces one: of several processes the first one's key stays. */
async function make(path: string): Promise<void> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength })
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }))
    await file.sync()
    await link(draft, path)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    await file.close()
    await unlink(draft)
  }
}
