// Every policy over HTTP, on manifests, keys and segments alike: shown to let somebody in, then to keep somebody out.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { drawFilm } from '../support/film.ts'
import { mediaPlaylist, mediaPlaylists } from '../support/hls.ts'
import { inTime } from '../support/in-time.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'
import { type Answer, type Ask, askRaw, comparable } from '../support/viewer.ts'

const leaseMs = 4000
const proof = { 'x-edge-proof': 'of-the-edge' }

let platform: Platform
let tenant: Tenant
let folder: string
let assetId: string
/** Of each rendition: playlist, init segment, segment and key, below the token. */
let paths: Record<string, string[]>
let refusal: ReturnType<typeof comparable>

/** What the edge says of a viewer; the last hop's entry is written by the platform itself. */
const viewer = (address: string, more: Record<string, string> = {}): Record<string, string> => ({
  ...proof,
  'x-forwarded-for': address,
  'user-agent': 'a player',
  ...more,
})
let networks = 0
/** In a network of its own, so that refusals of one test do not count for another. */
const somebody = (more: Record<string, string> = {}) => viewer(`10.0.${networks++}.7`, more)

const ask = (token: string, path: string, headers: Record<string, string>, more: Omit<Ask, 'headers'> = {}) =>
  askRaw(platform.apiUrl, `/api/v1/play/${token}/${path}`, { ...more, headers })
const open = async (body: Record<string, unknown> = {}) => (await tenant.playback(assetId, body)).token
const everything = () => ['master.m3u8', ...Object.values(paths).flat()]
const statuses = async (token: string, who: Record<string, string>, which = everything()) =>
  (await Promise.all(which.map((path) => ask(token, path, who)))).map(({ status }) => status)
const all = (status: number, which = everything()) => which.map(() => status)

/** The same bytes and headers for whatever is refused. */
async function expectRefused(token: string, who: Record<string, string>, which = everything()) {
  const answers = await Promise.all(which.map((path) => ask(token, path, who)))
  for (const answer of answers) expect(comparable(answer)).toEqual(refusal)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-policies-'))
  const film = join(folder, 'film.mp4')
  await drawFilm({ path: film, seconds: 6, frameRate: 12.5, size: '1280x720' })
  platform = await startPlatform({
    env: {
      LEASE_SECONDS: String(leaseMs / 1000),
      REFUSALS_PER_SECOND: '10',
      TRUSTED_PROXY_HOPS: '2',
      PROXY_PROOF: 'x-edge-proof=of-the-edge',
      COUNTRY_HEADER: 'x-edge-country',
    },
  })
  tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
  assetId = await tenant.upload(film)
  await tenant.until(assetId, ({ state }) => state === 'ready')

  const { hlsUrl, token } = await tenant.playback(assetId)
  const below = (url: string) => url.split(`${token}/`)[1] ?? ''
  const lists = await Promise.all((await mediaPlaylists(hlsUrl)).map(mediaPlaylist))
  paths = Object.fromEntries(
    lists.map(({ url, init, segments, keyUrl }) => [
      below(url).replace('.m3u8', ''),
      [url, init, segments[0] ?? '', keyUrl].map(below),
    ]),
  )
  expect(Object.keys(paths)).toContain('audio')
  expect(Object.keys(paths).length).toBeGreaterThanOrEqual(3)
  const refused: Answer = await ask('no-token', 'master.m3u8', somebody())
  refusal = comparable(refused)
  expect(refused.status).toBe(403)
  expect(JSON.parse(refused.body)).toMatchObject({ code: 'playback-refused' })
})
afterAll(async () => {
  await platform?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('a policy on who asks', () => {
  const de = { 'x-edge-country': 'DE' }
  const us = { 'x-edge-country': 'US' }
  const page = (referer: string) => ({ referer })
  const at = (address: string) => ({ 'x-forwarded-for': address })
  type Headers = Record<string, string>
  const cases: Array<[string, Record<string, unknown>, Headers, Headers[]]> = [
    ['countries', { countries: ['DE', 'FR'] }, de, [us, {}, { ...de, 'x-edge-proof': 'guessed' }]],
    ['blocked countries', { blockedCountries: ['US'] }, de, [us, {}, { ...de, 'x-edge-proof': '' }]],
    [
      'networks',
      { networks: ['198.51.100.0/24'] },
      at('198.51.100.7:50123'),
      [at('203.0.113.7'), at('198.51.101.7'), at('[2001:db8::7]:443'), at('nonsense')],
    ],
    ['networks of IPv6', { networks: ['2001:db8::/32'] }, at('[2001:db8::7]:443'), [at('2001:db9::7')]],
    [
      'networks as one IPv4 address',
      { networks: ['198.51.100.7'] },
      at('::ffff:198.51.100.7'),
      [at('198.51.100.8')],
    ],
    [
      'referrers',
      { referrers: ['https://www.example.com', 'https://*.example.org'] },
      page('https://www.example.com/films/1'),
      [
        page('https://example.com/'),
        page('https://www.example.com.evil.example/'),
        page('http://www.example.com/'),
        {},
      ],
    ],
    [
      'referrers below a host',
      { referrers: ['https://*.example.org'] },
      { origin: 'https://a.b.example.org' },
      [page('https://example.org/'), page('https://evilexample.org/'), { origin: 'null' }],
    ],
  ]

  test.each(cases)('%s', async (_, policy, allowed, refused) => {
    // Enough places that none of these is refused for its want.
    const policies = { maxClients: 20, ...policy }
    const [limited, control] = [await open({ policy: policies }), await open({ policy: { maxClients: 20 } })]
    expect(await statuses(limited, somebody(allowed))).toEqual(all(200))
    expect((await ask(limited, 'poster.jpg', somebody(allowed))).status).toBe(200)
    for (const headers of refused) {
      expect(await statuses(control, somebody(headers), ['master.m3u8', paths['audio']![2]!])).toEqual([
        200, 200,
      ])
      await expectRefused(limited, somebody(headers), [...everything(), 'poster.jpg'])
    }
    // It is not the session that is over.
    expect(await statuses(limited, somebody(allowed))).toEqual(all(200))
  })
})

describe('a time window', () => {
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()

  test('ends what is playing', async () => {
    const who = somebody()
    let token = ''
    await inTime(4000, async () => {
      token = await open({ policy: { notAfter: inSeconds(4) } })
      expect(await statuses(token, who)).toEqual(all(200))
    })
    await expect.poll(async () => (await ask(token, 'master.m3u8', who)).status, { interval: 200 }).toBe(403)
    await expectRefused(token, who)
  })

  test('begins when it begins', async () => {
    const who = somebody()
    let token = ''
    await inTime(3000, async () => {
      token = await open({ policy: { notBefore: inSeconds(3) } })
      await expectRefused(token, who)
    })
    await sleep(3500)
    expect(await statuses(token, who)).toEqual(all(200))
  })
})

test('a limit of resolution hides the renditions above it, with their segments and keys', async () => {
  const renditions = (await tenant.asset(assetId)).renditions.filter(({ kind }) => kind === 'video')
  const heights = renditions.map(({ height = 0 }) => height).sort((a, b) => b - a)
  const [best = 0, next = 0] = heights
  const nameOf = (height: number) => renditions.find((one) => one.height === height)?.name ?? ''
  const who = somebody()
  const token = await open({ policy: { maxResolution: best } })
  expect(await statuses(token, who)).toEqual(all(200))
  const limited = await open({ policy: { maxResolution: best - 1 } })
  const master = (await ask(limited, 'master.m3u8', who)).body
  expect(master).toContain(`${nameOf(next)}.m3u8`)
  expect(master).not.toContain(nameOf(best))
  await expectRefused(limited, who, paths[nameOf(best)])
  for (const height of heights.slice(1))
    expect(await statuses(limited, who, paths[nameOf(height)])).toEqual([200, 200, 200, 200])
  expect(await statuses(limited, who, paths['audio'])).toEqual([200, 200, 200, 200])
})

describe('streams at once', () => {
  test('a viewer’s second one is refused while the first one plays, and not for longer than a lease', async () => {
    const [one, limited] = [{ viewer: 'ann' }, { policy: { maxStreams: 1 } }]
    const who = somebody()
    let tokens = ['', '']
    await inTime(leaseMs, async () => {
      one.viewer = `ann ${networks++}`
      tokens = [await open({ ...one, ...limited }), await open({ ...one, ...limited })]
      expect(await statuses(tokens[0] ?? '', who)).toEqual(all(200))
      await expectRefused(tokens[1] ?? '', who)
    })
    for (const more of [one, { viewer: 'bob', ...limited }])
      expect(await statuses(await open(more), who)).toEqual(all(200))
    // Whichever of them plays, once the other's lease is over.
    await inTime(2 * leaseMs + 1000, async () => {
      await sleep(leaseMs + 1000)
      tokens.reverse()
      expect(await statuses(tokens[0] ?? '', who)).toEqual(all(200))
      await expectRefused(tokens[1] ?? '', who)
    })
  })

  test('a copied URL needs a place of its own', () =>
    inTime(leaseMs, async () => {
      const [token, owner, thief] = [await open(), somebody(), somebody()]
      expect(await statuses(token, owner)).toEqual(all(200))
      await expectRefused(token, thief)
      await expectRefused(token, { ...owner, 'user-agent': 'another player' })
      expect(await statuses(token, owner)).toEqual(all(200))
    }))

  test('two places are for two', () =>
    inTime(leaseMs, async () => {
      const shared = await open({ policy: { maxClients: 2 } })
      for (const who of [somebody(), somebody()]) expect(await statuses(shared, who)).toEqual(all(200))
      await expectRefused(shared, somebody())
    }))
})

describe('the tenant’s own policy', () => {
  const set = async (policy: unknown) => {
    expect((await tenant.call('PATCH', '/api/v1/tenant', { policy })).status).toBe(200)
    // A tenant is remembered for 2 s.
    await sleep(2200)
  }

  test('holds for sessions that do not say otherwise, and null takes it away', async () => {
    const [de, us] = [{ 'x-edge-country': 'DE' }, { 'x-edge-country': 'US' }]
    const many = { maxClients: 20 }
    await set({ countries: ['DE'] })
    try {
      const bound = await open({ policy: many })
      expect(await statuses(bound, somebody(de))).toEqual(all(200))
      await expectRefused(bound, somebody(us))
      const own = await open({ policy: { ...many, countries: ['US'] } })
      expect(await statuses(own, somebody(us))).toEqual(all(200))
      await expectRefused(own, somebody(de))
      const lifted = await open({ policy: { ...many, countries: null } })
      for (const who of [de, us, {}]) expect(await statuses(lifted, somebody(who))).toEqual(all(200))
    } finally {
      await set(null)
    }
    expect(await statuses(await open({ policy: many }), somebody(us))).toEqual(all(200))
  })

  test.each([
    [{ networks: ['10.0.0.0/33'] }, '/policy/networks/0'],
    [{ networks: ['10.0.0.1/8'] }, '/policy/networks/0'],
    [{ referrers: ['https://1.2.3.999'] }, '/policy/referrers/0'],
    [{ countrys: ['DE'] }, '/policy'],
  ])('%j is refused where it is given, by name', async (policy, pointer) => {
    for (const [method, path] of [
      ['POST', `/api/v1/assets/${assetId}/playback`],
      ['PATCH', '/api/v1/tenant'],
    ] as const) {
      const { status, json } = await tenant.call(method, path, { policy })
      expect(status).toBe(400)
      expect(json).toMatchObject({ code: 'invalid-request', errors: [{ pointer }] })
    }
  })
})
