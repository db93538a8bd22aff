// What a viewer would see and hear where chunks join: no dip of quality, every frame at its time, and sound with its picture.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { chunkAt, chunkCount } from '../../shared/encode/grid.ts'
import { frameSeconds } from '../../shared/encode/plan.ts'
import { audioOf, draw, encodeFilm, inFile, inspect, lavfi, onsetsOf, videosOf } from './film.ts'

const footage = fileURLToPath(new URL('../../../shared/media/mdn-crystal.mp4', import.meta.url))

/** Real footage where there is some; what ffmpeg draws moves as much. */
const scene = (seconds: number): string[] =>
  existsSync(footage)
    ? ['-stream_loop', '3', '-i', footage, '-t', String(seconds), '-an', '-vf', 'scale=480:270,fps=30']
    : lavfi(`testsrc2=s=480x270:r=30:d=${seconds}`)

/** SSIM of every frame against the source, on the grid that the title is on. */
function similarities(film: Uint8Array, made: Uint8Array, size: string): number[] {
  return inFile(film, (source) =>
    inFile(made, (path) => {
      const words = `${path}.ssim`
      const graph = `[0:v]setpts=PTS-STARTPTS,fps=30[a];[1:v]setpts=PTS-STARTPTS,fps=30,scale=${size}:flags=bicubic[b];[a][b]ssim=stats_file=${words}`
      execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-i', source, '-lavfi', graph, '-f', 'null', '-'])
      return [...readFileSync(words, 'utf8').matchAll(/ All:([\d.]+)/g)].map((line) => Number(line[1]))
    }),
  )
}
const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length

describe('where chunks join', async () => {
  const film = draw([...scene(26), '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '16', '-g', '250'])
  const made = await encodeFilm(film, 1)
  const { video } = made.plan
  const borders = Array.from({ length: chunkCount(video) - 1 }, (_, n) => chunkAt(video, n + 1).firstFrame)

  test('every frame is at the time that the plan gives it, in every rendition', () => {
    expect(borders.length).toBeGreaterThanOrEqual(6)
    for (const rendition of videosOf(made.timeline)) {
      const { packets } = inspect(made.file(rendition))
      const times = packets.map(({ pts }) => pts).sort((a, b) => a - b)
      expect(times).toEqual(Array.from({ length: video.frames }, (_, n) => n * video.frameTicks))
    }
  })

  test('no frame at a border is worse than frames elsewhere are', () => {
    for (const { name, width, height } of videosOf(made.timeline)) {
      const rendition = videosOf(made.timeline).find((one) => one.name === name)!
      const each = similarities(film, made.file(rendition), `${width}x${height}`)
      expect(each).toHaveLength(video.frames)
      const near = new Set(borders.flatMap((frame) => [-3, -2, -1, 0, 1, 2].map((n) => frame + n)))
      const atBorders = each.filter((_, n) => near.has(n))
      const elsewhere = each.filter((_, n) => !near.has(n)).sort((a, b) => a - b)
      const worst = elsewhere[Math.floor(elsewhere.length / 100)] ?? 0
      console.log(
        `${name}: SSIM at borders ${mean(atBorders).toFixed(4)} (least ${Math.min(...atBorders).toFixed(4)}), elsewhere ${mean(elsewhere).toFixed(4)} (one in a hundred below ${worst.toFixed(4)})`,
      )
      expect(mean(elsewhere)).toBeGreaterThan(0.9)
      expect(mean(atBorders)).toBeGreaterThan(mean(elsewhere) - 0.005)
      expect(Math.min(...atBorders)).toBeGreaterThan(worst - 0.01)
    }
  })
})

test('a flash and its beep come together, within one frame of sound, to the end of the title', async () => {
  const seconds = 31
  const flash = `color=black:s=2x2:r=25:d=${seconds},geq=lum='if(lt(mod(N,50),2),235,16)':cb=128:cr=128,scale=128:72:flags=neighbor,setsar=1`
  const beep = `aevalsrc='if(lt(mod(t,2),0.08),0.8*sin(2*PI*1000*t),0)':s=44100:d=${seconds}`
  const film = draw([
    ...lavfi(flash, beep),
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-c:a',
    'aac',
    '-g',
    '90',
  ])
  const made = await encodeFilm(film, 1)
  const top = videosOf(made.timeline)[0]!
  const greys = inFile(made.file(top), (path) => [
    ...execFileSync('ffmpeg', [
      '-v',
      'error',
      '-i',
      path,
      '-vf',
      'scale=1:1,format=gray',
      '-f',
      'rawvideo',
      '-',
    ]),
  ])
  const flashes = greys.flatMap((grey, n) =>
    grey > 128 && (greys[n - 1] ?? 0) <= 128 ? [n * frameSeconds(made.plan)] : [],
  )
  const onsets = onsetsOf(made.file(audioOf(made.timeline)!))
  expect(flashes).toHaveLength(16)
  expect(onsets).toHaveLength(16)
  const offsets = onsets.map((onset, n) => onset - (flashes[n] ?? 0))
  const largest = Math.max(...offsets.map(Math.abs))
  console.log(`flash and beep are at most ${(largest * 1000).toFixed(1)} ms apart`)
  expect(largest).toBeLessThan(1024 / 48_000)
})
