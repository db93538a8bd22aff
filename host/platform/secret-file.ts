// Decides how a secret of this machine is kept: made once, whole or not at all, readable by its owner alone.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Replaces a file in one step, so that no kill leaves half of it. */
export const writePrivately = (file: string, text: string): void => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** The base64 secret in a file, made at the first call. */
export const secretFile = (file: string, sizeBytes: number): string => {
  if (!existsSync(file)) writePrivately(file, randomBytes(sizeBytes).toString('base64'))
  return readFileSync(file, 'utf8').trim()
}
