// The rules of the console's access view that need no browser: policies as text, snippets, origins and words.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Origin } from '../shared/tenants/model.ts'
import { Policy as PolicyForm } from '../shared/tenants/policy.ts'
import { fieldOf, localTime, type Policy, policyOf, textsOf } from '../web/policy.ts'
import { originOf, snippet } from '../web/snippet.ts'
import { agoWords, moment, usageWords, words } from '../web/wording.ts'

const full: Policy = {
  notBefore: '2026-03-01T08:00:00.000Z',
  notAfter: '2026-04-01T08:00:00.000Z',
  countries: ['FR', 'BE'],
  blockedCountries: ['CH'],
  networks: ['203.0.113.0/24', '2001:db8::/32'],
  referrers: ['https://www.example.com', 'https://*.example.org'],
  maxResolution: 720,
  maxStreams: 3,
  maxClients: 2,
}

test('a policy survives the form whole, each of its fields and all of them', () => {
  // A field that the platform knows and the form does not would be lost by saving.
  expect(Object.keys(textsOf({})).toSorted()).toEqual(Object.keys(PolicyForm.shape).toSorted())
  expect(policyOf(textsOf(full), full)).toEqual(full)
  fc.assert(
    fc.property(fc.subarray(Object.keys(full) as Array<keyof Policy>), (names) => {
      const policy = Object.fromEntries(names.map((name) => [name, full[name]])) as Policy
      expect(policyOf(textsOf(policy), policy)).toEqual(policy)
      expect(PolicyForm.parse(policyOf(textsOf(policy)))).toEqual(policy)
    }),
  )
})

test('an empty form asks for nothing, and lists may be written as people write them', () => {
  expect(policyOf(textsOf({}))).toEqual({})
  const typed = { ...textsOf({}), countries: ' fr be;ch,\n de ', networks: '\n10.0.0.0/8\n\n192.0.2.7 ' }
  expect(policyOf(typed)).toEqual({
    countries: ['FR', 'BE', 'CH', 'DE'],
    networks: ['10.0.0.0/8', '192.0.2.7'],
  })
  expect(words(' a, b;c\n')).toEqual(['a', 'b', 'c'])
})

test('a time that was not touched keeps its seconds, a new one is that of the reader’s own zone', () => {
  const before: Policy = { notAfter: '2026-04-01T08:00:59.500Z' }
  expect(policyOf(textsOf(before), before)).toEqual(before)
  const changed = policyOf({ ...textsOf(before), notAfter: '2026-05-02T10:30' }, before)
  expect(localTime(changed.notAfter ?? '')).toBe('2026-05-02T10:30')
})

test('the platform’s pointers name fields of the form', () => {
  expect(['/policy/countries/2', '/policy/notAfter', '/name', '/policy', ''].map(fieldOf)).toEqual([
    'countries',
    'notAfter',
    'name',
    '',
    '',
  ])
})

test('a snippet is two lines in which nothing of the URL can be anything but an attribute', () => {
  expect(snippet('https://a.test/x/master.m3u8', 'https://a.test/console/embed.js')).toBe(
    '<div class="movidone" data-src="https://a.test/x/master.m3u8"></div>\n' +
      '<script async src="https://a.test/console/embed.js"></script>',
  )
  expect(snippet('x"><script>&', 'y')).toContain('data-src="x&quot;>&lt;script>&amp;"')
})

test('a site is taken from whatever address of it was pasted', () => {
  const pasted = {
    'https://www.example.com/films?x=1#top': 'https://www.example.com',
    ' www.Example.com ': 'https://www.example.com',
    'http://localhost:8080/': 'http://localhost:8080',
    'https://www.example.com:443': 'https://www.example.com',
    'https://bücher.example/': 'https://xn--bcher-kva.example',
  }
  for (const [text, origin] of Object.entries(pasted)) {
    expect(originOf(text), text).toBe(origin)
    expect(Origin.safeParse(origin).success, origin).toBe(true)
  }
  for (const text of ['', 'not a site', 'ftp://files.example', 'https://'])
    expect(Origin.safeParse(originOf(text)).success, text).toBe(false)
})

test('times and amounts read as people say them', () => {
  expect([-5000, 0, 12_400, 300_000, 9_000_000].map(agoWords)).toEqual([
    'just now',
    'just now',
    '12 s ago',
    '5 min ago',
    '3 h ago',
  ])
  const now = new Date(2026, 2, 1, 20, 0)
  const at = (day: number) => moment(new Date(2026, 2, day, 9, 30).toISOString(), now)
  expect(at(1)).not.toContain('2026')
  expect(at(2)).toContain('2026')
  expect([usageWords(3, undefined, String), usageWords(3, 10, String)]).toEqual(['3', '3 of 10'])
})
