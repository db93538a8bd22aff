// An ffmpeg that takes its time and hardly any of the machine's: units of small films last long enough to be hit in the middle.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const whereIs = (program: string): string =>
  execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim()

/**
 * What it makes is the same to the byte. Each second of the clock it reads so many of the film's; builds before 5.1 can not,
 * and are as fast as they are. The process is ffmpeg's own, its first argument too, so that it is found and hit as any other.
 */
export function slowFfmpeg(folder: string, filmSecondsPerSecond: number): { FFMPEG_PATH: string } {
  const home = mkdtempSync(join(folder, 'ffmpeg-'))
  const ffmpeg = whereIs('ffmpeg')
  const knows = execFileSync(ffmpeg, ['-v', 'quiet', '-h', 'full'], { encoding: 'utf8', maxBuffer: 1 << 26 })
  const pace = /^-readrate /m.test(knows) ? `-readrate ${filmSecondsPerSecond}` : ''
  const path = join(home, 'ffmpeg')
  const script = [
    '#!/bin/sh',
    'case "$*" in',
    `  -nostdin*libx264*) first=$1; shift; exec '${ffmpeg}' "$first" ${pace} "$@" ;;`,
    'esac',
    `exec '${ffmpeg}' "$@"`,
  ]
  writeFileSync(path, `${script.join('\n')}\n`, { mode: 0o755 })
  symlinkSync(whereIs('ffprobe'), join(home, 'ffprobe'))
  return { FFMPEG_PATH: path }
}
