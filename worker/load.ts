// How busy a machine is: the share of its cores that worked since the last look, and how fast it makes pictures.
import { cpus } from 'node:os'

interface Core {
  readonly times: Readonly<Record<'user' | 'nice' | 'sys' | 'idle' | 'irq', number>>
}

/** Of all cores, 0 to 1, between two calls. */
export function createCpu(read: () => readonly Core[] = cpus): () => number {
  const look = () => {
    const all = read().map(({ times }) => times)
    const idle = all.reduce((sum, times) => sum + times.idle, 0)
    const total = all.reduce((sum, times) => sum + Object.values(times).reduce((a, b) => a + b, 0), 0)
    return { idle, total }
  }
  let before = look()
  return () => {
    const now = look()
    const passed = now.total - before.total
    // Two looks within a tick of the kernel's clock see nothing pass.
    const busy = passed > 0 ? 1 - (now.idle - before.idle) / passed : 0
    before = now
    return Math.round(Math.min(1, Math.max(0, busy)) * 1000) / 1000
  }
}

/** Films differ: the last few units count most. */
const weight = 0.3

/** Pixels that one unit makes in a second, as measured; undefined before the first. */
export function createSpeed() {
  let pixelsPerSecond: number | undefined
  return {
    read: () => (pixelsPerSecond === undefined ? undefined : Math.round(pixelsPerSecond)),
    add({ pixels, ms }: { pixels: number; ms: number }): void {
      if (pixels <= 0 || ms <= 0) return
      const now = (1000 * pixels) / ms
      pixelsPerSecond =
        pixelsPerSecond === undefined ? now : pixelsPerSecond + weight * (now - pixelsPerSecond)
    },
  }
}
