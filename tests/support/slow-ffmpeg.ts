// An ffmpeg that takes its time and hardly any of the machine's: units of small films last long enough to be hit in the middle.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

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
  const pace = /^-readrate /m.test(knows) ? '-readrate "$pace"' : ''
  const path = join(home, 'ffmpeg')
  const script = [
    '#!/bin/sh',
    'case "$*" in',
    '  -nostdin*libx264*)',
    '    first=$1; shift',
    `    while read -r pace < '${home}/pace' && [ "$pace" = 0 ]; do sleep 0.1; done`,
    `    exec '${ffmpeg}' "$first" ${pace} "$@" ;;`,
    'esac',
    `exec '${ffmpeg}' "$@"`,
  ]
  writeFileSync(path, `${script.join('\n')}\n`, { mode: 0o755 })
  symlinkSync(whereIs('ffprobe'), join(home, 'ffprobe'))
  setPace({ FFMPEG_PATH: path }, filmSecondsPerSecond)
  return { FFMPEG_PATH: path }
}

/** Of whatever begins from now on. At 0 that waits until there is another pace: so a test that is slow finds it in hand. */
export function setPace({ FFMPEG_PATH }: { FFMPEG_PATH: string }, filmSecondsPerSecond: number): void {
  const file = join(dirname(FFMPEG_PATH), 'pace')
  writeFileSync(`${file}.next`, `${filmSecondsPerSecond}\n`)
  renameSync(`${file}.next`, file)
}
