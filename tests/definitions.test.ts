// What the stages declare fits the Functions host: no route shadows another, no name clashes, every activity exists.
import { describe, expect, test } from 'vitest'
import { ops } from '../functions/ops.ts'
import { definitionsFor } from '../functions/stages.ts'
import host from '../host.json' with { type: 'json' }
import { stages } from '../shared/config/index.ts'
import { settings } from '../shared/config/schema.ts'
import { activityNames as encodeNames } from '../shared/encode/work.ts'
import { activityNames as fleetNames } from '../shared/fleet/work.ts'
import { templateParams } from '../shared/http/route.ts'
import { activityNames as protectNames } from '../shared/protect/work.ts'

const all = definitionsFor(new Set(stages))
const routes = all.filter((definition) => definition.kind === 'http')
const activities = all.filter((definition) => definition.kind === 'activity')

const segments = (path: string) => path.toLowerCase().split('/')

/** Whether some path fits both templates: the host takes the first in the order of names, whichever is meant. */
function overlap(a: string, b: string): boolean {
  const [left, right] = [segments(a), segments(b)]
  for (let n = 0; n < Math.max(left.length, right.length); n++) {
    const [one, other] = [left[n], right[n]]
    if (one?.startsWith('{*') || other?.startsWith('{*')) return true
    if (one === undefined || other === undefined) return false
    if (one.startsWith('{') || other.startsWith('{')) continue
    if (one !== other) return false
  }
  return true
}

describe('routes', () => {
  test('a clash would be seen', () => {
    expect(overlap('a/{x}/c', 'a/b/{y}')).toBe(true)
    expect(overlap('a/{*rest}', 'a/b/c')).toBe(true)
    expect(overlap('a/{x}', 'a/b/c')).toBe(false)
  })

  test('no two match the same path and method', () => {
    const clashes = routes.flatMap((a, n) =>
      routes
        .slice(n + 1)
        .filter((b) => a.methods.some((method) => b.methods.includes(method)) && overlap(a.path, b.path))
        .map((b) => `${a.name} and ${b.name}`),
    )
    expect(clashes).toEqual([])
  })

  test('no leading slash, no optional parameter, declared methods', () => {
    for (const { path, methods, name } of routes) {
      expect(path, name).not.toMatch(/^\/|\/\/|\{\w+[?=]/)
      expect(methods.length, name).toBeGreaterThan(0)
      expect(
        templateParams(path).every((param) => /^[a-zA-Z]+$/.test(param)),
        name,
      ).toBe(true)
    }
  })

  test('one function owns all below play/', () => {
    expect(routes.filter(({ path }) => path.includes('/play/')).map(({ name }) => name)).toEqual([
      'deliver-play',
    ])
  })
})

test('names say their stage, and differ by more than case', () => {
  const names = all.map(({ name }) => name.toLowerCase())
  expect(new Set(names).size).toBe(names.length)
  for (const name of names)
    expect(name).toMatch(/^(tenants|upload|assets|encode|protect|deliver|fleet|webhooks|ops)-[a-z-]+$/)
})

test('the contract is made once, since anybody may ask for it', async () => {
  let made = 0
  const [route] = ops(() => ({ made: ++made })).definitions.filter(({ name }) => name === 'ops-openapi')
  const answer = async () => route?.kind === 'http' && (await route.run({} as never))
  expect(await answer()).toMatchObject({ status: 200, body: '{"made":1}' })
  expect(await answer()).toMatchObject({ status: 200, body: '{"made":1}' })
})

test('every activity that an orchestration may call is declared, and no other', () => {
  // The real host leaves an orchestration running for ever when it calls a name that is not there.
  const called = [encodeNames, protectNames, fleetNames].flatMap((names) => Object.values(names) as string[])
  expect(activities.map(({ name }) => name).sort()).toEqual(called.sort())
})

test('host.json is set for work that must start within seconds, and for versions to come', () => {
  const { durableTask } = host.extensions
  expect(durableTask.defaultVersion).toMatch(/^\d+\.\d+\.\d+$/)
  // The default is 10 × cores: every activity here is an ffmpeg that uses them all.
  expect(durableTask.maxConcurrentActivityFunctions).toBeLessThanOrEqual(4)
  // The default of 30 s is how late an idle app would take up work.
  expect(durableTask.storageProvider.maxQueuePollingInterval).toBe('00:00:02')
  expect(host.functionTimeout > '00:20:00').toBe(true)
})

test('a unit of work ends by itself before the host would end the worker', () => {
  const seconds = (value: number) => settings.shape.ENCODE_UNIT_SECONDS.safeParse(value).success
  const [hours = 0, minutes = 0] = host.functionTimeout.split(':').map(Number)
  const timeoutSeconds = hours * 3600 + minutes * 60
  expect(seconds(1200)).toBe(true)
  // Five minutes are left to read the plan before, and to seal and store after.
  expect([seconds(timeoutSeconds - 300), seconds(timeoutSeconds - 299)]).toEqual([true, false])
})

test('the telemetry of the host names functions, never paths: a token rides in them', () => {
  const { logLevel, applicationInsights } = host.logging
  // Its own collection of requests records their URL, also of those that reach no function.
  expect(applicationInsights.httpAutoCollectionOptions.enableHttpTriggerExtendedInfoCollection).toBe(false)
  // The host hands a request to the worker by HTTP, which counts as a dependency, with its URL.
  expect(applicationInsights.enableDependencyTracking).toBe(false)
  // These write a line with the path for each request at the level Information.
  for (const category of [
    'Microsoft.AspNetCore',
    'Microsoft.Azure.WebJobs.Script.WebHost.Middleware',
    'Yarp',
  ] as const)
    expect([category, logLevel[category]]).toEqual([category, 'Warning'])
  // Another mode of telemetry heeds none of these.
  expect(host).not.toHaveProperty('telemetryMode')
})
