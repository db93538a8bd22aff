// Where a webhook may go: whatever a tenant writes, and whatever a name leads to, nothing inside is ever reached.
import { BlockList, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../shared/core/address.ts'
import { isPublic, literalOf, mayConnect, objectionTo } from '../../shared/webhooks/target.ts'

const url = (text: string) => new URL(text)
const publicUrl = url('https://www.example.com/hooks')
const may = (address: string, at = publicUrl, allowLocal = false) => mayConnect(at, address, allowLocal)

/** Node's own implementation of networks, with lists of its own: the registries of IANA, read once more. */
const [inside4, inside6] = [new BlockList(), new BlockList()]
for (const [net, prefix] of [
  ...(['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'] as const),
  ...(['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16'] as const),
  ...(['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/3', '168.63.129.16/32'] as const),
].map((text) => text.split('/')))
  inside4.addSubnet(net ?? '', Number(prefix), 'ipv4')
for (const [net, prefix] of [
  ...(['::/3', '4000::/2', '8000::/1', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'] as const),
].map((text) => text.split('/')))
  inside6.addSubnet(net ?? '', Number(prefix), 'ipv6')

describe('addresses', () => {
  test.each([['20.50.2.1', '8.8.8.8', '2603:1020:206::1', '2a00:1450:4007::200e', '::ffff:8.8.8.8']])(
    'public ones are reached: %s',
    (...addresses) => {
      expect(addresses.map((address) => [address, may(address)])).toEqual(addresses.map((a) => [a, true]))
    },
  )

  test.each([
    ['this machine', ['127.0.0.1', '127.255.255.254', '0.0.0.0', '::1', '::']],
    [
      'private networks',
      ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1'],
    ],
    [
      'metadata and link-local',
      ['169.254.169.254', '169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254'],
    ],
    ['the platform of Azure', ['168.63.129.16', '::ffff:168.63.129.16']],
    ['carrier-grade NAT', ['100.64.0.1', '100.127.255.255']],
    ['multicast and broadcast', ['224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1']],
    [
      'IPv4 in IPv6',
      ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '::127.0.0.1', '64:ff9b::7f00:1'],
    ],
    ['tunnels', ['2002:7f00:1::', '2001::1', '64:ff9b:1::1']],
    ['no addresses', ['', 'localhost', '1.2.3', '0x7f.0.0.1', '127.1', '2130706433', '8.8.8.8 ', '8.8.8.08']],
  ])('none of %s is', (_name, addresses) => {
    expect(addresses.filter((address) => may(address))).toEqual([])
  })

  test('what is inside is the same by another implementation', () => {
    const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
    const v6 = groups.map((parts) => parts.map((part) => part.toString(16)).join(':'))
    const near6 = fc
      .tuple(fc.constantFrom('2001', '2002', '3fff', '64', 'fd00', 'fe80', 'ff02', '2a00', '0'), groups)
      .map(([first, rest]) => [first, ...rest.slice(1).map((part) => part.toString(16))].join(':'))
    const octet = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(
        0,
        2,
        10,
        16,
        31,
        63,
        64,
        88,
        99,
        100,
        127,
        129,
        168,
        169,
        172,
        192,
        198,
        203,
        224,
        254,
      ),
    )
    const v4 = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.'))
    // IPv4 within IPv6 is compared as the IPv4 that it is.
    const plain6 = fc.oneof(v6, near6).filter((text) => !/^(0:){5}ffff:/.test(text))
    const addresses = fc.oneof(v4, plain6)
    let outside = 0
    fc.assert(
      fc.property(addresses, (text) => {
        const address = parseAddress(text)
        if (!address) throw new Error(`${text} is an address`)
        const isInside = isIPv6(text) ? inside6.check(text, 'ipv6') : inside4.check(text, 'ipv4')
        if (!isInside) outside++
        expect([text, isPublic(address)]).toEqual([text, !isInside])
        if (!isIPv6(text)) expect(may(`::ffff:${text}`)).toBe(!isInside)
      }),
      { numRuns: 20_000 },
    )
    expect(outside).toBeGreaterThan(2000)
  })

  test('on one machine loopback is reached too, and nothing else that is inside', () => {
    const local = url('http://localhost:3000/hooks')
    expect(may('127.0.0.1', local)).toBe(false)
    for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1'])
      expect(may(address, local, true)).toBe(true)
    for (const address of ['10.0.0.1', '169.254.169.254', '192.168.1.1', '0.0.0.0'])
      expect([address, may(address, local, true)]).toEqual([address, false])
    // Elsewhere plain http is not spoken, not even from there.
    expect(may('8.8.8.8', local, true)).toBe(false)
    expect(may('8.8.8.8', url('https://localhost:3000'), true)).toBe(false)
  })
})

describe('URLs', () => {
  const objection = (text: string, allowLocal = false) => objectionTo(text, allowLocal)

  test.each(['https://www.example.com/hooks', 'https://example.com:8443/a?b=c', 'https://example.com:443/'])(
    '%s may be registered',
    (text) => {
      expect(objection(text)).toBeUndefined()
    },
  )

  test.each([
    ['http://www.example.com/hooks', /https/],
    ['https://www.example.com:22/', /port/],
    ['https://www.example.com:8080/', /port/],
    ['https://me:secret@www.example.com/', /user name/],
    ['https://me@www.example.com/', /user name/],
    ['https://www.example.com/#top', /fragment/],
    ['ftp://www.example.com/', /URL/],
    ['file:///etc/passwd', /URL/],
    ['gopher://www.example.com/', /URL/],
    ['www.example.com', /URL/],
    ['', /URL/],
    ['https://', /URL/],
    // Whatever way an address is written, the parser of URLs reads it as one.
    ...[
      ...['127.0.0.1', '[::1]', '[::ffff:7f00:1]', '2130706433', '0x7f000001', '0177.0.0.1', '127.1'],
      ...['8.8.8.8', '169.254.169.254', '%31%32%37.0.0.1', '①②⑦.⓪.⓪.①'],
    ].map((host): [string, RegExp] => [`https://${host}/`, /address/]),
  ])('%s may not', (text, reason) => {
    expect(objection(text)).toMatch(reason)
  })

  test('nor may one without end', () => {
    const long = (length: number) => `https://www.example.com/`.padEnd(length, 'x')
    expect([objection(long(2048)), objection(long(2049))]).toEqual([
      undefined,
      expect.stringContaining('2048'),
    ])
  })

  test('on one machine this machine may be, by http and any port', () => {
    for (const text of ['http://localhost:3000/hooks', 'http://127.0.0.1:8080/', 'http://[::1]/'])
      expect([objection(text, true), objection(text)]).toEqual([undefined, expect.any(String)])
    expect(objection('http://me:secret@localhost/', true)).toMatch(/user name/)
  })

  test('an address in a URL is found, a name is not', () => {
    expect(literalOf(url('https://[::ffff:7f00:1]/'))).toBe('::ffff:7f00:1')
    expect(literalOf(url('https://0x7f.1/'))).toBe('127.0.0.1')
    expect(literalOf(url('https://a.127.0.0.1.example/'))).toBeUndefined()
  })
})
