// The one place that starts processes on tenants' files: ffmpeg and ffprobe, fed from loopback, held within limits.
import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type Random, systemRandom } from '../core/random.ts'
import type { Ffmpeg } from '../encode/ports.ts'
import { runProgram, workPrefix } from './run.ts'
import { createSourceCache, openSource } from './source.ts'
import { findPrograms, type ProgramPaths, type Programs } from './tools.ts'

/** Asks nothing before it is used; an ffmpeg that is missing is looked for again at the next use. */
export function createFfmpeg(paths: ProgramPaths, random: Random = systemRandom): Ffmpeg {
  const cache = createSourceCache()
  let found: Promise<Programs> | undefined
  const programs = () => {
    found ??= sweepWork()
      .then(() => findPrograms(paths))
      .catch((error) => {
        found = undefined
        throw error
      })
    return found
  }
  return {
    tools: programs,
    open: (source, store, layout) => openSource(source, { store, cache, random, layout }),
    run: async (ask) => runProgram((await programs())[ask.program], ask),
  }
}

/** Working folders of processes that were killed before they could tidy up. */
async function sweepWork(): Promise<void> {
  const folder = dirname(workPrefix)
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    if (!name.startsWith(basename(workPrefix))) continue
    const pid = Number(name.slice(basename(workPrefix).length).split('-')[0])
    if (pid > 0 && !isAlive(pid))
      await rm(join(folder, name), { recursive: true, force: true }).catch(() => {})
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
