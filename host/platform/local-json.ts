// Decides what a script finds in `.movidone/local.json`: where the platform answers, with which keys, by which processes.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LocalSecrets } from './local-tenant.ts'
import { writePrivately } from './secret-file.ts'

export interface ListedProcess {
  name: string
  pid: number
  port: number
}

export interface LocalJson extends LocalSecrets {
  apiUrl: string
  consoleUrl: string
  processes: ListedProcess[]
}

export const localJsonFile = (stateDirectory: string): string => join(stateDirectory, 'local.json')

export const writeLocalJson = (stateDirectory: string, content: LocalJson): void => {
  const { apiUrl, consoleUrl, adminKey, tenant, processes } = content
  writePrivately(
    localJsonFile(stateDirectory),
    `${JSON.stringify({ apiUrl, consoleUrl, adminKey, tenant, processes }, null, 2)}\n`,
  )
}

/** What the run before this one wrote. */
export const readLocalJson = (stateDirectory: string): LocalJson | undefined => {
  const file = localJsonFile(stateDirectory)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as LocalJson) : undefined
}
