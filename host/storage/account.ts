// Decides the storage account of this machine: a key of its own, made once, that never leaves the state folder but by file.
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

export interface StorageAccount {
  name: string
  key: string
}

export const ACCOUNT_NAME = 'movidone'

/** The emulator's well-known key is in every manual, so an open port would be an open store: each folder has its own. */
export const storageAccount = (file: string): StorageAccount => {
  if (!existsSync(file)) {
    writeFileSync(`${file}.new`, randomBytes(64).toString('base64'), { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
  return { name: ACCOUNT_NAME, key: readFileSync(file, 'utf8').trim() }
}
