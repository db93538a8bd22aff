// Decides the secrets of one machine's platform, once: its admin key, and the tenant that is there from the first start.
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { writePrivately } from './secret-file.ts'

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

export const localSecrets = (file: string): LocalSecrets => {
  if (!existsSync(file)) writePrivately(file, JSON.stringify(make()))
  return JSON.parse(readFileSync(file, 'utf8'))
}
