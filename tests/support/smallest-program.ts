// The smallest static program for Linux on x64: an ELF header, one segment, and code that ends with a given number.

const base = 0x400000
const headerBytes = 64
const segmentBytes = 56

export function smallestProgram({
  exitCode,
  interpreter = false,
}: {
  exitCode: number
  interpreter?: boolean
}) {
  // mov edi, exitCode; mov eax, 60 (exit); syscall
  const code = Buffer.from([0xbf, exitCode, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05])
  const start = headerBytes + segmentBytes
  const file = Buffer.alloc(start + code.length)
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  file.writeUInt16LE(2, 16) // an executable
  file.writeUInt16LE(62, 18) // for x64
  file.writeUInt32LE(1, 20)
  file.writeBigUInt64LE(BigInt(base + start), 24) // where it begins
  file.writeBigUInt64LE(BigInt(headerBytes), 32) // where the segments are described
  file.writeUInt16LE(headerBytes, 52)
  file.writeUInt16LE(segmentBytes, 54)
  file.writeUInt16LE(1, 56)
  // PT_LOAD, or PT_INTERP, which is what a program with shared libraries has.
  file.writeUInt32LE(interpreter ? 3 : 1, headerBytes)
  file.writeUInt32LE(5, headerBytes + 4) // readable, executable
  file.writeBigUInt64LE(BigInt(base), headerBytes + 16)
  file.writeBigUInt64LE(BigInt(base), headerBytes + 24)
  file.writeBigUInt64LE(BigInt(file.length), headerBytes + 32)
  file.writeBigUInt64LE(BigInt(file.length), headerBytes + 40)
  file.writeBigUInt64LE(0x1000n, headerBytes + 48)
  file.set(code, start)
  return file
}
