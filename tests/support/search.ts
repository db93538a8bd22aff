// Looks for secrets in whatever was written: raw, in hex, in base64 at any alignment; in files as they lie, and in the rows of databases.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** One spelling of a secret. */
export interface Needle {
  readonly name: string
  readonly bytes: Buffer
}

/** Something that was written, as it lies there. */
export interface Place {
  readonly name: string
  readonly bytes: Buffer
}

/** What of its base64 is the same whatever stands before and after it, when `before` bytes of a group of three do. */
function base64Within(secret: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), secret]).toString('base64')
  return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + secret.length) * 8) / 6))
}

/** Every way in which bytes may have been written down. */
export function spellings(name: string, secret: Buffer): Needle[] {
  const hex = secret.toString('hex')
  const base64 = [0, 1, 2].map((before) => base64Within(secret, before))
  const base64url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
  const texts = [hex, hex.toUpperCase(), ...new Set([...base64, ...base64url])]
  return [
    { name: `${name}, raw`, bytes: secret },
    ...texts.map((text) => ({ name: `${name} as ${text.slice(0, 6)}…`, bytes: Buffer.from(text) })),
  ]
}

/** A secret that is text, such as a token; also the bytes that it spells in base64url, where it does. */
export const textSpellings = (name: string, text: string): Needle[] => [
  { name, bytes: Buffer.from(text) },
  ...spellings(`${name}, decoded`, Buffer.from(text, 'base64url')),
]

export const found = (places: readonly Place[], needles: readonly Needle[]): string[] =>
  places.flatMap((place) =>
    needles
      .filter(({ bytes }) => place.bytes.includes(bytes))
      .map((needle) => `${needle.name} in ${place.name}`),
  )

/** Every file below a folder, however it is named; one that goes meanwhile is left out. */
export const filesBelow = (folder: string): Place[] =>
  unlessGone(() => readdirSync(folder, { withFileTypes: true })).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory())
      return filesBelow(path).map(({ name, bytes }) => ({ name: join(entry.name, name), bytes }))
    return entry.isFile() ? unlessGone(() => [{ name: entry.name, bytes: readFileSync(path) }]) : []
  })

function unlessGone<T>(read: () => T[]): T[] {
  try {
    return read()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return []
  }
}

/** A long value lies in a database in pieces, page by page: here is each as a whole. To be read when nobody writes. */
export function rowsBelow(folder: string): Place[] {
  const databases = filesBelow(folder).filter(
    ({ bytes }) => bytes.toString('latin1', 0, 15) === 'SQLite format 3',
  )
  return databases.flatMap(({ name }) => {
    const copy = mkdtempSync(join(tmpdir(), 'movidone-rows-'))
    const file = join(copy, basename(name))
    for (const end of ['', '-wal', '-shm'])
      if (existsSync(join(folder, name + end))) cpSync(join(folder, name + end), file + end)
    const database = new DatabaseSync(file)
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
    const rows = tables.flatMap(({ name: table }) =>
      database
        .prepare(`SELECT * FROM "${table}"`)
        .all()
        .map((row) => ({
          name: `${name}, table ${table}`,
          bytes: Buffer.concat(Object.values(row).map(asBytes)),
        })),
    )
    database.close()
    rmSync(copy, { recursive: true })
    return rows
  })
}

const asBytes = (value: unknown): Buffer =>
  value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(`${value}\n`)
