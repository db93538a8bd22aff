// What else can be tried at the door of playback: odd paths and tokens, headers from elsewhere, and trying very often.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { drawFilm } from '../support/film.ts'
import { mediaPlaylist, mediaPlaylists } from '../support/hls.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'
import { type Ask, askRaw, comparable } from '../support/viewer.ts'

const refusalsPerSecond = 2
const burst = 10 * refusalsPerSecond

let platform: Platform
let tenant: Tenant
let folder: string
let assetId: string
let token: string
/** A segment and a key, below the token. */
let segment: string
let key: string

let networks = 0
/** In a network of its own, so that nothing here is refused for being asked too often. */
const somebody = (): Record<string, string> => {
  networks++
  const address = `10.${networks >> 8}.${networks & 255}.7`
  return { 'x-edge-proof': 'of-the-edge', 'x-forwarded-for': address, 'user-agent': 'a player' }
}
const play = (path: string, more: Ask = {}) => askRaw(platform.apiUrl, `/api/v1/play/${path}`, more)
const open = async (body: Record<string, unknown> = {}) =>
  (await tenant.playback(assetId, { policy: { maxClients: 20 }, ...body })).token

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-tricks-'))
  const film = join(folder, 'film.mp4')
  await drawFilm({ path: film, seconds: 5, size: '320x240' })
  platform = await startPlatform({
    env: {
      REFUSALS_PER_SECOND: String(refusalsPerSecond),
      TRUSTED_PROXY_HOPS: '2',
      PROXY_PROOF: 'x-edge-proof=of-the-edge',
      COUNTRY_HEADER: 'x-edge-country',
    },
  })
  tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
  assetId = await tenant.upload(film)
  await tenant.until(assetId, ({ state }) => state === 'ready')
  const playback = await tenant.playback(assetId)
  const [list] = await Promise.all((await mediaPlaylists(playback.hlsUrl)).map(mediaPlaylist))
  const below = (url = '') => url.split(`${playback.token}/`)[1] ?? ''
  segment = below(list?.segments[0])
  key = below(list?.keyUrl)
  token = await open()
})
afterAll(async () => {
  await platform?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('a path below play', () => {
  const odd = () => [
    '',
    '/',
    '//master.m3u8',
    'master.m3u8/',
    'MASTER.M3U8',
    'master.m3u8;x=y',
    'master.m3u8%20',
    'master.m3u8%0a',
    'master.m3u8%0d%0aX:%20y',
    'master.m3u8%3f',
    'manifest.mpd',
    '..%2f..%2f..%2f..%2fetc%2fpasswd',
    '%2e%2e/%2e%2e/%2e%2e/sources',
    '../../../../../../etc/passwd',
    '..%5c..%5cmaster.m3u8',
    '..\\..\\master.m3u8',
    '%252e%252e%252fmaster.m3u8',
    '%252fmaster.m3u8',
    '%c0%ae%c0%ae/master.m3u8',
    '%ff%fe',
    '%u002e',
    '....//....//master.m3u8',
    segment.replaceAll('/', '%2F'),
    segment.replace('/', '//'),
    segment.replace('/1.0/', '/'),
    segment.replace('/1.0/', '/1.00/'),
    segment.replace('/1.0/', '/0.0/'),
    segment.replace('/1.0/', '/1%2E0%2F'),
    segment.replace('.m4s', '.m4s%00'),
    segment.replace('0.m4s', '00.m4s'),
    segment.replace('0.m4s', '-0.m4s'),
    segment.replace('0.m4s', `${'9'.repeat(400)}.m4s`),
    key.toUpperCase(),
    `${key}0`,
    `${key}/`,
    'keys/../keys/',
    'timeline-1.json',
    'plan.json',
    '__proto__/1.0/0.m4s',
    'constructor.m3u8',
    'a'.repeat(8000),
    'a/'.repeat(4000),
    '%2e'.repeat(2500),
  ]

  test('that is not one is 404 with a token and 403 without; only NUL stops before the app, with 400', async () => {
    for (const path of [segment, key, 'master.m3u8'])
      expect([path, (await play(`${token}/${path}`, { headers: somebody() })).status]).toEqual([path, 200])
    for (const path of odd()) {
      const isNul = path.includes('%00')
      const granted = await play(`${token}/${path}`, { headers: somebody() })
      const refused = await play(`no-token/${path}`, { headers: somebody() })
      const shown = path.slice(0, 60)
      expect([shown, granted.status]).toEqual([shown, isNul ? 400 : 404])
      expect([shown, [403, isNul ? 400 : 404].includes(refused.status)]).toEqual([shown, true])
    }
  })

  test('whatever it is made of, is 400, 403, 404 or longer than a line may be, and never breaks anything', async () => {
    const piece = fc.constantFrom(
      '..',
      '.',
      '/',
      '%2f',
      '%2e',
      '%252e',
      '%5c',
      '%00',
      '%',
      '%zz',
      '%ff',
      ';',
      '?',
      '%C3%A9',
      '~',
      'master.m3u8',
      'keys',
      '0',
    )
    const anything = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
    const seen = new Set<number>()
    await fc.assert(
      fc.asyncProperty(anything, fc.boolean(), async (path, withToken) => {
        const { status, body } = await play(`${withToken ? token : 'x'}/y${path}`, { headers: somebody() })
        seen.add(status)
        expect(body).not.toMatch(/\.ts:\d|node:|Error:/)
        // Steps back and forth may lead to a path that there is (RFC 3986 section 5.2.4): its token opens it.
        const leadsTo = new URL(`http://movidone/api/v1/play/${token}/y${path}`).pathname
        if (withToken && leadsTo === `/api/v1/play/${token}/master.m3u8`) expect(status).toBe(200)
        else expect([400, 403, 404, 431]).toContain(status)
      }),
      {
        numRuns: 300,
        examples: ['/../master.m3u8', '/%2e%2e/master.m3u8', '/../keys/.././master.m3u8?'].flatMap(
          (path): Array<[string, boolean]> => [
            [path, true],
            [path, false],
          ],
        ),
      },
    )
    expect(seen).toContain(403)
    expect(seen).toContain(404)
  })
})

describe('a token', () => {
  test('that is not one is refused in the same words, whatever it is made of', async () => {
    const who = somebody()
    const expected = comparable(await play('no-token/master.m3u8', { headers: who }))
    expect(expected.status).toBe(403)
    const tokens = [
      token.toUpperCase(),
      token.slice(0, -1),
      `${token}A`,
      `${token}=`,
      `${token}%00`.slice(0, -3),
      `${token}.${token}`,
      token.replace('.', '%2E%2E'),
      'a.b.c',
      '..c',
      'eyJhbGciOiJub25lIn0.e30.',
      '%E2%80%AE',
      'x'.repeat(12_000),
      `${'a.'.repeat(6000)}`,
    ].filter((each) => each !== token)
    for (const each of tokens)
      for (const path of ['master.m3u8', segment])
        expect([
          each.slice(0, 40),
          comparable(await play(`${each}/${path}`, { headers: somebody() })),
        ]).toEqual([each.slice(0, 40), expected])
  })
})

describe('headers from elsewhere', () => {
  test('change nothing: no other path, no other method, no other host', async () => {
    const plain = comparable(await play(`${token}/${segment}`, { headers: somebody() }))
    expect(plain.status).toBe(200)
    for (const more of [
      { 'x-original-url': '/api/v1/keys', 'x-rewrite-url': '/api/v1/keys' },
      { 'x-http-method-override': 'DELETE', 'x-method-override': 'DELETE' },
      { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example;for=198.51.100.7' },
      { authorization: `Bearer ${platform.tenant.apiKey}`, cookie: 'a=b' },
      { 'x-ms-invocation-id': '00000000-0000-0000-0000-000000000000' },
      { range: `bytes=${'0-1,'.repeat(2000)}` },
      { 'accept-encoding': 'gzip,'.repeat(2000) },
    ]) {
      const headers = { ...somebody(), ...more } as Record<string, string>
      expect([more, comparable(await play(`${token}/${segment}`, { headers }))]).toEqual([more, plain])
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE'])
      expect([method, (await play(`${token}/${segment}`, { method, headers: somebody() })).status]).toEqual([
        method,
        404,
      ])
  })

  // The host keeps query keys and fields of a body in one table with the headers: they could stand in their place.
  test('cannot be written into the query or the body of a GET', async () => {
    const inside = '198.51.100.7'
    const limited = await open({ policy: { networks: ['198.51.100.0/24'], maxClients: 20 } })
    const outside = { 'user-agent': 'a player' }
    const believed = { ...somebody(), 'x-forwarded-for': inside }
    const path = `${limited}/${segment}`
    expect((await play(path, { headers: believed })).status).toBe(200)
    const refusal = comparable(await play(path, { headers: outside }))
    expect(refusal.status).toBe(403)
    const written = JSON.stringify({ 'x-forwarded-for': inside, 'user-agent': 'a player', host: 'x' })
    for (const name of ['headers', 'Headers', 'HEADERS', '%48eaders']) {
      const query = `${path}?a=b&${name}=${encodeURIComponent(written)}`
      expect([name, comparable(await play(query, { headers: outside }))]).toEqual([name, refusal])
      // Nothing is gained either by having no headers at all.
      expect((await play(`${token}/${segment}?${name}=`, { headers: somebody() })).status).toBe(403)
    }
    for (const method of ['GET', 'HEAD', 'OPTIONS'])
      for (const type of ['application/json', 'text/plain']) {
        const body = JSON.stringify({ Headers: written })
        const headers = { ...outside, 'content-type': type, 'content-length': String(body.length) }
        expect([method, (await play(path, { method, headers, body })).status]).toEqual([method, 403])
        const chunked = { ...outside, 'content-type': type, 'transfer-encoding': 'chunked' }
        expect([method, (await play(path, { method, headers: chunked, body })).status]).toEqual([method, 403])
      }
    expect((await play(`${path}?a=b&header=c`, { headers: believed })).status).toBe(200)
  })
})

describe('trying very often', () => {
  const ask = (path: string, headers: Record<string, string>, method = 'GET') =>
    play(path, { headers, method })
  /** The bucket fills again meanwhile, so it is emptied first; how fast one after the other would is the machine's affair. */
  async function untilLimited(path: string, headers: Record<string, string>, method = 'GET') {
    for (let refused = 0; ; ) {
      const askedMs = Date.now()
      const answers = await Promise.all(Array.from({ length: 3 }, () => ask(path, headers, method)))
      const answer = answers.find(({ status }) => status !== 403)
      refused += answers.filter(({ status }) => status === 403).length
      if (answer) return { answer, refused, askedMs }
      if (refused > 10 * burst) throw new Error(`${refused} refusals and no end`)
    }
  }

  test('ends in 429 for the network, whatever was wrong; a good token plays on there, and others are not asked', async () => {
    const who = somebody()
    const first = comparable(await ask('x/master.m3u8', who))
    const { refused } = await untilLimited('x/master.m3u8', who)
    expect(refused).toBeGreaterThanOrEqual(burst - 1)
    const wrong = ['a.b.c/master.m3u8', `${token}x/${segment}`, `-/${segment}`, '%E2%80%AE/poster.jpg']
    for (const path of wrong) {
      const { answer } = await untilLimited(path, who)
      expect(JSON.parse(answer.body)).toMatchObject({ status: 429, code: 'too-many-requests' })
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1)
      for (const [name, value] of Object.entries(first.headers))
        if (name !== 'content-length') expect([name, answer.headers[name]]).toEqual([name, value])
    }
    for (const method of ['HEAD', 'OPTIONS']) {
      const { answer } = await untilLimited('x/master.m3u8', who, method)
      expect([answer.status, answer.body]).toEqual([
        429,
        method === 'HEAD' ? '' : expect.stringContaining('429'),
      ])
    }

    const neighbour = { ...who, 'x-forwarded-for': (who['x-forwarded-for'] ?? '').replace(/\.7$/, '.8') }
    const { askedMs } = await untilLimited('x/master.m3u8', who)
    const ofNeighbour = (await untilLimited('x/master.m3u8', neighbour)).refused
    expect(ofNeighbour).toBeLessThanOrEqual(1 + (refusalsPerSecond * (Date.now() - askedMs)) / 1000)
    for (let n = 0; n < 40; n++) {
      const [good, bad] = await Promise.all([
        ask(`${token}/${segment}`, n % 2 ? who : neighbour),
        ask('x/master.m3u8', who),
      ])
      expect([good.status, [403, 429].includes(bad.status)]).toEqual([200, true])
    }
    expect((await ask('x/master.m3u8', somebody())).status).toBe(403)

    const { answer } = await untilLimited('x/master.m3u8', who)
    await sleep(Number(answer.headers['retry-after']) * 1000 + 100)
    expect((await ask('x/master.m3u8', who)).status).toBe(403)
  })
})
