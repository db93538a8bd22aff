// Decides the secrets of one machine's platform, once: its admin key, and the tenant that is there from the first start.
import { randomBytes } from 'node:crypto'

export interface LocalSecrets {
  readonly adminKey: string
  readonly tenant: { readonly id: string; readonly apiKey: string }
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
// Five bits of each byte: uniform, since 256 is a multiple of 32.
const makeId = (prefix: string): string =>
  `${prefix}_${Array.from(randomBytes(20), (byte) => ALPHABET[byte & 31]).join('')}`

const make = (): LocalSecrets => {
  const id = makeId('ten')
  const apiKey = `${id}.${makeId('key')}.${randomBytes(32).toString('base64url')}`
  return { adminKey: randomBytes(32).toString('base64url'), tenant: { id, apiKey } }
}

/** Those of the run before: its `local.json` is the only file that holds them. */
export const localSecrets = (before: LocalSecrets | undefined): LocalSecrets =>
  before ? { adminKey: before.adminKey, tenant: before.tenant } : make()
