// Keeps what a part of the platform says: in a file of its own, the last lines at hand for when it fails.
import { existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export interface LogFile {
  readonly path: string
  /** Passes each line on, and keeps it. */
  follow(stream: Readable, each?: (line: string) => void): void
  lastLines(): string[]
}

const LINES_AT_HAND = 12

/** The file of the run before stays beside it. */
export const openLog = (path: string): LogFile => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (existsSync(path)) renameSync(path, `${path}.1`)
  const file = openSync(path, 'w', 0o600)
  const last: string[] = []
  return {
    path,
    follow(stream, each) {
      createInterface({ input: stream }).on('line', (line) => {
        // At once: who keeps it may end at any moment.
        writeSync(file, `${line}\n`)
        last.push(line)
        if (last.length > LINES_AT_HAND) last.shift()
        each?.(line)
      })
    },
    lastLines: () => [...last],
  }
}
