// The cache of what was looked up a moment ago: age, single flight, bound, and what is not kept.
import { expect, test } from 'vitest'
import { Problem } from '../../shared/core/problem.ts'
import { createRecent } from '../../shared/core/recent.ts'

function setUp(options: Partial<Parameters<typeof createRecent<string>>[0]> = {}) {
  const time = { now: 0 }
  const clock = { now: () => time.now }
  const recent = createRecent<string>({ clock, maxAgeMs: 1000, maxWeight: 3, ...options })
  const loads: string[] = []
  const get = (key: string, value = key) =>
    recent.get(key, async () => {
      loads.push(key)
      return value
    })
  return { time, recent, loads, get }
}

test('is asked once within its age, counted from the question', async () => {
  const { time, recent, loads, get } = setUp()
  const slow = recent.get('a', async () => {
    loads.push('a')
    await new Promise((resolve) => setImmediate(resolve))
    time.now = 900
    return 'slow'
  })
  expect(await Promise.all([slow, get('a'), get('a')])).toEqual(['slow', 'slow', 'slow'])
  time.now = 999
  expect(await get('a')).toBe('slow')
  time.now = 1000
  expect(await get('a')).toBe('a')
  expect(loads).toEqual(['a', 'a'])
})

test('holds no more than its bound, and lets go what was not used for longest', async () => {
  const { loads, get } = setUp({ maxAgeMs: Number.POSITIVE_INFINITY, weigh: (value) => value.length })
  for (const key of ['a', 'b', 'c', 'a', 'd']) await get(key)
  expect(loads).toEqual(['a', 'b', 'c', 'd'])
  for (const key of ['a', 'c', 'd', 'b']) await get(key)
  expect(loads).toEqual(['a', 'b', 'c', 'd', 'b'])
  await get('huge', 'xxxx')
  await get('huge', 'xxxx')
  expect(loads.filter((key) => key === 'huge')).toHaveLength(2)
})

test('keeps no failure, nothing that is not worth it, and nothing that was dropped on its way', async () => {
  const { recent, loads, get } = setUp({ keep: (value) => value !== 'no' })
  await expect(recent.get('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away')
  expect(await get('a', 'no')).toBe('no')
  expect(await get('a', 'yes')).toBe('yes')
  const flight = get('b/1')
  recent.drop('b/1')
  expect(await flight).toBe('b/1')
  await get('b/1')
  await get('b/1')
  recent.dropBelow('b/')
  await get('b/1')
  expect(loads).toEqual(['a', 'a', 'b/1', 'b/1', 'b/1'])
})

test('goes on with the last answer for its grace while nobody can be asked, or nobody answers', async () => {
  const time = { now: 0 }
  const impatient = { now: () => time.now, wait: async () => {} }
  const recent = createRecent<string>({
    ...{ clock: impatient, maxAgeMs: 1000, maxWeight: 3 },
    grace: { maxAgeMs: 5000, clock: impatient },
  })
  const away = () => Promise.reject(new Problem('unavailable'))
  const silent = () => new Promise<string>(() => {})
  await expect(recent.get('a', away)).rejects.toMatchObject({ code: 'unavailable' })
  expect(await recent.get('a', async () => 'first')).toBe('first')
  for (const [now, load] of [
    [1000, away],
    [2500, silent],
    [4999, away],
  ] as const) {
    time.now = now
    expect(await recent.get('a', load)).toBe('first')
  }
  time.now = 6000
  await expect(recent.get('a', away)).rejects.toMatchObject({ code: 'unavailable' })
  expect(await recent.get('a', async () => 'second')).toBe('second')
  time.now = 7000
  const broken = () => Promise.reject(new Error('not a document'))
  await expect(recent.get('a', broken), 'what is wrong is not hidden').rejects.toThrow('not a document')
})

test('is asked again once the clock was set back, since nobody knows how old it is', async () => {
  const { time, loads, get } = setUp()
  time.now = 3_600_000
  await get('a')
  await get('a')
  expect(loads).toEqual(['a'])
  time.now = 0
  await get('a')
  expect(loads).toEqual(['a', 'a'])
  time.now = 999
  await get('a')
  expect(loads).toEqual(['a', 'a'])
})
