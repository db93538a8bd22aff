// Ends what an earlier platform on this folder left running when it was killed.
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LocalJson, localJsonFile } from './local-json.ts'
import { processTable, type RunningProcess } from './process-table.ts'

const TOOL = /(^|\/)ff(mpeg|probe) /

/** A process id may have been given to another program since: it has to look like ours as well. */
export const isLeftover = (one: RunningProcess, leaders: Set<number>, stateDirectory: string): boolean =>
  leaders.has(one.group) && (one.command.includes(stateDirectory) || TOOL.test(`${one.command} `))

/** Called with the lock held, so whoever is listed has lost its supervisor. */
export const endLeftovers = async (stateDirectory: string): Promise<number> => {
  const file = localJsonFile(stateDirectory)
  if (!existsSync(file)) return 0
  const { processes } = JSON.parse(readFileSync(file, 'utf8')) as LocalJson
  const leaders = new Set(processes.filter(({ name }) => name !== 'supervisor').map(({ pid }) => pid))
  const left = () => processTable().filter((one) => isLeftover(one, leaders, stateDirectory))
  const found = left()
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended by itself.
    }
  }
  while (left().length > 0) await sleep(20)
  return found.length
}
