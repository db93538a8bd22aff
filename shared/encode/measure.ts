// How long streams really are, and whether their clock begins again: read from ffprobe's lines of packets as they come.
import { StringDecoder } from 'node:string_decoder'

export interface Measure {
  push(bytes: Uint8Array): void
  /** Undefined when nothing of it came. */
  endSeconds(stream: number): number | undefined
  /** When its clock begins again, far behind; undefined when it never does. */
  restartSeconds(stream: number): number | undefined
}

/** Of pieces that were joined: they overlap by less. */
export const overlapSeconds = 2

/** Lines of `stream_index,pts_time,dts_time,duration_time`; the times may be `N/A`. */
export function measurePackets(): Measure {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const ends = new Map<number, number>()
  const decoded = new Map<number, number>()
  const restarts = new Map<number, number>()
  const take = (line: string): void => {
    if (!line.trim()) return
    const [stream, shown, at, lasts] = line.split(',').map(Number)
    if (stream === undefined || shown === undefined) return
    if (at !== undefined && Number.isFinite(at)) {
      const before = decoded.get(stream) ?? at
      if (before - at > overlapSeconds && !restarts.has(stream)) restarts.set(stream, before)
      decoded.set(stream, at)
    }
    if (!Number.isFinite(shown)) return
    const end = shown + (lasts !== undefined && lasts > 0 && lasts < 60 ? lasts : 0)
    ends.set(stream, Math.max(ends.get(stream) ?? end, end))
  }
  return {
    push(bytes) {
      const lines = (rest + decoder.write(Buffer.from(bytes))).split('\n')
      rest = (lines.pop() ?? '').slice(-200)
      for (const line of lines) take(line)
    },
    endSeconds(stream) {
      take(rest)
      rest = ''
      return ends.get(stream)
    },
    restartSeconds: (stream) => restarts.get(stream),
  }
}
