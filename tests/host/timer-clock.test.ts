// One timer by a clock of the test: never before its second, never twice at once, and what was missed is one run, straight after.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { RunnableFunction } from '../../host/functions/bindings.ts'
import { createTimer } from '../../host/functions/timers.ts'
import { freshFolder } from './running-app.ts'

const begunMs = Date.parse('2026-11-22T13:00:00.400Z')
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: begunMs })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Every second, each run as long as that; its runs by milliseconds since the test began. */
function everySecond(runMs: number) {
  const target = { name: 'tick', binding: { schedule: '* * * * * *' } } as unknown as RunnableFunction
  const runs: number[] = []
  const invoke = async () => {
    runs.push(Date.now() - begunMs)
    if (runMs > 0) await new Promise((resolve) => setTimeout(resolve, runMs))
    return { ok: true as const, returnValue: undefined, raw: undefined }
  }
  const timer = createTimer(target, { invoke, log: () => {}, directory: freshFolder(), env: {} })
  timer.start()
  return { timer, runs }
}

it('at each second', async () => {
  const { timer, runs } = everySecond(0)
  await vi.advanceTimersByTimeAsync(3000)
  expect(runs).toEqual([600, 1600, 2600])
  await timer.stop()
  await vi.advanceTimersByTimeAsync(3000)
  expect(runs).toHaveLength(3)
})

it('not before it, although a timer of Node may be a millisecond early', async () => {
  const { timer, runs } = everySecond(0)
  vi.setSystemTime(begunMs - 1)
  await vi.advanceTimersByTimeAsync(600)
  expect(runs).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(runs).toEqual([600])
  await timer.stop()
})

it('one after another where a run takes longer: what was missed is one run, straight after', async () => {
  const { timer, runs } = everySecond(2300)
  await vi.advanceTimersByTimeAsync(8000)
  // Straight after is a millisecond later.
  expect(runs).toEqual([600, 2901, 5202, 7503])
  const stopped = timer.stop()
  await vi.advanceTimersByTimeAsync(5000)
  await stopped
  expect(runs).toHaveLength(4)
})
