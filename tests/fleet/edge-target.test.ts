// What a request to an edge is for is read as the Functions host reads it: whatever somebody writes, both mean the same thing.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchTemplate } from '../../host/functions/match.ts'
import { readRequestPath } from '../../host/functions/request-path.ts'
import { parseTemplate } from '../../host/functions/template.ts'
import { play } from '../../shared/http/play.ts'
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
