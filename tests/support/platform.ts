// The whole platform for a flow test, as `npm start` brings it up: healthy, on a folder and a port of its own.
import { rm } from 'node:fs/promises'
import type { LocalJson } from '../../host/platform/local-json.ts'
import { startPlatform as start, stateFolder } from './platform-process.ts'

export interface Platform extends LocalJson {
  /** Where its state is. */
  readonly folder: string
  /** Ctrl-C, and its state goes too. */
  stop(): Promise<void>
}

export async function startPlatform({ env = {} }: { env?: Record<string, string> } = {}): Promise<Platform> {
  const folder = stateFolder()
  const platform = start(folder, { env })
  return {
    ...(await platform.healthy()),
    folder,
    async stop() {
      await platform.end('SIGINT')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
