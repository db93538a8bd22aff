// Addresses and networks against Node's own parser, which is libuv's and knows nothing of ours.
import { BlockList, isIP, SocketAddress } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatNetwork, holds, networkOf, parseAddress, parseNetwork } from '../../shared/core/address.ts'

/** As libuv spells it, with mapped IPv4 as IPv4. */
function oracle(text: string): string | undefined {
  const family = isIP(text)
  // A zone names a link of one machine, not an address.
  if (family === 0 || text.includes('%')) return undefined
  const { address } = new SocketAddress({ address: text, family: family === 4 ? 'ipv4' : 'ipv6' })
  return address.replace(/^::ffff:(?=\d+\.)/, '')
}
const formatted = (text: string): string | undefined => {
  const address = parseAddress(text)
  return address && formatNetwork(address)
}
/** libuv writes `::1.2.3.4` with dots, RFC 5952 leaves the choice: compared as numbers then. */
const same = (a: string | undefined, b: string | undefined) =>
  a === b || (a !== undefined && b !== undefined && parseAddress(a)?.value === parseAddress(b)?.value)

describe('an address', () => {
  const group = fc.integer({ min: 0, max: 0xffff }).map((n) => n.toString(16))
  const sparse = fc.oneof({ weight: 2, arbitrary: fc.constant('0') }, { weight: 1, arbitrary: group })
  const whole = fc.array(sparse, { minLength: 8, maxLength: 8 })
  const shortened = fc
    .tuple(whole, fc.nat(8), fc.nat(8))
    .map(([groups, from, to]) =>
      [groups.slice(0, Math.min(from, to)).join(':'), groups.slice(Math.max(from, to)).join(':')].join('::'),
    )
  const spelled = fc.stringMatching(/^[0-9a-f:.]{1,20}$/)
  const texts = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    whole.map((groups) => groups.join(':')),
    shortened,
    spelled,
    fc.ipV4().map((text) => `::ffff:${text}`),
    fc.string(),
  )

  test('is read, or refused, as libuv does', () => {
    let read = 0
    fc.assert(
      fc.property(texts, (text) => {
        if (oracle(text) !== undefined) read++
        expect(same(formatted(text), oracle(text))).toBe(true)
      }),
      { numRuns: 5000 },
    )
    expect(read).toBeGreaterThan(2000)
  })

  test('has one spelling, which reads back as itself (RFC 5952)', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV6(),
          whole.map((groups) => groups.join(':')),
        ),
        (text) => {
          const once = formatted(text) ?? ''
          expect(formatted(once)).toBe(once)
          expect(formatted(text.toUpperCase())).toBe(once)
          // The URL standard writes IPv6 as RFC 5952 does, but knows no mapped IPv4.
          if (!once.includes('.')) expect(`[${once}]`).toBe(new URL(`http://[${text}]`).hostname)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::FFFF:CB00:7109', '203.0.113.9'],
  ])('%s is %s', (text, spelling) => expect(formatted(text)).toBe(spelling))

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '0x7f.0.0.1',
    '2130706433',
    '1.2.3.4 ',
    '١.٢.٣.٤',
    '1:2',
    ':::',
    '1::2::3',
    '::1%eth0',
    '[::1]',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '12345::',
    `::${'0'.repeat(100)}1`,
  ])('%j is none', (text) => expect(parseAddress(text)).toBeUndefined())
})

describe('a network', () => {
  test('holds what Node’s block list holds, and no address of the other kind', () => {
    const ofFour = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.ipV4())
    const ofSix = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 }), fc.ipV6())
    const flips = fc.tuple(fc.boolean(), fc.nat(127))
    fc.assert(
      fc.property(fc.oneof(ofFour, ofSix), flips, ([base, prefix, other], [near, bit]) => {
        const from = parseAddress(base)
        const far = parseAddress(other)
        if (!from || !far || from.bits !== far.bits) return
        const network = networkOf(from, Math.min(prefix, from.bits))
        // Near: one bit beside the network's own address, so that both sides of its edge are tried.
        const value = near ? from.value ^ (1n << BigInt(bit % from.bits)) : far.value
        const address = { ...far, value }
        const list = new BlockList()
        const family = from.bits === 32 ? 'ipv4' : 'ipv6'
        list.addSubnet(formatNetwork({ ...network, prefix: from.bits }), network.prefix, family)
        const text = formatNetwork(address)
        if (isIP(text) !== (family === 'ipv4' ? 4 : 6)) return
        expect(holds(network, address)).toBe(list.check(text, family))
        expect(parseNetwork(formatNetwork(network))).toEqual(network)
      }),
      { numRuns: 5000 },
    )
    const all = { four: parseNetwork('0.0.0.0/0')!, six: parseNetwork('::/0')! }
    expect(holds(all.four, parseAddress('203.0.113.9')!)).toBe(true)
    expect(holds(all.four, parseAddress('::ffff:203.0.113.9')!)).toBe(true)
    expect(holds(all.six, parseAddress('2001:db8::1')!)).toBe(true)
    expect(holds(all.four, parseAddress('2001:db8::1')!)).toBe(false)
    expect(holds(all.six, parseAddress('203.0.113.9')!)).toBe(false)
  })

  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.3/32', '10.1.2.3'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
  ])('%s is %s', (text, spelling) => expect(formatNetwork(parseNetwork(text)!)).toBe(spelling))

  test.each([
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '/8',
    '10.0.0/8',
    '2001:db8::1/64',
    '::/129',
    '::ffff:10.0.0.0/90',
    'all',
  ])('%j is none', (text) => expect(parseNetwork(text)).toBeUndefined())
})
