// What deliver answers to those who may play: each path, with the headers that players and caches live by.
import { gunzipSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import { bytesOf, createStage, type Stage } from './stage.ts'
import { makeTimeline } from './timelines.ts'

const timeline = makeTimeline()
const [v720] = timeline.renditions
const segment = v720!.segments[1]!
const text = (body: Uint8Array | undefined) => Buffer.from(body ?? []).toString('utf8')

let stage: Stage
beforeEach(async () => {
  stage = await createStage()
})

describe('what there is', () => {
  test.each([
    ['master.m3u8', 'application/vnd.apple.mpegurl', 'no-cache'],
    ['v720.m3u8', 'application/vnd.apple.mpegurl', 'no-cache'],
    ['audio.m3u8', 'application/vnd.apple.mpegurl', 'no-cache'],
    ['v720/1.0/init.mp4', 'video/mp4', 'private, max-age=86400, immutable'],
    ['v720/1.0/1.m4s', 'video/mp4', 'private, max-age=86400, immutable'],
    ['audio/1.0/0.m4s', 'video/mp4', 'private, max-age=86400, immutable'],
    ['poster.jpg', 'image/jpeg', 'private, max-age=86400, immutable'],
    ['keys/{v720}', 'application/octet-stream', 'no-store'],
  ])('%s is %s, %s', async (name, contentType, cacheControl) => {
    const path = name.replace('{v720}', stage.keyIds['v720'] ?? '')
    const reply = await stage.ask(path)
    expect(reply.status).toBe(200)
    expect(reply.headers).toMatchObject({
      'content-type': contentType,
      'cache-control': cacheControl,
      'content-length': String(reply.body?.length),
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    expect(reply.headers['etag'] ?? 'none').toMatch(cacheControl === 'no-store' ? /^none$/ : /^"[\w-]{22}"$/)
    const head = await stage.ask(path, {}, { method: 'HEAD' })
    expect(head).toEqual({ status: 200, headers: reply.headers })
  })

  test('a segment is its blob, byte for byte; the key is the key of its rendition', async () => {
    const { body } = await stage.ask('v720/1.0/1.m4s')
    expect(body).toEqual(bytesOf(segment.blob, 0, segment.sizeBytes))
    expect(stage.reads).toEqual([{ blob: segment.blob, offset: 0, count: segment.sizeBytes }])
    const keys = await Promise.all(Object.values(stage.keyIds).map((id) => stage.ask(`keys/${id}`)))
    expect(new Set(keys.map((key) => Buffer.from(key.body ?? []).toString('hex'))).size).toBe(3)
    expect(keys.map((key) => key.body?.length)).toEqual([16, 16, 16])
  })

  test('HEAD and 304 read nothing from Blob', async () => {
    const { headers } = await stage.ask('v720/1.0/1.m4s', {}, { method: 'HEAD' })
    const unchanged = await stage.ask('v720/1.0/1.m4s', { 'if-none-match': headers['etag']! })
    expect(unchanged.status).toBe(304)
    expect(unchanged.body).toBeUndefined()
    expect(unchanged.headers).toMatchObject({
      etag: headers['etag'],
      'cache-control': headers['cache-control'],
    })
    expect(unchanged.headers).not.toHaveProperty('content-length')
    expect(stage.reads).toEqual([])
  })

  test('playlists are compressed for who takes gzip, under a tag of their own', async () => {
    const plain = await stage.ask('v720.m3u8')
    const zipped = await stage.ask('v720.m3u8', { 'accept-encoding': 'br, gzip;q=0.5' })
    expect(text(gunzipSync(zipped.body ?? new Uint8Array()))).toBe(text(plain.body))
    expect(zipped.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Origin, Accept-Encoding' })
    expect(plain.headers).not.toHaveProperty('content-encoding')
    expect(plain.headers['vary']).toBe('Origin, Accept-Encoding')
    expect(zipped.headers['etag']).not.toBe(plain.headers['etag'])
    const again = { 'accept-encoding': 'gzip', 'if-none-match': zipped.headers['etag']! }
    expect((await stage.ask('v720.m3u8', again)).status).toBe(304)
    expect((await stage.ask('v720.m3u8', { 'if-none-match': zipped.headers['etag']! })).status).toBe(200)
    for (const refused of ['identity', 'gzip;q=0', '*;q=0', 'br', ''])
      expect((await stage.ask('v720.m3u8', { 'accept-encoding': refused })).body).toEqual(plain.body)
  })

  test('playlists hold nothing of the session: all viewers get the same bytes', async () => {
    const other = await stage.protect.openSession({
      tenantId: stage.document.tenantId,
      asset: stage.document,
    })
    for (const path of ['master.m3u8', 'v720.m3u8']) {
      const [mine, theirs] = [await stage.ask(path), await stage.ask(path, {}, { token: other.token })]
      expect(mine).toEqual(theirs)
      expect(text(mine.body)).not.toContain(stage.sessionId)
    }
  })
})

describe('while it is being encoded', () => {
  test('the playlist grows within a second, and what is there plays', async () => {
    stage.state.asset = { ...stage.document, state: 'encoding', timeline: 'timeline-1.json' }
    const first = await stage.ask('v720.m3u8')
    expect(text(first.body)).not.toContain('v720/1.0/1.m4s')
    expect((await stage.ask('v720/1.0/0.m4s')).status).toBe(200)
    expect((await stage.ask('v720/1.0/1.m4s')).status).toBe(404)
    stage.state.asset = { ...stage.document, state: 'encoding', timeline: 'timeline-2.json' }
    stage.clock.advance(1000)
    const etag = first.headers['etag']!
    const second = await stage.ask('v720.m3u8', { 'if-none-match': etag })
    expect(second.status).toBe(200)
    expect(text(second.body)).toContain('v720/1.0/1.m4s')
    expect((await stage.ask('v720/1.0/1.m4s')).status).toBe(200)
  })

  test('a title that is being encoded anew plays on from its old timeline, with the old keys', async () => {
    const path = `keys/${stage.keyIds['v720']}`
    const before = await stage.ask(path)
    stage.state.asset = { ...stage.document, state: 'encoding', version: 2 }
    stage.clock.advance(1000)
    expect(before.status).toBe(200)
    expect(await stage.ask(path)).toEqual(before)
  })

  test('a thousand requests within a second ask for the document and the timeline once', async () => {
    const paths = ['master.m3u8', 'v720.m3u8', 'v720/1.0/init.mp4', 'v720/1.0/0.m4s']
    await Promise.all(Array.from({ length: 1000 }, (_, n) => stage.ask(paths[n % 4] ?? '')))
    expect(stage.loads).toEqual(['asset', 'timeline-3.json'])
    stage.clock.advance(1000)
    await stage.ask('master.m3u8')
    expect(stage.loads).toEqual(['asset', 'timeline-3.json', 'asset'])
  })
})

describe('other methods and sites', () => {
  test('a preflight of an allowed site is answered, and its player may read what it needs', async () => {
    const origin = 'https://www.example.com'
    const preflight = await stage.ask('v720/1.0/1.m4s', { origin }, { method: 'OPTIONS' })
    expect(preflight).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, HEAD, OPTIONS',
        'access-control-allow-headers': expect.stringContaining('Range'),
        vary: 'Origin',
      },
    })
    expect(preflight.body).toBeUndefined()
    for (const [path, status] of [
      ['v720/1.0/1.m4s', 200],
      ['nothing', 404],
    ] as const) {
      const reply = await stage.ask(path, { origin })
      expect(reply.status).toBe(status)
      expect(reply.headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-expose-headers': 'Content-Range, Content-Length, ETag, Date',
      })
    }
  })

  test.each([
    'https://evil.example',
    'https://www.example.com.evil.example',
    'http://www.example.com',
    'null',
    'https://WWW.example.com',
    '',
  ])('the site %j gets no permission, and is told that this depends on it', async (origin) => {
    for (const method of ['GET', 'OPTIONS']) {
      const { headers } = await stage.ask('master.m3u8', { origin }, { method })
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
      expect(headers['vary']).toContain('Origin')
    }
  })

  test('other methods are not deliver’s', async () => {
    for (const method of ['POST', 'DELETE', 'TRACE', 'get'])
      await expect(stage.ask('master.m3u8', {}, { method })).rejects.toMatchObject({ code: 'not-found' })
  })
})
