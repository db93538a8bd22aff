// What deliver does with a grant: a redirect to the session that it opens, and the same refusal as ever for all else.
import { beforeEach, describe, expect, test } from 'vitest'
import type { Client } from '../../shared/core/client.ts'
import { createStage, type Stage, somebody } from './stage.ts'

const grant = 'e30.e30.c2ln'
const site = 'https://www.example.com'
let stage: Stage
let asked: Array<{ grant: string; client: Client; open: boolean }>
beforeEach(async () => {
  stage = await createStage()
  asked = []
  stage.state.redeem = async (ask) => {
    asked.push(ask)
    if (ask.grant !== grant) return undefined
    return { allowedOrigins: [site], ...(ask.open && { token: stage.token }) }
  }
})

const paths = ['master.m3u8', 'manifest.mpd']
const others = () => [
  'v720.m3u8',
  'v720/1.0/init.mp4',
  'v720/1.0/0.m4s',
  `keys/${stage.keyIds['v720']}`,
  'poster.jpg',
  '',
  'nothing',
  'Master.m3u8',
  'master.m3u8/',
  'x/master.m3u8',
]

describe('a grant', () => {
  test.each(paths)('at %s is answered with the URL of its session, for GET and HEAD alike', async (path) => {
    const reply = await stage.ask(path, { origin: site }, { token: grant })
    expect(reply).toEqual({
      status: 302,
      headers: {
        location: `https://play.example.net/api/v1/play/${stage.token}/master.m3u8`,
        'cache-control': 'no-store',
        'content-length': '0',
        'x-content-type-options': 'nosniff',
        'access-control-allow-origin': site,
        'access-control-expose-headers': 'Content-Range, Content-Length, ETag, Date',
        vary: 'Origin',
      },
    })
    expect(await stage.ask(path, { origin: site }, { token: grant, method: 'HEAD' })).toEqual(reply)
    expect(asked).toEqual([
      { grant, client: somebody, open: true },
      { grant, client: somebody, open: true },
    ])
    const token = reply.headers['location']?.split('/').at(-2) ?? ''
    expect((await stage.ask('master.m3u8', {}, { token })).status).toBe(200)
  })

  test('is shown to no page of another site', async () => {
    const elsewhere = await stage.ask('master.m3u8', { origin: 'https://evil.example' }, { token: grant })
    expect(elsewhere.status).toBe(302)
    expect(elsewhere.headers).not.toHaveProperty('access-control-allow-origin')
    expect(elsewhere.headers['vary']).toBe('Origin')
  })

  test('is not opened by a preflight, which is answered all the same', async () => {
    const reply = await stage.ask('master.m3u8', { origin: site }, { token: grant, method: 'OPTIONS' })
    expect(reply).toMatchObject({ status: 204, headers: { 'access-control-allow-origin': site } })
    expect(reply.headers).not.toHaveProperty('location')
    expect(asked.map(({ open }) => open)).toEqual([false])
  })

  test('opens nothing but a manifest: all else is the one refusal, and it is not even looked at', async () => {
    expect((await stage.ask('master.m3u8', {}, { token: grant })).status).toBe(302)
    asked.length = 0
    const refusal = await stage.ask('master.m3u8', {}, { token: 'x' })
    expect(refusal.status).toBe(403)
    for (const path of others()) expect(await stage.ask(path, {}, { token: grant })).toEqual(refusal)
    expect(asked).toEqual([])
  })

  test('that is not good gets the one refusal, without a Location', async () => {
    const refusal = await stage.ask('v720.m3u8', {}, { token: 'x' })
    expect(refusal.status).toBe(403)
    for (const token of ['e30.e30.c2lm', '..', 'a.b.', `e30.e30.${'A'.repeat(100_000)}`])
      for (const path of paths) expect(await stage.ask(path, { origin: site }, { token })).toEqual(refusal)
    expect(asked).toHaveLength(8)
  })

  test('is not redeemed for whoever has no headers at all', async () => {
    const nobody = { network: 'unknown', userAgent: '' }
    const plain = { ...nobody, userAgent: 'a player' }
    expect((await stage.ask('master.m3u8', {}, { token: grant, client: plain })).status).toBe(302)
    expect((await stage.ask('master.m3u8', {}, { token: grant, client: nobody })).status).toBe(403)
  })
})

test('a session’s token is no grant', async () => {
  expect((await stage.ask('master.m3u8')).status).toBe(200)
  expect((await stage.ask('manifest.mpd')).status).toBe(404)
  expect(asked).toEqual([])
})
