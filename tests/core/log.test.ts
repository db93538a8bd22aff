// A log line is one JSON object, and what smells of a secret is not in it.
import { expect, test } from 'vitest'
import { logLine } from '../../shared/core/log.ts'

test('fields are shown, secrets are not', () => {
  const line = logLine('upload.completed', {
    assetId: 'ast_1',
    count: 2,
    playUrl: 'https://x/y',
    apiKey: 'k',
    token: 't',
  })
  expect(JSON.parse(line)).toEqual({
    event: 'upload.completed',
    assetId: 'ast_1',
    count: 2,
    playUrl: '•••',
    apiKey: '•••',
    token: '•••',
  })
})

test('a line break in a field does not make a second line', () => {
  expect(logLine('a.b', { detail: 'one\ntwo' })).not.toContain('\n')
})
