// What ffprobe counts in a file or a stream: frames that decode, and the steps between their times.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Frames {
  readonly count: number
  /** The different steps between presentation times, seconds, rounded to a microsecond. */
  readonly steps: number[]
  readonly firstSeconds: number
}

/** Decodes the first video stream. A file that can not be read has no frames. */
export async function countFrames(input: string): Promise<Frames> {
  const args = [
    '-v',
    'quiet',
    '-select_streams',
    'v:0',
    '-show_entries',
    'frame=pts_time,pkt_pts_time',
    '-of',
    'json',
    input,
  ]
  const child = spawn('ffprobe', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  let printed = ''
  child.stdout.on('data', (part: Buffer) => {
    printed += part.toString()
  })
  await once(child, 'close')
  const { frames = [] } = JSON.parse(printed || '{}') as {
    frames?: Array<{ pts_time?: string; pkt_pts_time?: string }>
  }
  const times = frames.map((frame) => Number(frame.pts_time ?? frame.pkt_pts_time))
  const micro = (seconds: number) => Math.round(seconds * 1e6) / 1e6
  const steps = new Set(times.slice(1).map((time, n) => micro(time - (times[n] ?? 0))))
  return { count: times.length, steps: [...steps], firstSeconds: times[0] ?? Number.NaN }
}
