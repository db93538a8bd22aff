// A gzipped tar file of whole entries, the same bytes for the same entries: sorted, undated, of nobody (POSIX.1-1988 ustar, RFC 1952).
import { gzipSync } from 'node:zlib'

export interface TarEntry {
  /** Relative, with forward slashes; at most 100 bytes. */
  readonly name: string
  readonly bytes: Uint8Array
  readonly executable?: boolean
}

const block = 512
const longestName = 100
/** Of the header of a gzip member: the system that made it. Unknown, so that every system makes the same. */
const systemAt = 9
const unknownSystem = 255
/** Most of what is packed is one program: the highest level would take five times as long to save a tenth. */
const level = 1

export function tarGz(entries: readonly TarEntry[]): Buffer {
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))
  if (new Set(sorted.map(({ name }) => name)).size < sorted.length)
    throw new Error('tar: a name stands twice')
  const parts = sorted.flatMap((entry) => [header(entry), entry.bytes, padding(entry.bytes.length)])
  const packed = gzipSync(Buffer.concat([...parts, Buffer.alloc(2 * block)]), { level })
  packed[systemAt] = unknownSystem
  return packed
}

function header({ name, bytes, executable }: TarEntry): Buffer {
  const field = Buffer.alloc(block)
  if (Buffer.byteLength(name) > longestName) throw new Error(`tar: ${name} is too long a name`)
  field.write(name, 0)
  field.write(octal(executable ? 0o755 : 0o644, 7), 100)
  field.write(octal(0, 7), 108)
  field.write(octal(0, 7), 116)
  field.write(octal(bytes.length, 11), 124)
  field.write(octal(0, 11), 136)
  // The sum is made with blanks in its own place.
  field.write(' '.repeat(8), 148)
  field.write('0', 156)
  field.write('ustar\x0000', 257)
  const sum = field.reduce((total, byte) => total + byte, 0)
  field.write(`${octal(sum, 6)}\0 `, 148)
  return field
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0')

const padding = (size: number): Buffer => Buffer.alloc((block - (size % block)) % block)
