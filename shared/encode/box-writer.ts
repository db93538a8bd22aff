// How boxes are written (ISO/IEC 14496-12 4.2): size, type, then the parts one after another.
type Part = Uint8Array | readonly Part[]

export const u8 = (...values: number[]): Buffer => Buffer.from(values)

export function u16(...values: number[]): Buffer {
  const out = Buffer.alloc(values.length * 2)
  for (const [index, value] of values.entries()) out.writeUInt16BE(value, index * 2)
  return out
}

export function u32(...values: number[]): Buffer {
  const out = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) out.writeUInt32BE(value >>> 0, index * 4)
  return out
}

export function u64(value: number): Buffer {
  const out = Buffer.alloc(8)
  out.writeBigUInt64BE(BigInt(value))
  return out
}

export const ascii = (text: string): Buffer => Buffer.from(text, 'latin1')

const flat = (parts: readonly Part[]): Uint8Array[] =>
  parts.flatMap((part) => (part instanceof Uint8Array ? [part] : flat(part)))

export function box(type: string, ...parts: readonly Part[]): Buffer {
  const body = flat(parts)
  const size = body.reduce((sum, part) => sum + part.length, 8)
  return Buffer.concat([u32(size), ascii(type), ...body], size)
}

/** A box with a version and flags. */
export const fullBox = (type: string, version: number, flags: number, ...parts: readonly Part[]): Buffer =>
  box(type, u32((version << 24) | flags), ...parts)
