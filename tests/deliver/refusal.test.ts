// Refusals: one answer for everything that is wrong, and not a byte of manifest, media or key with it.
import { beforeEach, describe, expect, test } from 'vitest'
import { createStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await createStage()
})

const paths = () => [
  'master.m3u8',
  'v720.m3u8',
  'v720/1.0/init.mp4',
  'v720/1.0/0.m4s',
  `keys/${stage.keyIds['v720']}`,
  'poster.jpg',
]
const origin = 'https://www.example.com'

/** What a wrong token gets for a path that is there; everything else must look the same. */
const refusal = () => stage.ask('master.m3u8', {}, { token: 'x' })

describe('without a session that grants it', () => {
  test('every path, method and header gets the same 403', async () => {
    for (const path of paths()) expect((await stage.ask(path)).status).toBe(200)
    const expected = await refusal()
    expect(expected.status).toBe(403)
    expect(JSON.parse(Buffer.from(expected.body ?? []).toString())).toEqual({
      type: '/problems/playback-refused',
      title: 'Playback refused',
      status: 403,
      detail: 'Ask the site that gave you this link for a new one.',
      code: 'playback-refused',
    })
    expect(expected.headers).toMatchObject({ 'cache-control': 'no-store', vary: 'Origin' })
    stage.reads.length = stage.loads.length = 0
    const forged = stage.token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
    for (const token of ['', forged, stage.token.toUpperCase(), `${stage.token}.`, '../../..'])
      for (const path of [...paths(), '', 'nothing', '../../../healthz', 'a'.repeat(10_000)])
        for (const headers of [
          {},
          { origin },
          { range: 'bytes=0-1' },
          { 'if-none-match': '*' },
          { 'if-match': '"x"' },
        ]) {
          expect(await stage.ask(path, headers, { token })).toEqual(expected)
          expect(await stage.ask(path, headers, { token, method: 'OPTIONS' })).toEqual(expected)
          const { body, ...head } = expected
          expect(await stage.ask(path, headers, { token, method: 'HEAD' })).toEqual(head)
        }
    expect(stage.reads).toEqual([])
    expect(stage.loads).toEqual([])
  })

  test('an expired, a revoked and a foreign session get it too', async () => {
    const expected = await refusal()
    const short = await stage.protect.openSession({
      tenantId: stage.document.tenantId,
      asset: stage.document,
      ttlSeconds: 5,
    })
    const foreign = await createStage({ seed: 'elsewhere' })
    expect((await foreign.ask('master.m3u8')).status).toBe(200)
    expect(await stage.ask('master.m3u8', {}, { token: foreign.token })).toEqual(expected)
    expect((await stage.ask('master.m3u8', {}, { token: short.token })).status).toBe(200)
    stage.clock.advance(5000)
    expect(await stage.ask('master.m3u8', {}, { token: short.token })).toEqual(expected)
    expect((await stage.ask('master.m3u8')).status).toBe(200)
    await stage.protect.revokeSession(stage.document.tenantId, stage.sessionId)
    for (const path of paths()) expect(await stage.ask(path, { origin })).toEqual(expected)
  })
})

describe('a title that is', () => {
  test.each(['uploading', 'failed', 'gone', 'another tenant’s', 'without a timeline'])(
    '%s gives nothing, not even a key',
    async (what) => {
      for (const path of paths()) expect((await stage.ask(path)).status).toBe(200)
      const { timeline: _, ...unplayable } = stage.document
      if (what === 'uploading' || what === 'failed') stage.state.asset = { ...stage.document, state: what }
      if (what === 'gone') stage.state.asset = undefined
      if (what === 'without a timeline') stage.state.asset = unplayable
      stage.clock.advance(1000)
      const session = { tenantId: 'ten_00000000000000000009' as const, asset: stage.document }
      const { token } = what.startsWith('another') ? await stage.protect.openSession(session) : stage
      const expected = await refusal()
      for (const path of [...paths(), 'nothing'])
        expect(await stage.ask(path, { origin }, { token })).toEqual(expected)
    },
  )

  test('removed under a viewer’s feet ends as a refusal, never as half an answer', async () => {
    expect((await stage.ask('v720/1.0/0.m4s')).status).toBe(200)
    stage.state.gone = true
    const expected = await refusal()
    expect(await stage.ask('v720/1.0/0.m4s')).toEqual(expected)
    expect(await stage.ask('v720/1.0/0.m4s', { range: 'bytes=0-9' })).toEqual(expected)
  })
})

describe('with a session, what is not there is 404', () => {
  test.each([
    '',
    '/',
    'master.m3u8/',
    '/master.m3u8',
    'Master.m3u8',
    'master.m3u8?x',
    'v1080.m3u8',
    'v720',
    'v720/',
    'v720/1.0/3.m4s',
    'v720/1.0/00.m4s',
    'v720/-1.m4s',
    'v720/1e0.m4s',
    'v720/1.0/99999999999.m4s',
    'v720/0.M4S',
    'V720/0.m4s',
    'v720//0.m4s',
    'v720/../v720/1.0/0.m4s',
    'v720%2F0.m4s',
    'constructor.m3u8',
    '__proto__/init.mp4',
    'constructor/0.m4s',
    'keys',
    'keys/',
    `keys/${'0'.repeat(32)}`,
    `keys/${'F'.repeat(32)}`,
    'poster.png',
    'timeline-3.json',
    'manifest.mpd',
    'v720/1.0/0.m4s\n',
  ])('%j', async (path) => {
    const reply = await stage.ask(path)
    expect(reply.status).toBe(404)
    expect(JSON.parse(Buffer.from(reply.body ?? []).toString()).code).toBe('not-found')
    expect(stage.reads).toEqual([])
  })
})
