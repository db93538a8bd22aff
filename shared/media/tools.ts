// Which ffmpeg and ffprobe run: found by the settings, made executable where a package forgot to, asked what they can.
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, chmod, copyFile, mkdir, rename, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, sep } from 'node:path'
import { promisify } from 'node:util'
import { sha256Hex } from '../core/hash.ts'
import { Problem } from '../core/problem.ts'
import type { Tools } from '../encode/ports.ts'

export interface ProgramPaths {
  readonly ffmpegPath: string
  readonly ffprobePath: string
}

export interface Programs extends Tools {
  readonly ffmpeg: string
  readonly ffprobe: string
}

const run = promisify(execFile)
const can = (path: string, mode: number): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  )

/** A bare name is left to the PATH; a file that may not be run is copied, once per size, to where it may. */
async function runnable(path: string): Promise<string> {
  if (!path.includes(sep) || (await can(path, constants.X_OK)) || !(await can(path, constants.R_OK)))
    return path
  const folder = join(tmpdir(), `movidone-tools-${process.getuid?.() ?? 0}`)
  const copy = join(folder, `${basename(path)}-${(await stat(path)).size}`)
  if (await can(copy, constants.X_OK)) return copy
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const part = `${copy}.${process.pid}`
  await copyFile(path, part)
  await chmod(part, 0o700)
  await rename(part, copy)
  return copy
}

/** Beside an ffmpeg that was named stands its own ffprobe, if there is one. */
async function ffprobeFor({ ffmpegPath, ffprobePath }: ProgramPaths): Promise<string> {
  const sibling = join(dirname(ffmpegPath), 'ffprobe')
  const named = ffprobePath.includes(sep) || !ffmpegPath.includes(sep)
  return named || !(await can(sibling, constants.R_OK)) ? ffprobePath : sibling
}

async function ask(path: string, argument: string): Promise<string> {
  try {
    const { stdout } = await run(path, ['-hide_banner', argument], { timeout: 60_000 })
    return stdout
  } catch (cause) {
    const detail = `'${basename(path)}' can not be run here. Set FFMPEG_PATH and FFPROBE_PATH.`
    throw new Problem('unavailable', { detail, cause })
  }
}

/** `ffmpeg version 5.1.9-0+deb12u1 Copyright …` and what it was configured with: bytes may differ between builds. */
export const buildName = (version: string): string =>
  `${/^ffmpeg version (\S+)/.exec(version)?.[1] ?? 'unknown'} ${sha256Hex(version).slice(0, 12)}`

/** Lines such as ` TS. bwdif   V->V   Deinterlace the input image.` */
export const filterNames = (list: string): ReadonlySet<string> =>
  new Set([...list.matchAll(/^ [T.][S.][C.]\s+(\w+)\s+\S+->\S+/gm)].map((line) => line[1] ?? ''))

export async function findPrograms(paths: ProgramPaths): Promise<Programs> {
  const ffmpeg = await runnable(paths.ffmpegPath)
  const ffprobe = await runnable(await ffprobeFor(paths))
  const [version, filters] = await Promise.all([
    ask(ffmpeg, '-version'),
    ask(ffmpeg, '-filters'),
    ask(ffprobe, '-version'),
  ])
  return { ffmpeg, ffprobe, build: buildName(version), filters: filterNames(filters) }
}
