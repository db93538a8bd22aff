// How long a stream really is: the latest end of its packets, read from ffprobe's lines as they come.
import { StringDecoder } from 'node:string_decoder'

export interface Measure {
  push(bytes: Uint8Array): void
  endSeconds(): number
}

/** Lines of `pts_time,duration_time`; either may be `N/A`. */
export function measurePackets(): Measure {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let end = Number.NEGATIVE_INFINITY
  const take = (line: string): void => {
    if (!line.trim()) return
    const [shown, lasts] = line.split(',').map(Number)
    if (shown === undefined || !Number.isFinite(shown)) return
    end = Math.max(end, shown + (lasts !== undefined && lasts > 0 && lasts < 60 ? lasts : 0))
  }
  return {
    push(bytes) {
      const lines = (rest + decoder.write(Buffer.from(bytes))).split('\n')
      rest = (lines.pop() ?? '').slice(-200)
      for (const line of lines) take(line)
    },
    endSeconds() {
      take(rest)
      rest = ''
      return end
    },
  }
}
