// Timers as they run: on schedule, at start, after a pause of the host, by hand, with retries, never overlapping.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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
  await sleep(5200)
})
afterAll(() => app.stop())

const runs = async (name: string): Promise<Run[]> =>
  (JSON.parse((await app.ask('/api/runs')).text) as Run[]).filter((run) => run.name === name)

describe('on schedule', () => {
  it('every second, at the second; rule 16: with no status', async () => {
    const seen = await runs('everySecond')
    expect(seen.length).toBeGreaterThanOrEqual(4)
    expect(seen.length).toBeLessThanOrEqual(7)
    expect(new Set(seen.map(({ at }) => Math.floor(at / 1000))).size).toBe(seen.length)
    expect(seen.filter(({ at }) => at % 1000 > 900)).toEqual([])
    expect(seen[0]!.timer).toEqual({
      schedule: { adjustForDST: true },
      scheduleStatus: null,
      isPastDue: false,
    })
  })

  it('at an interval, which no daylight saving moves', async () => {
    const seen = await runs('interval')
    expect(seen.length).toBeGreaterThanOrEqual(3)
    expect(seen[0]!.timer.schedule).toEqual({ adjustForDST: false })
  })

  it('never twice at once: what was missed meanwhile is one run, straight after', async () => {
    const [first, second] = await runs('overlapping')
    const gapMs = second!.at - first!.at
    expect(gapMs).toBeGreaterThanOrEqual(2300)
    expect(gapMs).toBeLessThan(2900)
  })

  it('not before it is due, nor when it is switched off', async () => {
    expect(await runs('setting')).toEqual([])
    expect(await runs('off')).toEqual([])
  })
})

describe('at start', () => {
  it('once where it asks for that, with nothing behind it yet', async () => {
    const [only, ...more] = await runs('startup')
    expect(more).toEqual([])
    const never = '0001-01-01T00:00:00+00:00'
    const next = `${new Date().getUTCFullYear() + 1}-01-01T00:00:00+00:00`
    expect(only!.timer.scheduleStatus).toEqual({ last: never, next, lastUpdated: never })
    expect(only!.timer.isPastDue).toBe(false)
  })

  it('rule 16: once for all runs that were missed, and says so', async () => {
    const [only, ...more] = await runs('hourly')
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
    expect(read('hourly').nextMs).toBeGreaterThanOrEqual(lastHourMs + hourMs)
    expect(read('setting')).toMatchObject({ lastMs: neverMs })
    expect(() => read('everysecond')).toThrow(/ENOENT/)
    expect(() => read('unmonitored')).toThrow(/ENOENT/)
    expect((await runs('unmonitored'))[0]!.timer.scheduleStatus).toBeNull()
  })
})

it('retries by its options, with one invocation id', async () => {
  const seen = await runs('failing')
  expect(
    seen.map(({ retry }) => [retry!.retryCount, retry!.maxRetryCount, retry!.exception?.message]),
  ).toEqual([
    [0, 2, undefined],
    [1, 2, 'not this time'],
    [2, 2, 'not this time'],
  ])
  expect(new Set(seen.map(({ id }) => id)).size).toBe(1)
  expect(seen[1]!.at - seen[0]!.at).toBeGreaterThanOrEqual(990)
  expect(app.log()).toMatch(/Function\.failing {2}Failed: not this time/)
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
