// How busy a machine says that it is: by the time of all its cores, and by units that it has really made.
import { expect, test } from 'vitest'
import { createCpu, createSpeed } from '../../worker/load.ts'

const core = (busy: number, idle: number) => ({ times: { user: busy, nice: 0, sys: 0, irq: 0, idle } })

test('the share of all cores since the look before', () => {
  let cores = [core(1000, 9000), core(500, 9500)]
  const cpu = createCpu(() => cores)
  // Nothing has passed.
  expect(cpu()).toBe(0)
  cores = [core(2000, 9000), core(500, 10_500)]
  expect(cpu()).toBe(0.5)
  cores = [core(3000, 9000), core(1500, 10_500)]
  expect(cpu()).toBe(1)
  cores = [core(3000, 10_000), core(1500, 11_500)]
  expect(cpu()).toBe(0)
})

test('this machine, at work, is busier than nothing', async () => {
  const cpu = createCpu()
  for (const before = process.cpuUsage(); process.cpuUsage(before).user < 300_000; );
  const busy = cpu()
  expect(busy).toBeGreaterThan(0)
  expect(busy).toBeLessThanOrEqual(1)
})

test('the speed follows the last units, and nothing is made of nothing', () => {
  const speed = createSpeed()
  speed.add({ pixels: 0, ms: 1000 })
  speed.add({ pixels: 1000, ms: 0 })
  expect(speed.read()).toBeUndefined()
  speed.add({ pixels: 50e6, ms: 1000 })
  expect(speed.read()).toBe(50e6)
  for (let n = 0; n < 20; n++) speed.add({ pixels: 200e6, ms: 2000 })
  expect(speed.read()).toBeGreaterThan(99e6)
  expect(speed.read()).toBeLessThanOrEqual(100e6)
})
