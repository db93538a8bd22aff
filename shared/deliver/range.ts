// Which bytes a `Range` header asks for (RFC 9110 section 14), of a representation whose size is known.
export interface ByteRange {
  readonly first: number
  /** Inclusive, as on the wire. */
  readonly last: number
}

export type RangeChoice = 'whole' | 'unsatisfiable' | ByteRange

/** Nobody asks for more than a few ranges; a longer list is ignored, as 14.2 allows. */
const rangeSetMaxLength = 1024

/** `#element` of 5.6.1: white space around commas only, empty elements ignored. */
const elements = (set: string): string[] =>
  set
    .split(',')
    .map((part, n, all) => {
      const left = n > 0 ? part.replace(/^[ \t]+/, '') : part
      return n < all.length - 1 ? left.replace(/[ \t]+$/, '') : left
    })
    .filter((part) => part !== '')

// Numerals may have any number of digits (14.1.2), hence BigInt.
function readSpec(spec: string, size: bigint): ByteRange | 'unsatisfiable' | 'invalid' {
  const parts = /^(\d*)-(\d*)$/.exec(spec)
  const [, from = '', to = ''] = parts ?? []
  if (!parts || (from === '' && to === '')) return 'invalid'
  if (from === '') {
    const count = BigInt(to) < size ? BigInt(to) : size
    return count === 0n ? 'unsatisfiable' : { first: Number(size - count), last: Number(size - 1n) }
  }
  const first = BigInt(from)
  if (to !== '' && BigInt(to) < first) return 'invalid'
  if (first >= size) return 'unsatisfiable'
  const last = to !== '' && BigInt(to) < size ? BigInt(to) : size - 1n
  return { first: Number(first), last: Number(last) }
}

/** Ranges that overlap or touch become one (15.3.7.2). */
function coalesce(ranges: readonly ByteRange[]): ByteRange[] {
  const out: ByteRange[] = []
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = out.at(-1)
    if (!before || range.first > before.last + 1) out.push(range)
    else out[out.length - 1] = { first: before.first, last: Math.max(before.last, range.last) }
  }
  return out
}

/**
 * Units other than bytes and sets that are not well formed are ignored. Several ranges are answered when they come down
 * to one; else the header is ignored, as 14.2 allows: no player needs multipart/byteranges, and a thousand one-byte
 * ranges get no more than one plain GET (17.15).
 */
export function chooseRange(header: string | null, sizeBytes: number): RangeChoice {
  const set = /^bytes=(.*)$/i.exec(header ?? '')?.[1]
  if (set === undefined || set.length > rangeSetMaxLength) return 'whole'
  const specs = elements(set)
  const read = specs.map((spec) => readSpec(spec, BigInt(sizeBytes)))
  if (read.length === 0 || read.includes('invalid')) return 'whole'
  // An empty representation satisfies a suffix only, which Content-Range can not say.
  if (sizeBytes === 0) return specs.some((spec) => /^-0*[1-9]/.test(spec)) ? 'whole' : 'unsatisfiable'
  const ranges = coalesce(read.filter((range) => typeof range !== 'string'))
  const [only] = ranges
  if (!only) return 'unsatisfiable'
  return ranges.length === 1 ? only : 'whole'
}
