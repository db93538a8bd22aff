// What a session may not see of a title that it may play, when it is over, and what becomes of who is refused too often.
import { beforeEach, describe, expect, test } from 'vitest'
import { createStage, type Stage, somebody } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await createStage()
})
const text = async (path: string) => Buffer.from((await stage.ask(path)).body ?? []).toString()
const of = (name: string) => [
  `${name}.m3u8`,
  `${name}/1.0/init.mp4`,
  `${name}/1.0/0.m4s`,
  `keys/${stage.keyIds[name]}`,
]
const statuses = (paths: string[]) => Promise.all(paths.map(async (path) => (await stage.ask(path)).status))

describe('a limit of resolution', () => {
  test('leaves what is above out of the master, and answers its playlist, segments and key as any refusal', async () => {
    const [refusal, whole] = [await stage.ask('master.m3u8', {}, { token: 'x' }), await text('master.m3u8')]
    expect(whole).toMatch(/v720[\s\S]*v360/)
    for (const name of ['v720', 'v360', 'audio'])
      expect(await statuses(of(name))).toEqual([200, 200, 200, 200])
    stage.state.granted = { maxResolution: 719 }
    expect(await text('master.m3u8')).toMatch(/audio[\s\S]*v360\.m3u8\n$/)
    expect(await text('master.m3u8')).not.toContain('v720')
    for (const path of of('v720')) {
      expect(await stage.ask(path)).toEqual(refusal)
      expect(await stage.ask(path, { range: 'bytes=0-1', 'if-none-match': '*' })).toEqual(refusal)
    }
    for (const name of ['v360', 'audio']) expect(await statuses(of(name))).toEqual([200, 200, 200, 200])
    stage.state.granted = { maxResolution: 720 }
    expect(await text('master.m3u8')).toBe(whole)
    expect(await statuses(of('v720'))).toEqual([200, 200, 200, 200])
  })

  test('that leaves no picture leaves nothing, not even the sound', async () => {
    stage.state.granted = { maxResolution: 359 }
    const paths = ['master.m3u8', 'poster.jpg', ...of('v360'), ...of('audio')]
    expect(await statuses(paths)).toEqual(paths.map(() => 403))
    stage.state.granted = { maxResolution: 360 }
    expect(await statuses(paths)).toEqual(paths.map(() => 200))
  })

  test('changes not a byte of what is left: playlists of a rendition are the same, masters the same by limit', async () => {
    const open = await Promise.all([...of('v360'), ...of('audio')].map((path) => stage.ask(path)))
    stage.state.granted = { maxResolution: 400 }
    const limited = await Promise.all([...of('v360'), ...of('audio')].map((path) => stage.ask(path)))
    expect(limited).toEqual(open)
    const master = await stage.ask('master.m3u8')
    stage.state.granted = { maxResolution: 500 }
    expect(await stage.ask('master.m3u8')).toEqual(master)
    stage.state.granted = {}
    expect((await stage.ask('master.m3u8')).headers['etag']).not.toBe(master.headers['etag'])
  })
})

describe('what a request is for', () => {
  test.each([
    ['master.m3u8', 'manifest'],
    ['v720.m3u8', 'manifest'],
    ['v720/1.0/init.mp4', 'media'],
    ['v720/1.0/0.m4s', 'media'],
    ['keys/00000000000000000000000000000000', 'media'],
    ['poster.jpg', 'image'],
    ['nothing', 'image'],
    ['../v720.m3u8', 'image'],
  ])('%s: %s, and a preflight needs no place', async (path, purpose) => {
    await stage.ask(path)
    await stage.ask(path, {}, { method: 'HEAD' })
    await stage.ask(path, {}, { method: 'OPTIONS' })
    expect(stage.asks).toEqual(
      [purpose, purpose, 'image'].map((each) => ({ token: stage.token, client: somebody, purpose: each })),
    )
  })
})

describe('a title whose sessions were ended', () => {
  test('plays no more in those from before, and in later ones as ever', async () => {
    const refusal = await stage.ask('master.m3u8', {}, { token: 'x' })
    const paths = ['master.m3u8', ...of('v720'), 'poster.jpg']
    expect(await statuses(paths)).toEqual(paths.map(() => 200))
    const sessionsEndedAt = new Date(stage.clock.now()).toISOString()
    stage.state.asset = { ...stage.document, sessionsEndedAt }
    stage.clock.advance(1000)
    for (const path of paths) expect(await stage.ask(path)).toEqual(refusal)
    const { tenantId } = stage.document
    const { token } = await stage.protect.openSession({ tenantId, asset: stage.document })
    expect((await stage.ask('master.m3u8', {}, { token })).status).toBe(200)
    stage.state.asset = { ...stage.document, sessionsEndedAt: 'not a time' }
    stage.clock.advance(1000)
    expect(await stage.ask('master.m3u8', {}, { token })).toEqual(refusal)
  })
})

describe('refusals', () => {
  const origin = 'https://www.example.com'

  test('are counted by network, whatever was wrong, and nothing else is', async () => {
    const foreign = stage.token.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A'))
    await statuses(['master.m3u8', 'v720/1.0/0.m4s', 'nothing', 'poster.jpg', ...of('audio')])
    await stage.ask('v720/1.0/0.m4s', { range: 'bytes=99999999-' })
    expect(stage.refusals).toEqual([])
    stage.state.granted = { maxResolution: 480 }
    await stage.ask('master.m3u8', {}, { token: foreign })
    await stage.ask('v720.m3u8')
    await stage.ask('master.m3u8', {}, { token: 'a.b.c' })
    await stage.ask('master.m3u8', {}, { token: '', method: 'OPTIONS' })
    stage.state.asset = undefined
    stage.clock.advance(1000)
    await stage.ask('master.m3u8', {}, { method: 'HEAD' })
    expect(stage.refusals).toEqual(new Array(5).fill(somebody.network))
  })

  test('that are too many are 429, with the headers of the refusal, and a good token is not asked for it', async () => {
    const good = await stage.ask('master.m3u8', { origin })
    const refusal = await stage.ask('master.m3u8', { origin }, { token: 'x' })
    expect([good.status, refusal.status]).toEqual([200, 403])
    stage.state.waitSeconds = 3
    const limited = await stage.ask('master.m3u8', { origin }, { token: 'x' })
    expect(limited.status).toBe(429)
    const { 'content-length': _, ...headers } = refusal.headers
    expect(limited.headers).toMatchObject({ ...headers, 'retry-after': '3' })
    expect(JSON.parse(Buffer.from(limited.body ?? []).toString())).toMatchObject({
      status: 429,
      code: 'too-many-requests',
    })
    for (const path of ['v720/1.0/0.m4s', 'nothing', 'poster.jpg'])
      for (const token of ['', 'a.b.c', 'x'.repeat(10_000)])
        expect(await stage.ask(path, {}, { token })).toEqual(limited)
    const head = await stage.ask('master.m3u8', {}, { token: 'x', method: 'HEAD' })
    expect(head).toEqual({ status: 429, headers: limited.headers })
    expect(await stage.ask('master.m3u8', { origin })).toEqual(good)
  })
})

test('who has no headers at all is nobody, and gets nothing with any token', async () => {
  const nobody = { network: 'unknown', userAgent: '' }
  const refusal = await stage.ask('master.m3u8', {}, { token: 'x' })
  const { tenantId } = stage.document
  const ask = async (client: typeof nobody) => {
    const { token } = await stage.protect.openSession({ tenantId, asset: stage.document })
    return stage.ask('v720/1.0/0.m4s', {}, { client, token })
  }
  expect((await ask({ ...nobody, userAgent: 'a player' })).status).toBe(200)
  expect((await ask({ ...nobody, network: '203.0.113.0/24' })).status).toBe(200)
  expect(await ask(nobody)).toEqual(refusal)
})
