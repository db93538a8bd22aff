// Draws the sample title: moving picture with sound, by filters that an ffmpeg of 2018 has as well.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { renameSync } from 'node:fs'
import { setPriority } from 'node:os'
import { createInterface } from 'node:readline'

const SAMPLE_SECONDS = 20
const FRAME_RATE = 25
/** The title is a guest on the machine: whatever its user does goes first. */
const LOWER_PRIORITY = 10

// A light that wanders over slow colours. Each expression costs by the pixel, so a few are computed and the scaler blends them.
const LIGHT = '90*exp(-(pow(X-16-11*cos(T*0.7),2)+pow(Y-9-5.5*sin(T*1.1),2))/7)'
const PICTURE = [
  `color=black:size=32x18:rate=${FRAME_RATE}:duration=${SAMPLE_SECONDS}`,
  'format=yuv444p',
  [
    `geq=lum='96+34*sin(X/5.5+T/2)+26*sin(Y/3.5-T/3)+${LIGHT}'`,
    "cb='128+58*sin(X/9.5-T/3+Y/6.5)'",
    "cr='128+58*cos(X/11.5+T/4-Y/5.5)'",
  ].join(':'),
  'scale=1280:720:flags=bicubic',
  'format=yuv420p',
].join(',')
// A major chord, each voice swelling at a pace of its own, so that one hears when sound and picture part.
const voice = (hertz: number, seconds: number): string =>
  `0.1*sin(2*PI*${hertz}*t)*(1+sin(2*PI*t/${seconds}))`
const LEFT = [voice(220, 3), voice(277.18, 4)].join('+')
const RIGHT = [voice(329.63, 5), voice(440, 6)].join('+')

const sampleArguments = (file: string): string[] => [
  ...['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', '-progress', 'pipe:1'],
  ...['-f', 'lavfi', '-i', PICTURE],
  ...['-f', 'lavfi', '-i', `aevalsrc=${LEFT}|${RIGHT}:s=48000:d=${SAMPLE_SECONDS}`],
  ...[
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-crf',
    '22',
    '-pix_fmt',
    'yuv420p',
    '-g',
    `${2 * FRAME_RATE}`,
  ],
  ...['-c:a', 'aac', '-b:a', '128k', '-t', `${SAMPLE_SECONDS}`, '-movflags', '+faststart', '-f', 'mp4', file],
]

export interface Drawing {
  ffmpegPath: string
  file: string
  signal: AbortSignal
  onProgress: (fraction: number) => void
}

export const drawSample = async ({ ffmpegPath, file, signal, onProgress }: Drawing): Promise<void> => {
  const child = spawn(ffmpegPath, sampleArguments(`${file}.new`), {
    signal,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (child.pid) setPriority(child.pid, LOWER_PRIORITY)
  let complaint = ''
  child.stderr.on('data', (chunk) => {
    complaint += chunk
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    // Named after milliseconds, counted in microseconds, in every version.
    const microseconds = /^out_time_ms=(\d+)/.exec(line)?.[1]
    if (microseconds) onProgress(Math.min(1, Number(microseconds) / 1e6 / SAMPLE_SECONDS))
  })
  const [code] = await once(child, 'close')
  if (code !== 0)
    throw new Error(`ffmpeg could not draw the sample: ${complaint.trim() || `exit code ${code}`}`)
  renameSync(`${file}.new`, file)
}
