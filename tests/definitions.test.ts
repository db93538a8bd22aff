// What the stages declare fits the Functions host: no route shadows another, no name clashes, every activity exists.
import { describe, expect, test } from 'vitest'
import { definitionsFor } from '../functions/stages.ts'
import host from '../host.json' with { type: 'json' }
import { stages } from '../shared/config/index.ts'
import { activityNames } from '../shared/encode/work.ts'
import { templateParams } from '../shared/http/route.ts'

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
    expect(name).toMatch(/^(tenants|upload|assets|encode|protect|deliver|ops)-[a-z-]+$/)
})

test('every activity that an orchestration may call is declared, and no other', () => {
  // The real host leaves an orchestration running for ever when it calls a name that is not there.
  expect(activities.map(({ name }) => name).sort()).toEqual(Object.values(activityNames).sort())
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
