// Range against a naive reading of RFC 9110 section 14, and against a table of what it says in so many words.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ByteRange, chooseRange } from '../../shared/deliver/range.ts'

const runs = Number(process.env['FUZZ'] ?? 5000)

/** The oracle marks single bytes: slow, and without any arithmetic on ranges. */
function oracle(header: string, size: number): 'whole' | 'unsatisfiable' | ByteRange {
  const wanted = new Array<boolean>(size).fill(false)
  let satisfiable = false
  for (const spec of header.slice('bytes='.length).split(',')) {
    const [from = '', to = ''] = spec.split('-')
    if (from === '') satisfiable ||= Number(to) > 0
    else if (to !== '' && Number(to) < Number(from)) return 'whole'
    else satisfiable ||= Number(from) < size
    for (let at = 0; at < size; at++) {
      const inside =
        from === '' ? at >= size - Number(to) : at >= Number(from) && (to === '' || at <= Number(to))
      if (inside) wanted[at] = true
    }
  }
  if (!satisfiable) return 'unsatisfiable'
  const first = wanted.indexOf(true)
  const last = wanted.lastIndexOf(true)
  return first >= 0 && !wanted.slice(first, last).includes(false) ? { first, last } : 'whole'
}

const position = fc.oneof(fc.nat(40), fc.nat(4))
const spec = fc.oneof(
  fc.tuple(position, position).map(([a, b]) => `${a}-${b}`),
  position.map((a) => `${a}-`),
  position.map((n) => `-${n}`),
)

describe('Range', () => {
  test(`is read as the oracle reads it, ${runs} times`, () => {
    const specs = fc.array(spec, { minLength: 1, maxLength: 4 }).map((list) => `bytes=${list.join(',')}`)
    const seen = new Set<string>()
    fc.assert(
      fc.property(specs, fc.oneof(fc.nat(40), fc.nat(2)), (header, size) => {
        const choice = chooseRange(header, size)
        expect(choice).toEqual(oracle(header, size))
        seen.add(typeof choice === 'string' ? choice : 'part')
      }),
      { numRuns: runs },
    )
    expect([...seen].sort()).toEqual(['part', 'unsatisfiable', 'whole'])
  })

  test('whatever comes, what is chosen lies within the representation', () => {
    const header = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'bytes=0123456789-, \t') }).map((text) => `bytes=${text}`),
    )
    fc.assert(
      fc.property(header, fc.nat(100), (text, size) => {
        const choice = chooseRange(text, size)
        if (typeof choice === 'string') return
        expect(choice.first).toBeGreaterThanOrEqual(0)
        expect(choice.last).toBeGreaterThanOrEqual(choice.first)
        expect(choice.last).toBeLessThan(size)
      }),
      { numRuns: runs },
    )
  })

  const part = (first: number, last: number): ByteRange => ({ first, last })
  test.each<[string | null, ReturnType<typeof chooseRange>]>([
    [null, 'whole'],
    ['bytes=0-499', part(0, 499)],
    ['bytes=500-999', part(500, 999)],
    ['bytes=-500', part(9500, 9999)],
    ['bytes=9500-', part(9500, 9999)],
    ['bytes=0-0', part(0, 0)],
    ['bytes=-1', part(9999, 9999)],
    ['bytes=0-', part(0, 9999)],
    ['bytes=0-99999', part(0, 9999)],
    ['bytes=-99999', part(0, 9999)],
    ['bytes=9999-9999', part(9999, 9999)],
    ['BYTES=0-0', part(0, 0)],
    ['bytes=00-07', part(0, 7)],
    // as many digits as one likes
    [`bytes=0-${'9'.repeat(400)}`, part(0, 9999)],
    [`bytes=-${'9'.repeat(400)}`, part(0, 9999)],
    [`bytes=${'9'.repeat(400)}-`, 'unsatisfiable'],
    ['bytes=9007199254740993-9007199254740992', 'whole'],
    // several
    ['bytes=0-4,5-9', part(0, 9)],
    ['bytes=5-9,0-6', part(0, 9)],
    ['bytes=0-9,3-4', part(0, 9)],
    ['bytes=0-0,-1', 'whole'],
    ['bytes=0-1,5-6', 'whole'],
    ['bytes=10000-,0-4', part(0, 4)],
    ['bytes=, 0-4 ,\t,', part(0, 4)],
    // not satisfiable
    ['bytes=10000-', 'unsatisfiable'],
    ['bytes=10000-10001', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=-0,10000-', 'unsatisfiable'],
    // not well formed, or another unit: as if it were not there
    ['bytes=5-4', 'whole'],
    ['bytes=0-4,5-4', 'whole'],
    ['bytes=-', 'whole'],
    ['bytes=', 'whole'],
    ['bytes=,', 'whole'],
    ['bytes=a-b', 'whole'],
    ['bytes=0-4;q=1', 'whole'],
    ['bytes= 0-4', 'whole'],
    ['bytes =0-4', 'whole'],
    ['bytes:0-4', 'whole'],
    ['0-4', 'whole'],
    ['bytes=0x0-0x4', 'whole'],
    ['bytes=-5-', 'whole'],
    ['bytes=1 - 2', 'whole'],
    ['bytes=+1-2', 'whole'],
    ['bytes=１-２', 'whole'],
    ['items=0-4', 'whole'],
    ['none', 'whole'],
    ['', 'whole'],
    [`bytes=${Array(2000).fill('0-0').join(',')}`, 'whole'],
  ])('%s of 10,000 bytes', (header, expected) => {
    expect(chooseRange(header, 10_000)).toEqual(expected)
  })

  test('of nothing only a suffix can be satisfied, by nothing', () => {
    expect(chooseRange('bytes=-5', 0)).toBe('whole')
    expect(chooseRange('bytes=0-', 0)).toBe('unsatisfiable')
    expect(chooseRange('bytes=-0', 0)).toBe('unsatisfiable')
  })

  test('a hostile header costs no time', () => {
    const from = process.cpuUsage()
    for (const evil of [
      ' ,'.repeat(1 << 19),
      `${'9'.repeat(1 << 20)}-`,
      '-'.repeat(1 << 20),
      ', '.repeat(500),
    ])
      chooseRange(`bytes=${evil}x`, 10_000)
    // Of this process: how long it was kept waiting says nothing.
    expect(process.cpuUsage(from).user / 1000).toBeLessThan(1000)
  })
})
