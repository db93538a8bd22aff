// What becomes of a handler's result in both modes, and how the cases end in which the real host hangs (rules 2, 3).
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, appFolder, type RunningApp, startApp } from './running-app.ts'

let streaming: RunningApp
let buffered: RunningApp
beforeAll(async () => {
  ;[streaming, buffered] = await Promise.all([
    startApp(appFolder('streaming')),
    startApp(appFolder('buffered')),
  ])
})
afterAll(() => Promise.all([streaming.stop(), buffered.stop()]))

const brief = ({ status, text, headers }: Answer) => ({
  status,
  text,
  type: headers['content-type'],
  length: headers['content-length'] ?? headers['transfer-encoding'] ?? 'none',
})
const empty = (status: number) => ({
  status,
  text: '',
  type: undefined,
  length: status === 204 ? 'none' : '0',
})

describe.each(['streaming', 'buffered'] as const)('%s', (mode) => {
  const ask = (kind: string) => (mode === 'streaming' ? streaming : buffered).ask(`/api/result/${kind}`)

  it.each([
    ['text', { status: 200, text: 'hello', type: 'text/plain;charset=UTF-8', length: 'chunked' }],
    ['empty', { status: 200, text: '', type: 'text/plain;charset=UTF-8', length: '0' }],
    ['json', { status: 200, text: '{"a":1}', type: 'application/json', length: 'chunked' }],
    ['instance', { status: 202, text: 'made', type: 'text/plain;charset=UTF-8', length: 'chunked' }],
    ['created', { status: 201, text: 'made', type: 'text/plain;charset=UTF-8', length: 'chunked' }],
    ['nocontent', empty(204)],
    // Rule 1: a length that the app sets is kept; the host never sets one of its own.
    ['sized', { status: 200, text: 'abc', type: 'text/plain;charset=UTF-8', length: '3' }],
  ])('%s', async (kind, expected) => {
    expect(brief(await ask(kind))).toEqual(expected)
  })

  it('joins a header’s values, and keeps only the last set-cookie of the headers (rule 17)', async () => {
    const { headers } = await ask('lists')
    expect([headers['x-multi'], headers['set-cookie']]).toEqual(['1, 2', ['r=2']])
  })

  it('spells cookies as its own code does', async () => {
    const spelling = {
      streaming: [
        'a=1',
        'b=x%20y%3Bz; Max-Age=60; Domain=ex.com; Path=/p; HttpOnly; Secure; SameSite=Strict',
      ],
      buffered: [
        'a=1; path=/',
        'b=x%20y%3Bz; max-age=60; domain=ex.com; path=/p; secure; samesite=strict; httponly',
      ],
    }
    expect((await ask('cookies')).headers['set-cookie']).toEqual(spelling[mode])
  })

  it('sends the invocation id only when streaming', async () => {
    const { headers } = await ask('text')
    expect(headers['x-ms-invocation-id'] !== undefined).toBe(mode === 'streaming')
  })

  it.each(['throws', 'throwsText', 'string', 'number', 'badStatus', 'badHeader', 'failsAtOnce'])(
    '%s is a bare 500',
    async (kind) => {
      expect(brief(await ask('text')).status).toBe(200)
      expect(brief(await ask(kind))).toEqual(empty(500))
    },
  )
})

describe('nothing returned', () => {
  it.each(['nothing', 'null'])('%s is 204 when buffered, and rule 2 when streaming', async (kind) => {
    expect(brief(await buffered.ask(`/api/result/${kind}`))).toEqual(empty(204))
    expect(brief(await streaming.ask(`/api/result/${kind}`))).toEqual(empty(500))
  })
})

describe('streaming names the rule that was broken', () => {
  it.each([
    ['nothing', /rule 2: the handler returned nothing/],
    ['string', /rule 2: .*HTTP response must be an object/],
    ['throws', /rule 2: the handler threw.*the handler broke/],
    ['badStatus', /rule 2: .*range of 200 to 599/],
    ['badHeader', /rule 2: .*Headers.append/],
    ['failsAtOnce', /rule 3: the body failed midway: Error: no first byte/],
    ['failsMidway', /rule 3: the body failed midway: Error: it broke midway/],
    ['tooShort', /rule 3: the body ends after 3 of 10 bytes/],
    ['tooLong', /rule 3: the body is longer than its content-length/],
  ])('%s', async (kind, line) => {
    const before = streaming.log().length
    // Well before the real host gives a silent request up, after four minutes: this one ends by itself.
    const asked = streaming.ask(`/api/result/${kind}`).catch(() => {})
    expect(await Promise.race([asked.then(() => 'ended'), sleep(60_000, 'hangs', { ref: false })])).toBe(
      'ended',
    )
    await expect.poll(() => streaming.log().slice(before)).toMatch(line)
  })

  it('answers the bare 500 with the custom headers too', async () => {
    expect((await streaming.ask('/api/result/throws')).headers['x-frame-options']).toBe('DENY')
  })
})

describe('a body that breaks its promise', () => {
  it('that fails midway is cut off when streaming, and a 500 when buffered', async () => {
    expect(await streaming.ask('/api/result/failsMidway')).toMatchObject({
      status: 200,
      text: 'onetwo',
      isComplete: false,
    })
    expect(brief(await buffered.ask('/api/result/failsMidway'))).toEqual(empty(500))
  })

  it('that is too short is cut off in both', async () => {
    for (const app of [streaming, buffered]) {
      expect(await app.ask('/api/result/tooShort')).toMatchObject({
        status: 200,
        text: 'abc',
        isComplete: false,
      })
    }
  })

  it('that is too long is cut to size when streaming, and a 500 when buffered', async () => {
    expect(await streaming.ask('/api/result/tooLong')).toMatchObject({
      status: 200,
      text: 'abc',
      isComplete: true,
    })
    const refused = await buffered.ask('/api/result/tooLong')
    expect([refused.status, refused.headers.connection]).toEqual([500, 'close'])
  })

  it('leaves the next request alone', async () => {
    expect((await streaming.ask('/api/result/text')).text).toBe('hello')
  })
})
