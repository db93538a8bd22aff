// What a request to an edge is for is read as the Functions host reads it: whatever somebody writes, both mean the same thing.
import { request } from 'node:http'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { matchTemplate } from '../../host/functions/match.ts'
import { readRequestPath } from '../../host/functions/request-path.ts'
import { parseTemplate } from '../../host/functions/template.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { play } from '../../shared/http/play.ts'
import { whole } from '../../shared/http/whole.ts'
import { type Listener, listen } from '../../worker/listener.ts'
import { readTarget } from '../../worker/target.ts'

const template = parseTemplate(play.path)

type Read = { token: string; path: string } | 'nothing' | undefined

/** By the host's own rules. */
function byHost(target: string): Read {
  const path = readRequestPath(target)
  if (!path) return undefined
  const values = matchTemplate(template, path.path.slice(1))
  return values ? { token: values['token'] ?? '', path: values['path'] ?? '' } : 'nothing'
}

function byEdge(target: string): Read {
  const read = readTarget(target)
  if (!read) return undefined
  return read.kind === 'play' ? { token: read.token, path: read.path } : 'nothing'
}

/** What lies beyond ASCII is nobody's name: it is only to be nobody's name in both. */
const isForeign = (read: Read): boolean =>
  typeof read === 'object' && /[^\x20-\x7e]|%/.test(read.token + read.path)

const piece = fc.constantFrom(
  ...[
    '/',
    '//',
    '.',
    '..',
    '%2e',
    '%2E%2e',
    '%2f',
    '%2F',
    '%00',
    '%',
    '%zz',
    '%c3%a9',
    '%ff',
    'é',
    ' ',
    '?x=/y',
    '#',
  ],
  ...[
    'api',
    'API',
    'v1',
    'play',
    'Play',
    'pl%61y',
    'healthz',
    'tok.en',
    'a',
    'master.m3u8',
    '%6daster.m3u8',
    'v720',
    '0.m4s',
  ],
)
const target = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc.array(piece, { maxLength: 8 }).map((pieces) => `/api/v1/play/${pieces.join('')}`),
  fc.array(piece, { maxLength: 6 }).map((pieces) => `http://host.test/api/v1/play/${pieces.join('')}`),
)

test('any target', () => {
  let fits = 0
  fc.assert(
    fc.property(target, (text) => {
      const [host, edge] = [byHost(text), byEdge(text)]
      if (isForeign(host)) expect(isForeign(edge) || edge === undefined).toBe(true)
      else expect(edge).toEqual(host)
      if (typeof edge === 'object') fits++
    }),
    { numRuns: 5000 },
  )
  expect(fits).toBeGreaterThan(500)
})

test.each([
  ['/api/v1/play/t/master.m3u8', { token: 't', path: 'master.m3u8' }],
  ['/API/V1/Play/t/master.m3u8?Headers={}', { token: 't', path: 'master.m3u8' }],
  ['/api/v1/play/t', { token: 't', path: '' }],
  ['/api/v1/play/t/', { token: 't', path: '' }],
  ['/api/v1/play/t/../u/x', { token: 'u', path: 'x' }],
  ['/api/v1/play/t/a%2f..%2fb', { token: 't', path: 'a%2f..%2fb' }],
  ['/api/v1/play/', 'nothing'],
  ['/api/v1/play//x', 'nothing'],
  ['/api/v1/plays/t/x', 'nothing'],
])('%s', (text, expected) => {
  expect(byEdge(text)).toEqual(expected)
  expect(byHost(text)).toEqual(expected)
})

test('its own health', () => {
  expect(readTarget('/api/healthz')).toEqual({ kind: 'health' })
  expect(readTarget('/api/healthz/')).toEqual({ kind: 'health' })
  expect(readTarget('/api/v1/healthz')).toEqual({ kind: 'nothing' })
})

describe('the listener', () => {
  const sizeBytes = 8 << 20
  let listener: Listener
  let isEnding = false
  beforeAll(async () => {
    listener = await listen({
      ...{ host: '127.0.0.1', port: 0, clock: systemClock, mostBytes: 3 * sizeBytes },
      isEnding: () => isEnding,
      answer: async ({ url }) =>
        whole({ status: 200, headers: {}, body: url === '/large' ? Buffer.alloc(sizeBytes, 'x') : 'small' }),
      full: () => whole({ status: 503, headers: { 'retry-after': '5' } }),
    })
  })
  afterAll(() => listener.close())

  const ask = (path: string, headers: Record<string, string> = {}) =>
    new Promise<{
      status: number
      headers: Record<string, unknown>
      read: () => Promise<number>
      end: () => void
    }>((resolve, reject) => {
      const asked = request({ port: listener.port, path, headers, agent: false }, (answer) => {
        const read = async () => {
          let count = 0
          for await (const part of answer) count += (part as Buffer).length
          return count
        }
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, read, end: () => asked.destroy() })
      })
      asked.on('error', reject)
      asked.end()
    })

  test('readers who do not read fill a bounded memory; others are told to come back, and what is small goes out', async () => {
    const slow = [await ask('/large'), await ask('/large'), await ask('/large')]
    expect(slow.map(({ status }) => status)).toEqual([200, 200, 200])
    expect((await ask('/large')).status).toBe(503)
    slow[0]?.end()
    await expect.poll(listener.inFlight).toBe(2)
    const next = await ask('/large')
    expect(next.status).toBe(200)
    expect(await next.read()).toBe(sizeBytes)
    expect(await slow[1]?.read()).toBe(sizeBytes)
    slow[2]?.end()
    await expect.poll(listener.inFlight).toBe(0)
    expect(await (await ask('/small')).read()).toBe(5)
  })

  test('headers are bounded', async () => {
    expect((await ask('/small', { 'x-long': 'x'.repeat(20_000) })).status).toBe(200)
    expect((await ask('/small', { 'x-long': 'x'.repeat(40_000) })).status).toBe(431)
  })

  test('connections stay for the next request, unless it ends', async () => {
    const kept = await ask('/small', { connection: 'keep-alive' })
    expect(kept.headers['connection']).toBe('keep-alive')
    isEnding = true
    expect((await ask('/small', { connection: 'keep-alive' })).headers['connection']).toBe('close')
    isEnding = false
  })
})
