// Whether a program can run on a Linux machine of Azure that has none of its libraries (System V ABI, chapters 4 and 5).

const x64 = 62
const interpreterSegment = 3

/** `static`, or what is in the way. */
export function linuxProgram(file: Buffer): string {
  const isElf64 = file.length > 64 && file.readUInt32BE(0) === 0x7f454c46 && file[4] === 2 && file[5] === 1
  if (!isElf64) return 'is not a Linux program'
  if (file.readUInt16LE(18) !== x64) return 'is not for x64'
  const start = Number(file.readBigUInt64LE(32))
  const size = file.readUInt16LE(54)
  const count = file.readUInt16LE(56)
  for (let at = start; at < start + size * count && at + 4 <= file.length; at += size) {
    if (file.readUInt32LE(at) === interpreterSegment) return 'needs libraries that are not there'
  }
  return 'static'
}
