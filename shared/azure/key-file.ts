// The file that stands in for the vault on one machine: RSA keys, the last one in use; made once, whoever comes first, and kept private.
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { toBase64url } from '../core/base64url.ts'
import { sha256 } from '../core/hash.ts'

export interface FileKey {
  /** `file:` and the key's thumbprint (RFC 7638): the same key has the same id wherever its file lies. */
  readonly kekId: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export interface KeyFile {
  readonly current: FileKey
  find(kekId: string): FileKey
}

const modulusLength = 3072
const modulusLeast = 2048
// What stands around the blocks is explanatory text (RFC 7468 2).
const block = /-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g

const hasCode = (error: unknown, code: string) => (error as NodeJS.ErrnoException).code === code

/** Reads the file whenever it has changed: a key that is appended is the current one from the next use on. */
export function createKeyFile(path: string): () => Promise<KeyFile> {
  let known: { file: KeyFile; state: string } | undefined

  async function stateOf(): Promise<string> {
    const { mode, mtimeNs, size } = await stat(path, { bigint: true })
    if (process.platform !== 'win32' && mode & 0o077n)
      throw new Error(`others can read the key file ${path}: chmod 600 it`)
    return `${mtimeNs} ${size}`
  }

  return async () => {
    const state = await stateOf().catch(async (error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error
      // A new key would open nothing of what the lost ones have wrapped.
      if (known) throw new Error(`the key file ${path} is gone: restore it`, { cause: error })
      await make(path)
      return stateOf()
    })
    if (known?.state === state) return known.file
    const text = await readFile(path, 'utf8')
    // Somebody is appending right now: the whole of it is read at the next use.
    if (known && text.replace(block, '').includes('-----BEGIN')) return known.file
    known = { file: parseFile(path, text), state }
    return known.file
  }
}

function parseFile(path: string, text: string): KeyFile {
  const rest = text.replace(block, '')
  if (rest.includes('-----BEGIN'))
    throw new Error(`${path} ends in the middle of a key; restore it, or take that part away`)
  const keys = (text.match(block) ?? []).map((pem) => parseKey(path, pem))
  const current = keys.at(-1)
  if (!current)
    throw new Error(`${path} does not hold a private key in PEM; restore it, for what it wrapped needs it`)
  return {
    current,
    find(kekId) {
      const found = keys.find((key) => key.kekId === kekId)
      if (found) return found
      const here = keys.map((key) => key.kekId).join(', ')
      throw new Error(
        `${path} holds ${here}; this was wrapped by ${kekId}: put that key back, before the others`,
      )
    },
  }
}

function parseKey(path: string, pem: string): FileKey {
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey(pem)
  } catch (cause) {
    throw new Error(`${path} does not hold private keys alone; restore it, for what it wrapped needs it`, {
      cause,
    })
  }
  if (privateKey.asymmetricKeyType !== 'rsa') throw new Error(`${path} holds a key that is not RSA`)
  if ((privateKey.asymmetricKeyDetails?.modulusLength ?? 0) < modulusLeast)
    throw new Error(`${path} holds an RSA key of less than ${modulusLeast} bits`)
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
