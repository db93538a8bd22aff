// Reads a zip file by its central directory, with its modes, and checks every sum: written apart from the writer.
import { crc32, inflateRawSync } from 'node:zlib'

export interface UnzippedEntry {
  readonly name: string
  readonly mode: number
  readonly bytes: Buffer
}

export function unzip(file: Buffer): UnzippedEntry[] {
  const end = file.lastIndexOf('PK\x05\x06', undefined, 'latin1')
  if (end < 0) throw new Error('no end of central directory')
  let at = file.readUInt32LE(end + 16)
  return Array.from({ length: file.readUInt16LE(end + 10) }, () => {
    if (file.readUInt32BE(at) !== 0x504b0102) throw new Error(`no directory entry at ${at}`)
    const name = file.toString('utf8', at + 46, at + 46 + file.readUInt16LE(at + 28))
    const mode = (file.readUInt32LE(at + 38) >>> 16) & 0o7777
    const local = file.readUInt32LE(at + 42)
    const start = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28)
    const bytes = inflateRawSync(file.subarray(start, start + file.readUInt32LE(at + 20)))
    if (crc32(bytes) !== file.readUInt32LE(at + 16)) throw new Error(`${name} is damaged`)
    at += 46 + file.readUInt16LE(at + 28) + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32)
    return { name, mode, bytes }
  })
}
