// How an instance of the app tells what it serves: on the way of answers themselves, seldom, and never in their way.
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Random } from '../core/random.ts'
import type { Meter } from './meter.ts'
import type { FleetStore } from './ports.ts'

const everyMs = 10_000

export interface GaugeDeps {
  readonly meter: Meter
  readonly store: Pick<FleetStore, 'now' | 'putGauge'>
  readonly clock: Pick<Clock, 'now'>
  readonly random: Random
  readonly log: Log
}

/** No timer: an instance that serves nothing says nothing, and what it said before grows old. */
export function createGauge({ meter, store, clock, random, log }: GaugeDeps): Pick<Meter, 'served'> {
  const id = `gauge-${Buffer.from(random.bytes(10)).toString('hex')}`
  let toldAtMs: number | undefined
  let isTelling = false

  async function tell(): Promise<void> {
    isTelling = true
    try {
      const { sessions, bytesPerSecond } = meter.read()
      await store.putGauge({
        ...{ id, pool: 'edge', type: 'gauge', schema: 1 },
        ...{ atMs: store.now(), sessions, bytesPerSecond },
      })
    } catch (error) {
      log('warn', 'fleet.not-gauged', { error: String(error).slice(0, 200) })
    } finally {
      isTelling = false
    }
  }

  return {
    served(sessionId, bytes) {
      meter.served(sessionId, bytes)
      const nowMs = clock.now()
      // The first of all tells too: a premiere begins at once.
      if (isTelling || (toldAtMs !== undefined && Math.abs(nowMs - toldAtMs) < everyMs)) return
      toldAtMs = nowMs
      void tell()
    },
  }
}
