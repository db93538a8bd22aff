// What of the host's parameters a route believes: its own template's, and nothing that a caller mixed in.
import { expect, test } from 'vitest'
import { routeParams } from '../../shared/http/route.ts'

const play = 'api/v1/play/{token}/{*path}'

test('a path fills the parameters of its template', () => {
  const given = { token: 't', path: 'v720/0.m4s' }
  expect(routeParams(play, '/api/v1/play/t/v720/0.m4s', given)).toEqual(given)
  expect(routeParams('console/{*path}', '/console/main.js', { path: 'main.js' })).toEqual({ path: 'main.js' })
  expect(routeParams('api/v1/assets/{assetId}', '/api/v1/assets/a', { assetId: 'a' })).toEqual({
    assetId: 'a',
  })
})

test('query keys and body fields are no parameters, not even of an empty catch-all', () => {
  expect(routeParams(play, '/api/v1/play/t', { token: 't', path: 'master.m3u8', x: 'y' })).toEqual({
    token: 't',
    path: '',
  })
  expect(routeParams('console/{*path}', '/console/', { path: 'main.js' })).toEqual({ path: '' })
  expect(routeParams('console/{*path}', '/console', { path: 'main.js' })).toEqual({ path: '' })
})
