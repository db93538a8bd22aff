// Decides which ffmpeg this machine encodes with, and says so when it is only fit for a laptop.
import { execFile } from 'node:child_process'
import { accessSync, chmodSync, constants, copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { startProblem } from './options.ts'

export interface Ffmpeg {
  readonly ffmpegPath: string
  readonly ffprobePath: string
  readonly version: string
  /** The static build of 2018 that npm brings. */
  readonly isLaptopOnly: boolean
}

const OLDEST_OF_SYSTEM = 5

const run = promisify(execFile)
const require = createRequire(import.meta.url)

/** On a busy machine even this takes seconds. Which ffmpeg it is to be may not depend on that: another one makes other bytes. */
const ANSWER_MS = 60_000

const versionOf = async (
  path: string,
  { env, answerMs }: { env: NodeJS.ProcessEnv; answerMs: number },
): Promise<string | undefined> => {
  try {
    const { stdout } = await run(path, ['-hide_banner', '-version'], { env, timeout: answerMs })
    return /^ff\w+ version (\S+)/.exec(stdout)?.[1]
  } catch (error) {
    if ((error as { killed?: boolean }).killed)
      throw startProblem(`${path} did not tell its version within ${answerMs / 1000} s.`)
    return undefined
  }
}

/** Builds from git are named after their commit, and are newer than any release that matters here. */
const isRecent = (version: string): boolean => {
  const major = /^n?(\d+)\./.exec(version)?.[1]
  return major === undefined || Number(major) >= OLDEST_OF_SYSTEM
}

/** npm leaves ffprobe without the right to be run; where the package is not ours to change, a copy is. */
const executable = (path: string, stateDirectory: string): string => {
  try {
    accessSync(path, constants.X_OK)
    return path
  } catch {
    // Not yet.
  }
  try {
    chmodSync(path, 0o755)
    return path
  } catch {
    const copy = join(stateDirectory, 'tools', 'ffprobe')
    mkdirSync(dirname(copy), { recursive: true })
    if (!existsSync(copy)) copyFileSync(path, copy)
    chmodSync(copy, 0o755)
    return copy
  }
}

const installed = (name: 'ffmpeg' | 'ffprobe'): string | undefined => {
  try {
    const at = dirname(require.resolve(`@${name}-installer/${process.platform}-${process.arch}/package.json`))
    return join(at, name)
  } catch {
    return undefined
  }
}

/** The ffprobe of the same build stands beside its ffmpeg. */
const probeBeside = (ffmpegPath: string): string => {
  const beside = join(dirname(ffmpegPath), 'ffprobe')
  return ffmpegPath.includes('/') && existsSync(beside) ? beside : 'ffprobe'
}

export const chooseFfmpeg = async (
  env: NodeJS.ProcessEnv,
  stateDirectory: string,
  answerMs = ANSWER_MS,
): Promise<Ffmpeg> => {
  const within = { env, answerMs }
  const asked = env['FFMPEG_PATH']
  if (asked) {
    const version = await versionOf(asked, within)
    if (!version) throw startProblem(`FFMPEG_PATH names ${asked}, which does not run as ffmpeg.`)
    const ffprobePath = env['FFPROBE_PATH'] ?? probeBeside(asked)
    if (!(await versionOf(ffprobePath, within))) {
      throw startProblem(
        `There is no ffprobe beside ${asked}: set FFPROBE_PATH to the one of the same build.`,
      )
    }
    return { ffmpegPath: asked, ffprobePath, version, isLaptopOnly: !isRecent(version) }
  }
  const [system, systemProbe] = await Promise.all([versionOf('ffmpeg', within), versionOf('ffprobe', within)])
  if (system && systemProbe && isRecent(system)) {
    return { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe', version: system, isLaptopOnly: false }
  }
  const ffmpegPath = installed('ffmpeg')
  const ffprobePath = installed('ffprobe')
  if (!ffmpegPath || !ffprobePath) {
    throw startProblem('There is no ffmpeg 5 or newer: install one, or set FFMPEG_PATH and FFPROBE_PATH.')
  }
  const runnable = executable(ffmpegPath, stateDirectory)
  const version = await versionOf(runnable, within)
  if (!version)
    throw startProblem(`${ffmpegPath} does not run here: install ffmpeg 5 or newer, or set FFMPEG_PATH.`)
  return {
    ffmpegPath: runnable,
    ffprobePath: executable(ffprobePath, stateDirectory),
    version,
    isLaptopOnly: true,
  }
}
