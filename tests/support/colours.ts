// The colour in the middle of every picture of a film that is in memory, as ffmpeg decodes it; none where it can not.
import { execFileSync } from 'node:child_process'

type Colour = [red: number, green: number, blue: number]

export function coloursOf(film: Uint8Array): Colour[] {
  const middle = 'crop=8:8,scale=1:1:flags=area,format=rgb24'
  const argv = ['-v', 'quiet', '-i', '-', '-vf', middle, '-vsync', 'passthrough', '-f', 'rawvideo', '-']
  try {
    const rgb = execFileSync('ffmpeg', argv, { input: film, stdio: ['pipe', 'pipe', 'ignore'] })
    return Array.from({ length: rgb.length / 3 }, (_, n) => [
      rgb[3 * n] ?? 0,
      rgb[3 * n + 1] ?? 0,
      rgb[3 * n + 2] ?? 0,
    ])
  } catch {
    return []
  }
}
