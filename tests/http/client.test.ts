// Who asks: nothing that a viewer writes into a header may decide where the viewer is.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createClients, type ProxyTrust } from '../../shared/http/client.ts'

const secret = '8a6f0c1e-front-door'
const trust = (changes: Partial<ProxyTrust> = {}): ProxyTrust => ({
  hops: 1,
  proof: undefined,
  countryHeader: undefined,
  ...changes,
})
const proving = (hops: number) =>
  trust({ hops, proof: { header: 'x-azure-fdid', value: secret }, countryHeader: 'x-country' })

const clientOf = (settings: ProxyTrust, headers: Record<string, string>) =>
  createClients(settings)((name) => headers[name] ?? null)
const forwarded = (settings: ProxyTrust, header: string, more: Record<string, string> = {}) =>
  clientOf(settings, { 'x-forwarded-for': header, ...more })
const proven = { 'x-azure-fdid': secret }

describe('the address', () => {
  test.each([
    ['203.0.113.9', '203.0.113.9', '203.0.113.0/24'],
    ['203.0.113.9:4711', '203.0.113.9', '203.0.113.0/24'],
    ['[2001:DB8:0:0::9]:443', '2001:db8::9', '2001:db8::/64'],
    ['[2001:db8::9]', '2001:db8::9', '2001:db8::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['::ffff:203.0.113.9', '203.0.113.9', '203.0.113.0/24'],
    ['[::ffff:203.0.113.9]:80', '203.0.113.9', '203.0.113.0/24'],
    ['198.51.100.1, \t203.0.113.9 ', '203.0.113.9', '203.0.113.0/24'],
    [',,,203.0.113.9', '203.0.113.9', '203.0.113.0/24'],
  ])('%j is %s in %s', (header, address, network) =>
    expect(forwarded(trust(), header)).toEqual({ address, network, userAgent: '' }),
  )

  test.each([
    '',
    ',',
    '203.0.113.9,',
    '203.0.113.9, ',
    'unknown',
    '_hidden',
    '203.0.113.9:port',
    '203.0.113.9:123456',
    '203.0.113.9 198.51.100.1',
    '"203.0.113.9"',
    '[203.0.113.9]:80',
    '[2001:db8::9',
    '2001:db8::9]',
    'fe80::1%eth0',
    'for=203.0.113.9',
    '203.0.113.9\u0000',
    '２０３.0.113.9',
    'x'.repeat(10_240),
    `203.0.113.9, ${'1'.repeat(10_240)}`,
  ])('%j is nobody’s', (header) =>
    expect(forwarded(trust(), header)).toEqual({ network: 'unknown', userAgent: '' }),
  )

  test('is unknown without the header', () =>
    expect(clientOf(proving(3), proven)).toEqual({ network: 'unknown', userAgent: '' }))

  const junk = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.string({ maxLength: 30 }),
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constantFrom('', ' ', ',', ',,', '[::1]:80', '::ffff:1.2.3.4', '127.0.0.1', '\t'),
    fc.nat(10_240).map((length) => '9'.repeat(length)),
  )
  const spoofed = fc.array(junk, { maxLength: 20 }).map((entries) => entries.join(','))
  const real = fc.oneof(
    fc.ipV4(),
    fc.ipV4().map((text) => `${text}:50123`),
  )
  const alone = (text: string) => forwarded(trust(), text).address

  test('is what the outermost of our proxies saw, whatever a viewer wrote before it', () => {
    const ours = fc.array(real, { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(spoofed, ours, (before, [viewer = '', ...proxies]) => {
        const header = [before, viewer, ...proxies].join(', ')
        const seen = forwarded(proving(proxies.length + 1), header, proven)
        expect(seen.address).toBe(alone(viewer))
        expect(seen.address).toBeDefined()
      }),
      { numRuns: 3000 },
    )
  })

  test('is unknown where fewer proxies wrote than are trusted, never what a viewer wrote', () => {
    const few = fc.array(real, { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(few, fc.integer({ min: 1, max: 5 }), (entries, missing) => {
        const seen = forwarded(proving(entries.length + missing), entries.join(', '), proven)
        expect(seen).toEqual({ network: 'unknown', userAgent: '' })
      }),
    )
  })

  test('without the proof is what the nearest proxy saw, however many are trusted', () => {
    const viewers = fc.tuple(spoofed, real, fc.integer({ min: 1, max: 10 }))
    fc.assert(
      fc.property(viewers, fc.string(), ([before, nearest, hops], guess) => {
        fc.pre(guess !== secret)
        const header = `${before}, ${nearest}`
        expect(forwarded(proving(hops), header, { 'x-azure-fdid': guess }).address).toBe(alone(nearest))
        expect(forwarded(trust({ hops }), header, proven).address).toBe(alone(nearest))
      }),
    )
    // The same header believed two hops deep, once it is proven.
    const header = '203.0.113.9, 198.51.100.1'
    expect(forwarded(proving(2), header, proven).address).toBe('203.0.113.9')
    expect(forwarded(proving(2), header).address).toBe('198.51.100.1')
    for (const wrong of ['', secret.toUpperCase(), `${secret} `, `${secret}, ${secret}`, secret.slice(1)])
      expect(forwarded(proving(2), header, { 'x-azure-fdid': wrong }).address).toBe('198.51.100.1')
  })

  test('of 20,000 viewers behind 10 KB of spoofed entries is read, and each is its own', () => {
    const read = createClients(trust())
    const before = '1.2.3.4,'.repeat(1280)
    const addresses = Array.from(
      { length: 20_000 },
      (_, n) => `198.${18 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`,
    )
    const started = process.cpuUsage()
    const seen = addresses.map(
      (text) => read((name) => (name === 'x-forwarded-for' ? before + text : null)).address,
    )
    expect(process.cpuUsage(started).user / 1e6).toBeLessThan(10)
    expect(seen).toEqual(addresses)
  })
})

describe('the country', () => {
  const from = (code: string, headers: Record<string, string> = proven, settings = proving(1)) =>
    clientOf(settings, { 'x-country': code, ...headers }).country

  test('is believed from a proxy that proves itself, and from nobody else', () => {
    expect(from('de')).toBe('DE')
    expect(from(' FR ')).toBe('FR')
    expect(from('DE', {})).toBeUndefined()
    expect(from('DE', { 'x-azure-fdid': 'guessed' })).toBeUndefined()
    expect(from('DE', proven, trust({ countryHeader: 'x-country' }))).toBeUndefined()
    expect(from('DE', proven, { ...proving(1), countryHeader: undefined })).toBeUndefined()
  })

  test.each(['', 'D', 'DEU', 'D1', 'T1', 'DE, FR', 'ÄÖ', 'XX', 'ZZ', 'EU', 'ap', 'unknown'])(
    '%j is none',
    (code) => expect(from(code)).toBeUndefined(),
  )
})

describe('the site', () => {
  const site = (headers: Record<string, string>) => clientOf(trust(), headers).site

  test.each([
    [{ referer: 'https://www.example.com/films/1?x=y#z' }, 'https://www.example.com'],
    [{ referer: 'https://WWW.Example.com:443' }, 'https://www.example.com'],
    [{ referer: 'http://localhost:8080/' }, 'http://localhost:8080'],
    [{ referer: 'https://a.example/', origin: 'https://b.example' }, 'https://a.example'],
    [{ origin: 'https://b.example' }, 'https://b.example'],
    [{ referer: 'about:blank', origin: 'https://b.example' }, 'https://b.example'],
    [{ referer: 'https://www.example.com@evil.example/' }, 'https://evil.example'],
    [{ referer: 'https://evil.example\\@www.example.com/' }, 'https://evil.example'],
  ])('of %j is %s', (headers, origin) => expect(site(headers as Record<string, string>)).toBe(origin))

  test.each([
    {},
    { origin: 'null' },
    { referer: '' },
    { referer: '/films' },
    { referer: 'www.example.com' },
    { referer: 'https://' },
    { referer: 'https://exa mple.com/' },
    { referer: 'https://[::1' },
    { referer: 'data:text/html,x' },
    { referer: 'ftp://www.example.com/' },
    { referer: 'javascript:https://www.example.com' },
  ])('of %j is nobody’s', (headers) => expect(site(headers as Record<string, string>)).toBeUndefined())

  test('of a host that is too long is nobody’s: cut off it could be another', () => {
    const host = (length: number) => `${'a.'.repeat(length)}example.com`
    expect(site({ referer: `https://${host(100)}/` })).toBe(`https://${host(100)}`)
    expect(site({ referer: `https://${host(140)}.evil.example/` })).toBeUndefined()
    for (let length = 280; length < 310; length++)
      expect(
        site({ referer: `https://${'a'.repeat(length - 12)}.example.com.evil.example/` }) ?? '',
      ).not.toMatch(/example\.com$/)
  })
})

test('the user agent is cut', () => {
  expect(clientOf(trust(), { 'user-agent': 'a player' }).userAgent).toBe('a player')
  expect(clientOf(trust(), { 'user-agent': 'x'.repeat(9000) }).userAgent).toBe('x'.repeat(512))
})
