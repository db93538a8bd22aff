// How requests wait for a place, and which are turned away.
import { expect, it } from 'vitest'
import { createThrottle } from '../../host/functions/throttle.ts'

it('runs as many as allowed, queues up to the limit and refuses the rest', async () => {
  const { run } = createThrottle(2, 4)
  const release: (() => void)[] = []
  let active = 0
  let most = 0
  const work = async () => {
    most = Math.max(most, ++active)
    await new Promise<void>((done) => release.push(done))
    active--
  }
  const results = Array.from({ length: 8 }, () => run(work))
  expect(await Promise.all(results.slice(4))).toEqual([false, false, false, false])
  for (let count = 0; count < 4; count++) {
    release.shift()!()
    await new Promise((done) => setImmediate(done))
  }
  expect(await Promise.all(results.slice(0, 4))).toEqual([true, true, true, true])
  expect([most, active]).toEqual([2, 0])
})

it('frees the place of work that throws', async () => {
  const { run } = createThrottle(1, 1)
  await expect(run(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await run(async () => {})).toBe(true)
})

it('has no limit at -1', async () => {
  const { run } = createThrottle(-1, -1)
  expect(await Promise.all(Array.from({ length: 300 }, () => run(async () => {})))).not.toContain(false)
})
