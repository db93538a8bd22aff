// Draws films whose picture tells the time: each second has a colour of its own, so one pixel says which it is.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'

type Colour = readonly [red: number, green: number, blue: number]

/** The colour of second n; far enough apart to survive 4:2:0, any matrix and a hard quantiser. */
const secondColours: readonly Colour[] = [
  [255, 0, 0],
  [0, 0, 255],
  [0, 255, 0],
  [255, 255, 255],
  [128, 0, 128],
  [255, 255, 0],
  [0, 0, 0],
  [0, 255, 255],
  [128, 64, 0],
  [255, 0, 255],
  [128, 128, 128],
  [0, 96, 0],
]

/** Which second shows this colour. */
export function secondOf(pixel: Colour): number {
  const distances = secondColours.map((colour) =>
    colour.reduce((sum, channel, i) => sum + (channel - (pixel[i] ?? 0)) ** 2, 0),
  )
  return distances.indexOf(Math.min(...distances))
}

/** FFMPEG_PATH, else one on the PATH, else the static one from npm. */
function candidates(): string[] {
  const own = process.env['FFMPEG_PATH']
  const platform = `@ffmpeg-installer/${process.platform}-${process.arch}`
  try {
    const folder = createRequire(import.meta.url)
      .resolve(`${platform}/package.json`)
      .replace('package.json', '')
    return [...(own ? [own] : []), 'ffmpeg', `${folder}ffmpeg`]
  } catch {
    return [...(own ? [own] : []), 'ffmpeg']
  }
}

export async function ffmpeg(args: readonly string[]): Promise<void> {
  for (const program of candidates()) {
    const child = spawn(program, ['-v', 'error', '-nostdin', '-y', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (bytes) => {
      said += bytes
    })
    const found = await once(child, 'spawn').then(
      () => true,
      () => false,
    )
    if (!found) continue
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`ffmpeg ended with ${code}: ${said}`)
    return
  }
  throw new Error('no ffmpeg found: set FFMPEG_PATH, or `apt-get install ffmpeg`')
}

export interface Film {
  path: string
  seconds: number
  /** Cuts it off after so many. */
  frames?: number
  /** A whole number, where the colours are to tell the seconds to the frame. */
  frameRate?: number
  size?: `${number}x${number}`
}

/** H.264 and AAC in MP4. A small moving square keeps the encoder honest; the centre keeps its colour. */
export async function drawFilm(film: Film): Promise<void> {
  const { path, seconds, frameRate = 25, size = '1280x720', frames = seconds * frameRate } = film
  const hex = ([red, green, blue]: Colour) =>
    `0x${[red, green, blue].map((channel) => channel.toString(16).padStart(2, '0')).join('')}`
  const colours = Array.from({ length: seconds }, (_, n) => secondColours[n % secondColours.length]!)
  const parts = colours.map((colour, n) => `color=c=${hex(colour)}:s=${size}:r=${frameRate}:d=1[c${n}]`)
  const joined = `${colours.map((_, n) => `[c${n}]`).join('')}concat=n=${seconds}[plain]`
  const square = `testsrc=s=160x90:r=${frameRate}:d=${seconds}[square];[plain][square]overlay=20:20,format=yuv420p[v]`
  await ffmpeg([
    ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
    ...['-filter_complex', [...parts, joined, square].join(';'), '-map', '[v]', '-map', '0:a'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-b:a', '96k'],
    ...['-t', String(frames / frameRate), path],
  ])
}

/** The same film over and over, without encoding it again. */
export const repeatFilm = (of: {
  from: string
  to: string
  seconds: number
  more?: readonly string[]
}): Promise<void> =>
  ffmpeg([
    '-stream_loop',
    '-1',
    '-i',
    of.from,
    '-c',
    'copy',
    '-t',
    String(of.seconds),
    ...(of.more ?? []),
    of.to,
  ])
