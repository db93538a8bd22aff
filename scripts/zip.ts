// A zip file of whole entries, the same bytes for the same entries: sorted, undated, with Unix modes (PKWARE APPNOTE 6.3.10).
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipEntry {
  /** Relative, with forward slashes. */
  readonly name: string
  readonly bytes: Uint8Array
  readonly executable?: boolean
}

const madeByUnix = (3 << 8) | 30
const neededToRead = 20
const utf8Names = 1 << 11
const deflated = 8
const firstOfJanuary1980 = 0x0021

// Beyond these Zip64 would be needed, and the Functions host takes no such package.
const mostEntries = 0xffff
const mostBytes = 0xffffffff

export function zip(entries: readonly ZipEntry[]): Buffer {
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))
  if (new Set(sorted.map(({ name }) => name)).size < sorted.length)
    throw new Error('zip: a name stands twice')
  if (sorted.length > mostEntries) throw new Error(`zip: more than ${mostEntries} entries`)

  const bodies: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const entry of sorted) {
    const name = Buffer.from(entry.name)
    const body = deflateRawSync(entry.bytes, { level: 9 })
    const common = commonHeader(entry.bytes, body, name)
    const local = Buffer.concat([uint32(0x04034b50), common, uint16(0), name, body])
    directory.push(
      uint32(0x02014b50),
      uint16(madeByUnix),
      common,
      // No extra field, no comment, first disk, no internal attributes.
      Buffer.alloc(2 + 2 + 2 + 2),
      uint32(((entry.executable ? 0o100755 : 0o100644) << 16) >>> 0),
      uint32(offset),
      name,
    )
    bodies.push(local)
    offset += local.length
    if (offset > mostBytes) throw new Error('zip: more than 4 GiB')
  }

  const central = Buffer.concat(directory)
  const end = [
    uint32(0x06054b50),
    uint16(0),
    uint16(0),
    uint16(sorted.length),
    uint16(sorted.length),
    uint32(central.length),
    uint32(offset),
    uint16(0),
  ]
  return Buffer.concat([...bodies, central, ...end])
}

/** The fields that a local header and the central directory share, up to the length of the name. */
function commonHeader(bytes: Uint8Array, body: Buffer, name: Buffer): Buffer {
  return Buffer.concat([
    uint16(neededToRead),
    uint16(utf8Names),
    uint16(deflated),
    uint16(0),
    uint16(firstOfJanuary1980),
    uint32(crc32(bytes)),
    uint32(body.length),
    uint32(bytes.length),
    uint16(name.length),
  ])
}

function uint16(value: number): Buffer {
  const field = Buffer.alloc(2)
  field.writeUInt16LE(value)
  return field
}

function uint32(value: number): Buffer {
  const field = Buffer.alloc(4)
  field.writeUInt32LE(value)
  return field
}
