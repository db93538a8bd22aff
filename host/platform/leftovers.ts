// Ends what an earlier platform on this folder left running when it was killed.
import { setTimeout as sleep } from 'node:timers/promises'
import type { ListedProcess } from './local-json.ts'
import { processTable, type RunningProcess } from './process-table.ts'

const TOOL = /(^|\/)ff(mpeg|probe) /

/** A process id may have been given to another program since: it has to look like ours as well. */
export const isLeftover = (one: RunningProcess, leaders: Set<number>, stateDirectory: string): boolean =>
  leaders.has(one.group) && (one.command.includes(stateDirectory) || TOOL.test(`${one.command} `))

/** Called with the lock held, so whoever is listed has lost its supervisor. */
export const endLeftovers = async (stateDirectory: string, processes: ListedProcess[]): Promise<number> => {
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
