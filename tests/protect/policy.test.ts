// Policies by their rules alone: what each lets through, what it refuses, and that a fact nobody knows never lets through.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Client } from '../../shared/core/client.ts'
import { allows } from '../../shared/protect/policy.ts'
import { type EffectivePolicy, effectivePolicy, Policy } from '../../shared/tenants/policy.ts'

const noon = Date.parse('2030-01-01T12:00:00Z')
const nobody: Client = { network: 'unknown', userAgent: '' }
const plays = (policy: EffectivePolicy, client: Partial<Client> = {}, country?: string) =>
  allows(policy, { client: { ...nobody, ...client }, country, nowMs: noon })

test('without a policy everybody plays', () => {
  expect(plays({})).toBe(true)
  expect(plays({ maxResolution: 1, maxStreams: 1, maxClients: 1 })).toBe(true)
})

describe('a time window', () => {
  const at = (policy: EffectivePolicy, nowMs: number) => allows(policy, { client: nobody, nowMs })
  const policy = { notBefore: '2030-01-01T12:00:00+01:00', notAfter: '2030-01-01T12:00:00Z' }

  test('begins with its first moment and ends before its last', () => {
    expect(at(policy, noon - 3_600_001)).toBe(false)
    expect(at(policy, noon - 3_600_000)).toBe(true)
    expect(at(policy, noon - 1)).toBe(true)
    expect(at(policy, noon)).toBe(false)
  })

  test('that is not readable lets nothing through', () => {
    expect(at({ notBefore: 'tomorrow' }, noon)).toBe(false)
    expect(at({ notAfter: 'tomorrow' }, noon)).toBe(false)
  })
})

describe('countries', () => {
  test('only those of the list, and where the country is not known nothing plays', () => {
    const policy = { countries: ['DE', 'FR'] }
    expect(plays(policy, { country: 'DE' })).toBe(true)
    expect(plays(policy, { country: 'US' })).toBe(false)
    expect(plays(policy)).toBe(false)
  })

  test('all but those that are blocked, and where the country is not known nothing plays', () => {
    const policy = { blockedCountries: ['DE', 'FR'] }
    expect(plays(policy, { country: 'US' })).toBe(true)
    expect(plays(policy, { country: 'DE' })).toBe(false)
    expect(plays(policy)).toBe(false)
  })

  test('a lookup tells what the edge does not, and the edge is believed first', () => {
    const policy = { countries: ['DE'] }
    expect(plays(policy, {}, 'DE')).toBe(true)
    expect(plays(policy, { country: 'US' }, 'DE')).toBe(false)
    expect(plays(policy, { country: 'DE' }, 'US')).toBe(true)
  })
})

describe('networks', () => {
  test.each<[string, string, boolean]>([
    ['203.0.113.0/24', '203.0.113.255', true],
    ['203.0.113.0/24', '203.0.114.0', false],
    ['203.0.113.9', '203.0.113.9', true],
    ['203.0.113.9', '203.0.113.10', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['::ffff:203.0.113.0/120', '203.0.113.9', true],
    ['::/0', '203.0.113.9', false],
    ['0.0.0.0/0', '2001:db8::1', false],
  ])('%s, %s: %s', (network, address, expected) => {
    expect(plays({ networks: [network] }, { address })).toBe(expected)
    expect(plays({ networks: ['192.0.2.1', network] }, { address })).toBe(expected)
  })

  test('where the address is not known, or is none, nothing plays', () => {
    for (const networks of [['0.0.0.0/0'], ['::/0'], ['0.0.0.0/0', '::/0']]) {
      expect(plays({ networks })).toBe(false)
      expect(plays({ networks }, { address: 'unknown' })).toBe(false)
    }
  })
})

describe('referrers', () => {
  test.each<[string, string, boolean]>([
    ['https://www.example.com', 'https://www.example.com', true],
    ['https://www.example.com:443', 'https://www.example.com', true],
    ['https://www.example.com', 'http://www.example.com', false],
    ['https://www.example.com', 'https://www.example.com:8443', false],
    ['https://www.example.com', 'https://example.com', false],
    ['https://example.com', 'https://www.example.com', false],
    ['https://www.example.com', 'https://www.example.com.evil.example', false],
    ['https://*.example.com', 'https://www.example.com', true],
    ['https://*.example.com', 'https://a.b.example.com', true],
    ['https://*.example.com', 'https://example.com', false],
    ['https://*.example.com', 'https://evilexample.com', false],
    ['https://*.example.com', 'https://www.example.com.evil.example', false],
    ['https://*.example.com', 'http://www.example.com', false],
    ['https://*.example.com', 'https://www.example.com:8443', false],
    ['https://*.example.com:8443', 'https://www.example.com:8443', true],
    ['https://*.example.com:443', 'https://www.example.com', true],
    ['http://*.localhost:3000', 'http://a.localhost:3000', true],
  ])('%s, %s: %s', (referrer, site, expected) => {
    expect(plays({ referrers: [referrer] }, { site })).toBe(expected)
    expect(plays({ referrers: ['https://other.example', referrer] }, { site })).toBe(expected)
  })

  test('a page that hides, or a player that is no page, does not play', () =>
    expect(plays({ referrers: ['https://www.example.com'] })).toBe(false))

  test('no lookalike of a parent is below it', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,8}$/)
    fc.assert(
      fc.property(label, label, (prefix, suffix) => {
        const policy = { referrers: ['https://*.example.com'] }
        expect(plays(policy, { site: `https://${prefix}.example.com` })).toBe(true)
        for (const site of [`${prefix}example.com`, `example.com.${suffix}`, `www.example.com${suffix}`])
          expect(plays(policy, { site: `https://${site}` })).toBe(false)
      }),
    )
  })
})

test('every field must hold', () => {
  const client = { address: '203.0.113.9', country: 'DE', site: 'https://www.example.com' }
  const policy: EffectivePolicy = {
    notBefore: '2030-01-01T00:00:00Z',
    notAfter: '2030-01-02T00:00:00Z',
    countries: ['DE'],
    blockedCountries: ['US'],
    networks: ['203.0.113.0/24'],
    referrers: ['https://www.example.com'],
  }
  expect(plays(policy, client)).toBe(true)
  const wrong: EffectivePolicy[] = [
    { notBefore: '2030-01-02T00:00:00Z' },
    { notAfter: '2030-01-01T00:00:00Z' },
    { countries: ['US'] },
    { blockedCountries: ['DE'] },
    { networks: ['203.0.114.0/24'] },
    { referrers: ['https://example.com'] },
  ]
  for (const field of wrong) expect([field, plays({ ...policy, ...field }, client)]).toEqual([field, false])
  for (const fact of ['address', 'country', 'site'] as const) {
    const { [fact]: _, ...less } = client
    expect([fact, plays(policy, less)]).toEqual([fact, false])
  }
})

describe('the form', () => {
  const issues = (policy: unknown) =>
    Policy.safeParse(policy).error?.issues.map(({ path, message }) => ({ path: path.join('/'), message }))

  test.each([
    [{ networks: ['10.0.0.0/8', '2001:db8::/32', '203.0.113.9', '::ffff:10.0.0.0/104'] }],
    [{ referrers: ['https://www.example.com', 'https://*.example.com:8443', 'http://localhost:3000'] }],
    [{ countries: ['DE'], blockedCountries: null, notBefore: '2030-01-01T00:00:00+02:00' }],
    [{ networks: null, referrers: null, maxStreams: null }],
  ])('%j is one', (policy) => expect(issues(policy)).toBeUndefined())

  test.each([
    [{ networks: ['10.0.0.0/8', '10.0.0.0/33'] }, 'networks/1'],
    [{ networks: ['10.0.0.1/8'] }, 'networks/0'],
    [{ networks: ['999.0.0.1'] }, 'networks/0'],
    [{ networks: ['1:2:3'] }, 'networks/0'],
    [{ networks: ['....'] }, 'networks/0'],
    [{ networks: [] }, 'networks'],
    [{ referrers: ['https://1.2.3.999'] }, 'referrers/0'],
    [{ referrers: ['https://www.example.com:99999'] }, 'referrers/0'],
    [{ referrers: ['https://www.example.com/'] }, 'referrers/0'],
    [{ referrers: ['*.example.com'] }, 'referrers/0'],
    [{ referrers: ['https://www.*.com'] }, 'referrers/0'],
    [{ countries: ['de'] }, 'countries/0'],
    [{ notAfter: 'tomorrow' }, 'notAfter'],
    [{ maxStreams: 0 }, 'maxStreams'],
    [{ countrys: ['DE'] }, ''],
  ])('%j is none, and says where', (policy, path) => {
    expect(issues(policy)?.map((issue) => issue.path)).toEqual([path])
    expect(issues(policy)?.[0]?.message).toMatch(/\w{4}/)
  })
})

test('a session’s own field stands over the tenant’s, and null takes it away', () => {
  const tenant: Policy = { countries: ['DE'], maxStreams: 1, networks: ['10.0.0.0/8'] }
  expect(effectivePolicy(tenant, undefined)).toEqual(tenant)
  expect(effectivePolicy(undefined, tenant)).toEqual(tenant)
  expect(effectivePolicy(tenant, { countries: null, maxStreams: 3 })).toEqual({
    maxStreams: 3,
    networks: ['10.0.0.0/8'],
  })
  expect(effectivePolicy({ countries: null }, {})).toEqual({})
})
