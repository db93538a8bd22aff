// Before all tests: where the machine has no ffmpeg of its own, the static one from npm is put on the PATH; compiled code is kept.
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chooseFfmpeg } from '../../host/platform/ffmpeg.ts'

const cache = join(import.meta.dirname, '../../node_modules/.cache/movidone')

export async function setup(): Promise<void> {
  // For the hundreds of processes that the tests start, as the platform does for its own.
  process.env['NODE_COMPILE_CACHE'] ??= cache
  const { ffmpegPath, ffprobePath, version } = await chooseFfmpeg(process.env, cache)
  console.log(`tests run with ffmpeg ${version}`)
  if (ffmpegPath === 'ffmpeg') return
  const bin = join(cache, 'bin')
  mkdirSync(bin, { recursive: true })
  for (const [name, path] of Object.entries({ ffmpeg: ffmpegPath, ffprobe: ffprobePath })) {
    rmSync(join(bin, name), { force: true })
    symlinkSync(path, join(bin, name))
  }
  process.env['PATH'] = `${bin}${delimiter}${process.env['PATH']}`
}
