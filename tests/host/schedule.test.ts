// When NCRONTAB expressions and intervals are due, and what a timer makes of the runs that it missed (rule 16).
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseNcrontab } from '../../host/functions/ncrontab.ts'
import { pauseMs } from '../../host/functions/retry.ts'
import { parseSchedule } from '../../host/functions/schedule.ts'
import { afterRun, formatTime, neverMs, resumeStatus } from '../../host/functions/timer-status.ts'

const at = (text: string): number => Date.parse(text)
const nexts = (expression: string, from: string, count = 3): string[] => {
  const cron = parseNcrontab(expression)!
  const times: string[] = []
  for (let ms = at(from); times.length < count; ) {
    ms = cron.next(ms)!
    times.push(new Date(ms).toISOString().replace('.000Z', 'Z'))
  }
  return times
}

describe('NCRONTAB', () => {
  it.each([
    [
      '*/15 * * * * *',
      '2026-11-22T13:42:00Z',
      ['2026-11-22T13:42:15Z', '2026-11-22T13:42:30Z', '2026-11-22T13:42:45Z'],
    ],
    [
      '*/20 * * * *',
      '2026-11-22T13:42:00.500Z',
      ['2026-11-22T14:00:00Z', '2026-11-22T14:20:00Z', '2026-11-22T14:40:00Z'],
    ],
    [
      '0 0 9-17/4 * * Mon-Fri',
      '2026-11-20T13:00:00Z',
      ['2026-11-20T17:00:00Z', '2026-11-23T09:00:00Z', '2026-11-23T13:00:00Z'],
    ],
    [
      '0 30 8 1 Jan,jul *',
      '2026-11-22T00:00:00Z',
      ['2027-01-01T08:30:00Z', '2027-07-01T08:30:00Z', '2028-01-01T08:30:00Z'],
    ],
    [
      '0 0 0 29 2 *',
      '2026-01-01T00:00:00Z',
      ['2028-02-29T00:00:00Z', '2032-02-29T00:00:00Z', '2036-02-29T00:00:00Z'],
    ],
    [
      '0 0 0 13 * 5',
      '2026-01-01T00:00:00Z',
      ['2026-02-13T00:00:00Z', '2026-03-13T00:00:00Z', '2026-11-13T00:00:00Z'],
    ],
    [
      '5/25 30-10/20 0 * * *',
      '2026-01-01T00:00:00Z',
      ['2026-01-01T00:10:05Z', '2026-01-01T00:10:30Z', '2026-01-01T00:10:55Z'],
    ],
    [
      '59 59 23 31 12 *',
      '2026-12-31T23:59:59Z',
      ['2027-12-31T23:59:59Z', '2028-12-31T23:59:59Z', '2029-12-31T23:59:59Z'],
    ],
  ])('%s', (expression, from, expected) => {
    expect(nexts(expression, from)).toEqual(expected)
  })

  it.each([
    '',
    '* * * *',
    '60 * * * *',
    '* * * * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 7',
    '*/0 * * * *',
    '1-2-3 * * * *',
    'a * * * *',
    '1, * * * *',
    '? * * * *',
    '* * * * Funday',
  ])('%j is none', (expression) => expect(parseNcrontab(expression)).toBeUndefined())

  it('knows that some days never come', () => {
    expect(parseNcrontab('0 0 30 2 *')!.next(at('2026-01-01T00:00:00Z'))).toBeUndefined()
  })

  it('is always later, and never skips an occurrence', () => {
    const cron = parseNcrontab('*/7 */9 */5 * * *')!
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (ms) => {
        const next = cron.next(ms)!
        expect(next).toBeGreaterThan(ms)
        expect(cron.next(next - 1)).toBe(next)
        expect(cron.next(Math.floor((ms + next) / 2))).toBe(next)
      }),
    )
  })

  it.each([
    ['*/10 * * * * *', true],
    ['0 * * * * *', false],
    ['*/10 0 * * * *', false],
    ['* * * * *', false],
  ])('%s runs more often than once a minute: %s', (expression, expected) => {
    expect(parseNcrontab(expression)!.isSubMinute).toBe(expected)
  })
})

describe('a schedule', () => {
  it('is an interval where it is a time span', () => {
    const schedule = parseSchedule('t', '%EVERY%', { EVERY: '00:01:30' })
    expect([schedule.next(1000), schedule.adjustForDst, schedule.isSubMinute]).toEqual([91_000, false, false])
    expect(parseSchedule('t', '00:00:59', {}).isSubMinute).toBe(true)
  })

  it.each(['not a cron', '', '00:00:00', '-00:00:05', '%NOPE%'])('%j stops the start', (expression) => {
    expect(() => parseSchedule('t', expression, {})).toThrow(/'t'|%NOPE%/)
  })
})

describe('what a timer remembers', () => {
  const hourly = parseSchedule('t', '0 0 * * * *', {})
  const now = at('2026-11-22T13:30:00Z')

  it('is nothing at first', () => {
    const { status, isPastDue } = resumeStatus(undefined, hourly, now)
    expect([isPastDue, formatTime(status.lastMs), formatTime(status.nextMs)]).toEqual([
      false,
      '0001-01-01T00:00:00+00:00',
      '2026-11-22T14:00:00+00:00',
    ])
  })

  it('makes a missed run past due, once however many were missed', () => {
    const stored = afterRun(hourly, at('2026-11-22T09:00:00.002Z'))
    const resumed = resumeStatus(stored, hourly, now)
    expect(resumed).toEqual({ status: stored, isPastDue: true })
    expect(formatTime(afterRun(hourly, now).nextMs)).toBe('2026-11-22T14:00:00+00:00')
    expect(formatTime(stored.lastMs)).toBe('2026-11-22T09:00:00.002+00:00')
  })

  it('remembers a first occurrence that never came', () => {
    const stored = {
      lastMs: neverMs,
      nextMs: at('2026-11-22T13:00:00Z'),
      lastUpdatedMs: at('2026-11-22T12:10:00Z'),
    }
    expect(resumeStatus(stored, hourly, now).isPastDue).toBe(true)
  })

  it('owes nothing for a schedule that has changed', () => {
    const stored = afterRun(parseSchedule('t', '0 15 * * * *', {}), at('2026-11-22T09:15:00Z'))
    const { status, isPastDue } = resumeStatus(stored, hourly, now)
    expect([isPastDue, formatTime(status.nextMs)]).toEqual([false, '2026-11-22T14:00:00+00:00'])
  })
})

it('waits between retries by the strategy', () => {
  const fixed = { maxRetryCount: 3, retryStrategy: 'fixedDelay', delayInterval: { seconds: 2 } } as const
  const growing = {
    maxRetryCount: 5,
    retryStrategy: 'exponentialBackoff',
    minimumInterval: { seconds: 1 },
    maximumInterval: { seconds: 5 },
  } as const
  expect([1, 2, 3].map((count) => pauseMs(fixed, count))).toEqual([2000, 2000, 2000])
  expect([1, 2, 3, 4].map((count) => pauseMs(growing, count))).toEqual([1000, 2000, 4000, 5000])
})
