// Timers as they run: on schedule, at start, after a pause of the host, by hand, with retries, never overlapping.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { neverMs } from '../../host/functions/timer-status.ts'
import { appFolder, freshFolder, type RunningApp, startApp } from './running-app.ts'

interface Run {
  readonly name: string
  readonly at: number
  readonly id: string
  readonly timer: { isPastDue: boolean; schedule: object; scheduleStatus: Record<string, string> | null }
  readonly retry: { retryCount: number; maxRetryCount: number; exception?: { message: string } } | null
}

const state = freshFolder()
const hourMs = 3_600_000
// Half an hour away from now, so that no run falls into the test.
const minute = (new Date().getUTCMinutes() + 30) % 60
const lastHourMs = Math.floor((Date.now() - minute * 60_000) / hourMs) * hourMs + minute * 60_000
let app: RunningApp
const begunMs = Date.now()
beforeAll(async () => {
  // The host was down for three occurrences of the hourly timer.
  const stored = {
    lastMs: lastHourMs - 3 * hourMs,
    nextMs: lastHourMs - 2 * hourMs,
    lastUpdatedMs: lastHourMs - 3 * hourMs,
  }
  mkdirSync(join(state, 'timers'), { recursive: true })
  writeFileSync(join(state, 'timers/hourly.json'), JSON.stringify(stored))
  const env = { HOURLY: `0 ${minute} * * * *`, YEARLY: '0 0 1 1 *', 'AzureWebJobs.off.Disabled': 'true' }
  app = await startApp(appFolder('timers'), { state, env })
})
afterAll(() => app.stop())

const runs = async (name: string): Promise<Run[]> =>
  (JSON.parse((await app.ask('/api/runs')).text) as Run[]).filter((run) => run.name === name)

/** Once there are so many. */
async function atLeast(count: number, name: string): Promise<Run[]> {
  await expect.poll(async () => (await runs(name)).length, { interval: 200 }).toBeGreaterThanOrEqual(count)
  return runs(name)
}

describe('on schedule', () => {
  it('every second, once at most; rule 16: with no status', async () => {
    const seen = await atLeast(4, 'everySecond')
    const seconds = Math.floor(seen.at(-1)!.at / 1000) - Math.floor(begunMs / 1000)
    expect(seen.length).toBeLessThanOrEqual(seconds)
    expect(seen[0]!.timer).toEqual({
      schedule: { adjustForDST: true },
      scheduleStatus: null,
      isPastDue: false,
    })
  })

  it('at an interval, which no daylight saving moves', async () => {
    const seen = await atLeast(3, 'interval')
    expect(seen[0]!.timer.schedule).toEqual({ adjustForDST: false })
  })

  it('never twice at once', async () => {
    const [first, second] = await atLeast(2, 'overlapping')
    // Timers of Node may be a millisecond early.
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(2299)
  })

  it('not before it is due, nor when it is switched off', async () => {
    expect(await runs('setting')).toEqual([])
    expect(await runs('off')).toEqual([])
  })
})

describe('at start', () => {
  it('once where it asks for that, with nothing behind it yet', async () => {
    const [only, ...more] = await atLeast(1, 'startup')
    expect(more).toEqual([])
    const never = '0001-01-01T00:00:00+00:00'
    const newYearAfter = (ms: number) => `${new Date(ms).getUTCFullYear() + 1}-01-01T00:00:00+00:00`
    expect(only!.timer.scheduleStatus).toMatchObject({ last: never, lastUpdated: never })
    expect([begunMs, Date.now()].map(newYearAfter)).toContain(only!.timer.scheduleStatus?.['next'])
    expect(only!.timer.isPastDue).toBe(false)
  })

  it('rule 16: once for all runs that were missed, and says so', async () => {
    const [only, ...more] = await atLeast(1, 'hourly')
    expect(more).toEqual([])
    expect(only!.timer.isPastDue).toBe(true)
    const iso = (ms: number) => new Date(ms).toISOString().replace('.000Z', '+00:00')
    expect(only!.timer.scheduleStatus).toMatchObject({
      last: iso(lastHourMs - 3 * hourMs),
      next: iso(lastHourMs - 2 * hourMs),
    })
  })

  it('writes down what it must remember, and nothing of what it need not', async () => {
    const read = (name: string) => JSON.parse(readFileSync(join(state, 'timers', `${name}.json`), 'utf8'))
    await expect.poll(() => read('hourly').nextMs).toBeGreaterThanOrEqual(lastHourMs + hourMs)
    expect(read('setting')).toMatchObject({ lastMs: neverMs })
    expect(() => read('everysecond')).toThrow(/ENOENT/)
    expect(() => read('unmonitored')).toThrow(/ENOENT/)
    expect((await atLeast(1, 'unmonitored'))[0]!.timer.scheduleStatus).toBeNull()
  })
})

it('retries by its options, with one invocation id', async () => {
  const seen = await atLeast(3, 'failing')
  expect(
    seen.map(({ retry }) => [retry!.retryCount, retry!.maxRetryCount, retry!.exception?.message]),
  ).toEqual([
    [0, 2, undefined],
    [1, 2, 'not this time'],
    [2, 2, 'not this time'],
  ])
  expect(new Set(seen.map(({ id }) => id)).size).toBe(1)
  expect(seen[1]!.at - seen[0]!.at).toBeGreaterThanOrEqual(990)
  await expect.poll(() => app.log()).toMatch(/Function\.failing {2}Failed: not this time/)
})

describe('by hand', () => {
  const fire = (name: string, headers: Record<string, string>, body = '{"input":"x"}') =>
    app.ask(`/admin/functions/${name}`, { method: 'POST', headers, body }).then(({ status }) => status)
  const type = { 'content-type': 'application/json' }

  it('runs at once, off schedule', async () => {
    expect(await fire('setting', type)).toBe(202)
    await expect.poll(() => runs('setting')).toHaveLength(1)
    expect((await runs('setting'))[0]!.timer.isPastDue).toBe(false)
  })

  it('needs a JSON content type and a function of that name', async () => {
    expect(await fire('setting', {})).toBe(415)
    expect(await fire('nope', type)).toBe(404)
    expect(await fire('setting', type, '{')).toBe(400)
    expect(await fire('runs', type)).toBe(202)
    await expect.poll(() => app.log()).toMatch(/Only timers can be fired by hand; 'runs' has a httpTrigger/)
  })
})
