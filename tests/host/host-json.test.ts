// What host.json, its overrides and local settings are taken for, and which mistakes stop the start.
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseHostJson, resolveSetting } from '../../host/functions/host-json.ts'
import { createLog } from '../../host/functions/log.ts'
import { applySettings, readLocalSettings } from '../../host/functions/settings.ts'
import { parseTimeSpan } from '../../host/functions/time-span.ts'
import { freshFolder } from './running-app.ts'

const parse = (json: object, env = {}) => parseHostJson(JSON.stringify(json), env)

describe('host.json', () => {
  it('has the real host’s defaults', () => {
    expect(parse({ version: '2.0' })).toMatchObject({
      routePrefix: 'api',
      functionTimeoutSeconds: 1800,
      maxConcurrentRequests: -1,
      durable: { hubName: 'TestHubName', maxConcurrentActivities: 10 * availableParallelism() },
      unknownKeys: [],
    })
  })

  it('says what it says', () => {
    const json = {
      version: '2.0',
      functionTimeout: '-1',
      mistake: 1,
      extensions: {
        http: { routePrefix: '/v1/', customHeaders: { a: 'b' } },
        durableTask: { hubName: '%HUB%', maxConcurrentActivityFunctions: 3, defaultVersion: '1.0' },
      },
    }
    expect(parse(json, { HUB: 'MyHub' })).toMatchObject({
      routePrefix: 'v1',
      functionTimeoutSeconds: undefined,
      customHeaders: { a: 'b' },
      unknownKeys: ['mistake'],
      durable: { hubName: 'MyHub', maxConcurrentActivities: 3, defaultVersion: '1.0' },
    })
  })

  it('yields to AzureFunctionsJobHost__ settings', () => {
    const env = {
      AzureFunctionsJobHost__functionTimeout: '00:10:00',
      AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions: '2',
      AzureFunctionsJobHost__functions__0: 'only',
    }
    expect(parse({ version: '2.0', functionTimeout: '00:05:00' }, env)).toMatchObject({
      functionTimeoutSeconds: 600,
      functions: ['only'],
      durable: { maxConcurrentActivities: 2 },
    })
  })

  it.each([
    ['{', /not valid JSON/],
    ['[]', /must be a JSON object/],
    ['{}', /version/],
    ['{"version":"3.0"}', /version/],
    ['{"version":"2.0","functionTimeout":"soon"}', /functionTimeout: must be a time span/],
    ['{"version":"2.0","extensions":{"http":{"routePrefix":5}}}', /extensions\.http\.routePrefix/],
    ['{"version":"2.0","extensions":{"durableTask":{"maxConcurrentActivityFunctions":0}}}', /maxConcurrent/],
    ['{"version":"2.0","extensions":{"durableTask":{"hubName":"%NOPE%"}}}', /'%NOPE%' does not resolve/],
  ])('%s stops the start', (text, reason) => {
    expect(() => parseHostJson(text, {})).toThrow(reason)
  })
})

describe('local.settings.json', () => {
  const folder = (text: string) => {
    const path = freshFolder()
    writeFileSync(join(path, 'local.settings.json'), text)
    return path
  }

  it('fills the environment without overriding it', () => {
    const local = readLocalSettings(
      folder('{"Values":{"A":"file","B":5,"C":true},"Host":{"LocalHttpPort":7075}}'),
    )
    const env: NodeJS.ProcessEnv = { A: 'real' }
    applySettings(env, local.values)
    expect({ ...env, port: local.port }).toEqual({ A: 'real', B: '5', C: 'true', port: 7075 })
  })

  it.each([
    ['{', /not valid/],
    ['{"IsEncrypted":true}', /encrypted/],
    ['{"Values":{"A":{}}}', /not valid/],
  ])('%s stops the start', (text, reason) => {
    expect(() => readLocalSettings(folder(text))).toThrow(reason)
  })
})

describe('a time span', () => {
  it.each([
    ['00:00:07', 7],
    ['01:30', 5400],
    ['1.02:03:04.5', 93_784.5],
    ['3', 259_200],
    ['-1', -86_400],
    ['-00:00:05', -5],
    ['24:00:00', 2_073_600],
    ['00:60:00', undefined],
    ['1.24:00:00', undefined],
    ['soon', undefined],
    ['', undefined],
  ])('%s', (text, seconds) => {
    expect(parseTimeSpan(text)).toBe(seconds)
  })
})

it('resolves %SETTING% within a text', () => {
  expect(resolveSetting('a-%X%-%Y%', { X: '1', Y: '2' })).toBe('a-1-2')
})

it('writes a log line from the level that the longest category prefix asks for', () => {
  const lines: string[] = []
  const log = createLog({
    lowest: { default: 'Warning', 'Function.loud': 'Trace' },
    write: (line) => lines.push(line),
  })
  log('information', 'Function.quiet', 'not this')
  log('warning', 'Function.quiet', 'this')
  log('trace', 'Function.loud.User', 'and this')
  expect(lines.map((line) => line.replace(/^\S+ /, ''))).toEqual([
    'warning     Function.quiet  this\n',
    'trace       Function.loud.User  and this\n',
  ])
})
