// Decides that a state folder has one platform at a time.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { startProblem } from './options.ts'
import { writePrivately } from './secret-file.ts'

export interface Lock {
  /** For whoever finds the folder taken. */
  tell(holder: Holder): void
  release(): void
}

interface Holder {
  pid: number
  apiUrl: string
}

/**
 * The lock is the operating system's own, on a file of SQLite's: it ends with the process that holds it,
 * however that ends, which a file with a process id in it would not.
 */
export const lockState = (directory: string): Lock => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const held = join(directory, 'lock.json')
  const database = new DatabaseSync(join(directory, 'lock.db'))
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch {
    database.close()
    const other = existsSync(held) ? (JSON.parse(readFileSync(held, 'utf8')) as Holder) : undefined
    const who = other ? ` as process ${other.pid}, at ${other.apiUrl}` : ''
    throw startProblem(
      `movidone runs already in ${directory}${who}. Stop it first, or give this one another folder with STATE_DIRECTORY.`,
    )
  }
  rmSync(held, { force: true })
  return {
    tell: (holder) => writePrivately(held, JSON.stringify(holder)),
    release: () => database.close(),
  }
}
