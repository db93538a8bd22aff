// Decides whether what is in dist/ is older than what it is made of, and makes it anew.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startProblem } from './options.ts'

export const SOURCES = ['functions', 'shared', 'web', 'worker']
const ALSO = ['scripts/build.ts', 'package.json', 'package-lock.json']

const run = promisify(execFile)

const newestOf = (folder: string): number =>
  Math.max(
    0,
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(
      (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    ),
  )

export const isStale = (root: string): boolean => {
  const built = join(root, 'dist', 'main.mjs')
  const beside = ['worker.mjs', 'web/index.html'].map((name) => join(root, 'dist', name))
  if (![built, ...beside].every((file) => existsSync(file))) return true
  const builtAtMs = statSync(built).mtimeMs
  const sources = SOURCES.map((folder) => newestOf(join(root, folder)))
  const others = ALSO.map((file) => statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0)
  return Math.max(...sources, ...others) > builtAtMs
}

export const build = async (root: string): Promise<void> => {
  try {
    await run(process.execPath, ['scripts/build.ts'], { cwd: root })
  } catch (error) {
    throw startProblem(`The app could not be built:\n${(error as { stderr?: string }).stderr ?? error}`)
  }
}
