// Which function gets a request over HTTP (rules 5, 6 and 8), and what it sees of it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { appFolder, type RunningApp, startApp } from './running-app.ts'

let app: RunningApp
beforeAll(async () => {
  app = await startApp(appFolder('streaming'), { env: { 'AzureWebJobs.switched.Disabled': '1' } })
})
afterAll(() => app.stop())

const json = async (path: string, ask?: Parameters<RunningApp['ask']>[1]) =>
  JSON.parse((await app.ask(path, ask)).text)

describe('rule 5: the first name in the alphabet wins', () => {
  it.each([
    ['GET', '/api/zoo/lion', 'b_first'],
    ['GET', '/API/Zoo/Lion/', 'b_first'],
    ['POST', '/api/zoo/lion', 'd_post'],
  ])('%s %s goes to %s', async (method, path, name) => {
    expect(await json(path, { method })).toMatchObject({ name })
  })

  it('warns at start of each pair, by both names', () => {
    expect(app.log()).toMatch(
      /rule 5: routes 'api\/zoo\/\{animal\}' of 'b_first' and 'api\/zoo\/lion' of 'c_second'/,
    )
    expect(app.log()).toMatch(/'e_twin' function is in error.*conflicts with the route of function 'b_first'/)
    expect(app.log()).not.toMatch(/of 'd_post'/)
  })
})

describe('rule 6: what is not declared is 404, with no body', () => {
  it.each([
    ['GET', '/api/flooded', 200],
    ['POST', '/api/flooded', 404],
    ['DELETE', '/api/flooded', 404],
    ['HEAD', '/api/flooded', 404],
    ['OPTIONS', '/api/flooded', 404],
    ['HEAD', '/api/result/text', 200],
    ['OPTIONS', '/api/result/text', 404],
    ['GET', '/api', 404],
    ['GET', '/nope', 404],
    ['GET', '//api/flooded', 404],
    ['GET', '/api//flooded', 404],
    ['GET', '/api/switched', 404],
  ])('%s %s is %i', async (method, path, status) => {
    const answer = await app.ask(path, { method })
    expect(answer.status).toBe(status)
    expect(answer.headers['x-frame-options']).toBe('DENY')
    if (status !== 404) return
    expect([answer.text, answer.headers['content-length']]).toEqual(['', method === 'HEAD' ? undefined : '0'])
  })
})

describe('rule 8: the path', () => {
  it.each([
    ['/api/files/a%2Fb', { rest: 'a%2Fb' }],
    ['/api/files/a%20b+c', { rest: 'a b+c' }],
    ['/api/files/x//y/', { rest: 'x//y/' }],
    ['/api/result/../files/%2e%2e/files/q', { rest: 'q' }],
  ])('%s gives the function %j', async (path, params) => {
    expect(await json(path)).toEqual({ name: 'files', params })
  })

  it('is 400 with a NUL, where the same without it is not', async () => {
    expect((await app.ask('/api/files/a%01b')).status).toBe(200)
    expect((await app.ask('/api/files/a%00b')).status).toBe(400)
  })

  it('shows in the url as the real host writes it', async () => {
    const headers = { host: 'example.org:99', 'x-forwarded-proto': 'https' }
    expect(await json('/api/where/%35/a%2Fb/%5C?x=%2F', { headers })).toEqual({
      url: 'http://example.org:99/api/where/5/a%252Fb/%5C?x=%2F',
      rest: '5/a%2Fb/\\',
    })
  })
})

describe('the header Host', () => {
  it.each(['example.org', 'example.org:99', '127.0.0.1', '[::1]:7071', 'a_b.c'])(
    'may be %s',
    async (host) => {
      expect((await app.ask('/api/where/x', { headers: { host } })).status).toBe(200)
    },
  )

  // What is wrong in a URL is told with all of the URL, and below `play` that is a secret.
  it.each(['u:p@example.org', 'a/b', 'a?b', 'a#b', 'a\\b', 'a:99999', '[::1', 'a b'])(
    'is 400 as %s, and in no log',
    async (host) => {
      expect((await app.ask('/api/where/a-secret', { headers: { host } })).status).toBe(400)
      expect(app.log()).not.toContain('a-secret')
    },
  )

  it('is 400 twice', async () => {
    const hosts = ['host', 'a', 'host', 'b'] as unknown as Record<string, string>
    expect((await app.ask('/api/where/x', { headers: hosts })).status).toBe(400)
  })
})

describe('what the function sees', () => {
  it('rule 7: parameters are mixed with query keys and body fields', async () => {
    const body = '{"z":1,"id":"evil"}'
    const seen = await json('/api/echo/7?q=2&code=k', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    })
    expect(seen).toMatchObject({
      params: { z: '1', id: '7', q: '2' },
      query: [
        ['q', '2'],
        ['code', 'k'],
      ],
      body,
    })
  })

  it('has the caller’s address last in X-Forwarded-For', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.9, 10.0.0.1' }
    expect((await json('/api/echo', { headers })).headers['x-forwarded-for']).toBe(
      '203.0.113.9, 10.0.0.1, 127.0.0.1',
    )
    expect((await json('/api/echo')).headers['x-forwarded-for']).toBe('127.0.0.1')
  })

  it('is a stream of a chunked body', async () => {
    const chunked = { 'transfer-encoding': 'chunked' }
    const seen = await json('/api/echo', { method: 'PUT', body: '{"z":1}', headers: chunked })
    // Nothing of a chunked body stands in the parameters.
    expect(seen).toMatchObject({ body: '{"z":1}', params: {} })
  })

  it('rule 18: needs no key, and the start said so', async () => {
    expect((await app.ask('/api/keyed')).text).toBe('open')
    expect(app.log()).toMatch(/rule 18: .*keyed/)
  })
})

describe('the host’s own pages', () => {
  it('answer on this machine', async () => {
    expect((await app.ask('/')).status).toBe(200)
    const ping = await app.ask('/admin/host/ping')
    expect([ping.status, ping.text, ping.headers['cache-control']]).toEqual([200, '', 'no-store,no-cache'])
    expect(await json('/admin/host/status')).toMatchObject({ state: 'Running' })
    const listed = (await json('/admin/functions')) as { name: string; isDisabled: boolean }[]
    expect(listed.filter(({ isDisabled }) => isDisabled).map(({ name }) => name)).toEqual(['switched'])
    expect(await json('/admin/functions/ECHO')).toMatchObject({ name: 'echo', language: 'node' })
    expect((await app.ask('/admin/functions/nope')).status).toBe(404)
  })

  it.each([
    ['another name for this machine', { host: 'evil.example' }],
    ['a page of another site', { origin: 'http://evil.example' }],
    ['a proxy', { 'x-forwarded-for': '203.0.113.9' }],
  ])('refuse %s', async (_, headers) => {
    expect((await app.ask('/admin/host/status', { headers: {} })).status).toBe(200)
    expect((await app.ask('/admin/host/status', { headers: headers as Record<string, string> })).status).toBe(
      403,
    )
  })
})
