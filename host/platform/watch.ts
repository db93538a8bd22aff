// Decides when `npm run dev` builds and loads the app again: once after the last of a burst of changes.
import { watch } from 'node:fs'
import { join } from 'node:path'
import { SOURCES } from './build.ts'
import type { Output } from './output.ts'

const BURST_MS = 200

export const reloadOnChange = (root: string, output: Output, reload: () => Promise<void>): void => {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  const again = async (): Promise<void> => {
    const startedAtMs = Date.now()
    try {
      await reload()
      output.part('reloaded', `${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`)
    } catch (error) {
      output.problem(error instanceof Error ? error.message : String(error))
    }
  }
  for (const folder of SOURCES) {
    watch(join(root, folder), { recursive: true }, () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        running = running.then(again)
      }, BURST_MS)
    })
  }
}
