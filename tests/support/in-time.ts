// What holds for so long only: looked at in time, however long a busy machine takes for it, and never across midnight.
import { setTimeout as sleep } from 'node:timers/promises'

/** What fails within its time has failed; what took longer has seen something else, and is tried anew. */
export async function inTime(limitMs: number, attempt: () => Promise<void>): Promise<void> {
  for (;;) {
    const beganMs = Date.now()
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() - beganMs < limitMs) throw error
    }
  }
}

const dayMs = 86_400_000

/** Days and months of UTC are counted anew when they begin: resolves where the next one is `ms` away, or has just begun. */
export async function wellBeforeMidnight(ms: number): Promise<void> {
  const leftMs = dayMs - (Date.now() % dayMs)
  if (leftMs < ms) await sleep(leftMs + 1000)
}
