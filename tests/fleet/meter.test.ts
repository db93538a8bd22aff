// What is served is counted in bounded memory, and told seldom, on the way of answers and never in their way.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LogFields } from '../../shared/core/log.ts'
import { systemRandom } from '../../shared/core/random.ts'
import { createGauge } from '../../shared/fleet/gauge.ts'
import { createMeter } from '../../shared/fleet/meter.ts'
import type { Gauge } from '../../shared/fleet/ports.ts'
import { type FleetOnCosmos, startFleet } from './stores.ts'

function settable(startMs = 1_700_000_000_000) {
  let nowMs = startMs
  const advance = (ms: number): void => {
    nowMs += ms
  }
  return { now: () => nowMs, advance }
}

describe('the meter', () => {
  test('a session counts for a minute from when it was last served', () => {
    const clock = settable()
    const meter = createMeter(clock)
    meter.served('a', 1)
    clock.advance(30_000)
    meter.served('b', 1)
    meter.served('b', 1)
    expect(meter.read().sessions).toBe(2)
    clock.advance(29_999)
    expect(meter.read().sessions).toBe(2)
    meter.served('a', 0)
    clock.advance(30_001)
    expect(meter.read().sessions).toBe(1)
    clock.advance(60_000)
    expect(meter.read()).toEqual({ sessions: 0, bytesPerSecond: 0 })
  })

  test('bytes per second are those of the last seconds that are over', () => {
    const clock = settable()
    const meter = createMeter(clock)
    for (let second = 0; second < 40; second++) {
      for (let n = 0; n < 10; n++) meter.served(`s${n}`, 1000)
      clock.advance(1000)
    }
    expect(meter.read().bytesPerSecond).toBe(10_000)
    clock.advance(15_000)
    expect(meter.read().bytesPerSecond).toBe(0)
  })

  test('it counts as a list of all that was served would', () => {
    const steps = fc.array(
      fc.record({ id: fc.integer({ min: 0, max: 20 }), bytes: fc.nat(1e6), afterMs: fc.nat(20_000) }),
      { maxLength: 80 },
    )
    fc.assert(
      fc.property(steps, (all) => {
        const clock = settable()
        const meter = createMeter(clock)
        const list: Array<{ id: number; bytes: number; atMs: number }> = []
        for (const { id, bytes, afterMs } of all) {
          clock.advance(afterMs)
          meter.served(String(id), bytes)
          list.push({ id, bytes, atMs: clock.now() })
          const nowSecond = Math.floor(clock.now() / 1000)
          const recent = list.filter(({ atMs }) => clock.now() - atMs < 60_000)
          const counted = list.filter(({ atMs }) => {
            const second = Math.floor(atMs / 1000)
            return second < nowSecond && second >= nowSecond - 15
          })
          const bytesPerSecond = Math.round(counted.reduce((sum, one) => sum + one.bytes, 0) / 15)
          expect(meter.read()).toEqual({
            sessions: new Set(recent.map((one) => one.id)).size,
            bytesPerSecond,
          })
        }
      }),
    )
  })

  test('10,000 sessions are all counted; a flood of them stops at a bound, and memory with it', () => {
    const clock = settable()
    const meter = createMeter(clock)
    for (let n = 0; n < 10_000; n++) meter.served(`session-${n}`, 1)
    expect(meter.read().sessions).toBe(10_000)
    global.gc?.()
    const before = process.memoryUsage().heapUsed
    for (let n = 0; n < 500_000; n++) meter.served(`session-${n}-of-a-flood`, 1)
    expect(meter.read().sessions).toBeGreaterThanOrEqual(45_000)
    expect(meter.read().sessions).toBeLessThanOrEqual(50_000)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200e6)
    // Whoever was served last is counted, and they are forgotten like everybody.
    clock.advance(60_000)
    expect(meter.read().sessions).toBe(0)
  })

  test('a clock that is set back leaves nobody in it for ever', () => {
    const clock = settable()
    const meter = createMeter(clock)
    meter.served('a', 1)
    clock.advance(-3_600_000)
    meter.served('b', 1)
    expect(meter.read().sessions).toBe(1)
  })
})

describe('the gauge', () => {
  let fleet: FleetOnCosmos
  beforeAll(async () => {
    fleet = await startFleet()
  })
  afterAll(() => fleet?.stop())

  function gauge(putGauge: (gauge: Gauge) => Promise<void>) {
    const clock = settable()
    const lines: Array<{ event: string; fields?: LogFields | undefined }> = []
    const puts: Gauge[] = []
    const meter = createMeter(clock)
    const told = createGauge({
      ...{ meter, clock, random: systemRandom },
      store: {
        now: fleet.store.now,
        putGauge: (one) => {
          puts.push(one)
          return putGauge(one)
        },
      },
      log: (_level, event, fields) => void lines.push({ event, fields }),
    })
    return { clock, lines, puts, meter, ...told }
  }

  test('is told at the first answer, then every ten seconds while it serves, and lies in the store', async () => {
    let put = Promise.resolve()
    const { clock, puts, served } = gauge((one) => {
      put = fleet.store.putGauge(one)
      return put
    })
    for (let ms = 0; ms < 35_000; ms += 100) {
      served(`session-${ms % 1000}`, 10_000)
      clock.advance(100)
      // One that is on its way when the next is due is not told a second time.
      await put
      await new Promise(setImmediate)
    }
    expect(await fleet.store.gauges()).toHaveLength(1)
    expect(puts).toHaveLength(4)
    expect(new Set(puts.map(({ id }) => id)).size).toBe(1)
    expect((await fleet.store.gauges())[0]).toMatchObject({ sessions: 10, bytesPerSecond: 100_000 })
    clock.advance(3_600_000)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(puts).toHaveLength(4)
  })

  test('one that can not be told hinders nobody, says so, and is told again', async () => {
    const { clock, lines, puts, served } = gauge(() => Promise.reject(new Error('nobody there')))
    for (let n = 0; n < 3; n++) {
      served('a', 1)
      await new Promise(setImmediate)
      clock.advance(10_000)
    }
    expect(puts).toHaveLength(3)
    expect(lines).toHaveLength(3)
    expect(lines[0]).toEqual({ event: 'fleet.not-gauged', fields: { error: 'Error: nobody there' } })
  })

  test('one that hangs is not told a second time meanwhile', async () => {
    const { clock, puts, served } = gauge(() => new Promise(() => {}))
    for (let n = 0; n < 10; n++) {
      served('a', 1)
      clock.advance(10_000)
    }
    expect(puts).toHaveLength(1)
  })
})
