// Decides the storage account of this machine: its name, and a key of its own.
import { join } from 'node:path'
import { secretFile } from '../platform/secret-file.ts'

export interface StorageAccount {
  name: string
  key: string
}

/** The emulator's well-known key is in every manual, so an open port would be an open store: each folder has its own. */
export const storageAccount = (directory: string): StorageAccount => ({
  name: 'movidone',
  key: secretFile(join(directory, 'account-key'), 64),
})
