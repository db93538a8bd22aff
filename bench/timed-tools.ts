// ffmpeg and ffprobe that note what each of their runs took, so that a bench can tell the units of an encode apart.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type Kind = 'chunks' | 'sound' | 'images' | 'probe'

/** By what only that command line has. */
const marks: ReadonlyArray<readonly [string, Kind]> = [
  ['-progress ', 'chunks'],
  ['-f nut ', 'sound'],
  ['.jpg', 'images'],
  ['-show_', 'probe'],
]

export interface TimedTools {
  readonly env: Readonly<Record<string, string>>
  /** CPU seconds of all runs since it was asked before. */
  take(): Promise<Record<Kind, number>>
}

/** What it writes of itself goes where that of the tool does not: the platform reads the tool's. */
const script = (tool: string, log: string): string => `#!/usr/bin/env bash
TIMEFORMAT="%U %S $*"
exec 3>&2
{ time ${tool} "$@" 2>&3 3>&- ; } 2>>'${log}'
`

export async function createTimedTools(folder: string): Promise<TimedTools> {
  const log = join(folder, 'runs.log')
  await mkdir(folder, { recursive: true })
  await writeFile(log, '')
  const paths = { ffmpeg: join(folder, 'ffmpeg'), ffprobe: join(folder, 'ffprobe') }
  for (const [tool, path] of Object.entries(paths)) {
    await writeFile(path, script(tool, log))
    await chmod(path, 0o755)
  }
  return {
    env: { FFMPEG_PATH: paths.ffmpeg, FFPROBE_PATH: paths.ffprobe },
    async take() {
      const took = { chunks: 0, sound: 0, images: 0, probe: 0 }
      const text = await readFile(log, 'utf8')
      await writeFile(log, '')
      for (const [, user, system, argv = ''] of text.matchAll(/^([\d.]+) ([\d.]+) (.*)$/gm)) {
        const kind = marks.find(([mark]) => argv.includes(mark))?.[1]
        if (kind) took[kind] += Number(user) + Number(system)
      }
      return took
    },
  }
}
