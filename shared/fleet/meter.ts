// What one process serves now: the sessions that it answered in the last minute, and the bytes that it sends in a second.
import type { Clock } from '../core/clock.ts'

const sessionMs = 60_000
/** Ten times what a machine serves; beyond it the count stands still, and memory does too. */
const mostSessions = 50_000
/** Players fetch a segment, then nothing for seconds: bytes are counted over several of those. */
const rateSeconds = 15

export interface Serving {
  readonly sessions: number
  readonly bytesPerSecond: number
}

export interface Meter {
  served(sessionId: string, bytes: number): void
  read(): Serving
}

export function createMeter(clock: Pick<Clock, 'now'>): Meter {
  // A Map keeps the order of insertion: whoever is served moves to the end, so the first is the longest silent.
  const seen = new Map<string, number>()
  /** Bytes of one second each, the one that runs too; a slot is cleared when its second comes round again. */
  const slots = Array.from({ length: rateSeconds + 1 }, () => ({
    second: Number.NEGATIVE_INFINITY,
    bytes: 0,
  }))
  const slotOf = (second: number) => slots[second % slots.length]

  function forget(nowMs: number, most = mostSessions): void {
    for (const [id, atMs] of seen) {
      // A clock that was set back makes sessions of the future: nobody knows how old those are.
      if (seen.size <= most && nowMs - atMs < sessionMs && atMs <= nowMs) return
      seen.delete(id)
    }
  }

  return {
    served(sessionId, bytes) {
      const nowMs = clock.now()
      seen.delete(sessionId)
      seen.set(sessionId, nowMs)
      // Many at once: a Map steps over all that were deleted before it comes to its first.
      if (seen.size > mostSessions) forget(nowMs, 0.9 * mostSessions)
      const second = Math.floor(nowMs / 1000)
      const slot = slotOf(second)
      if (!slot) return
      if (slot.second !== second) Object.assign(slot, { second, bytes: 0 })
      slot.bytes += bytes
    },
    read() {
      const nowMs = clock.now()
      forget(nowMs)
      const second = Math.floor(nowMs / 1000)
      // The seconds that are over: the one that runs is not whole.
      const bytes = slots
        .filter((slot) => slot.second < second && slot.second >= second - rateSeconds)
        .reduce((sum, slot) => sum + slot.bytes, 0)
      return { sessions: seen.size, bytesPerSecond: Math.round(bytes / rateSeconds) }
    },
  }
}
