// Starts the whole platform as `npm start` does, on a folder and a port of its own, and tells whether anything of it is left.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { endLeftovers } from '../../host/platform/leftovers.ts'
import { type ListedProcess, type LocalJson, readLocalJson } from '../../host/platform/local-json.ts'
import { processTable } from '../../host/platform/process-table.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const READY_MS = 120_000
const patienceMs = 30_000

export interface PlatformProcess {
  readonly supervisor: ChildProcess
  readonly stateDirectory: string
  /** All it has printed so far. */
  printed(): string
  local(): LocalJson
  pidOf(name: string): number
  healthy(): Promise<LocalJson>
  /** Sends a signal to the supervisor alone, and resolves with its exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>
  ended: Promise<number | null>
}

const started = new Set<PlatformProcess>()
const folders: string[] = []

export const stateFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'movidone-state-'))
  folders.push(folder)
  return folder
}

export const startPlatform = (
  stateDirectory: string,
  { env = {}, args = ['--port', '0'] }: { env?: NodeJS.ProcessEnv; args?: string[] } = {},
): PlatformProcess => {
  const supervisor = spawn(process.execPath, ['host/main.ts', 'start', ...args], {
    cwd: ROOT,
    env: {
      ...process.env,
      MOVIDONE_SAMPLE: 'off',
      ENCODE_WORKERS: '0',
      STATE_DIRECTORY: stateDirectory,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [supervisor.stdout, supervisor.stderr]) stream?.on('data', (chunk) => (text += chunk))
  const ended = once(supervisor, 'close').then(([code]) => code as number | null)
  const local = (): LocalJson => JSON.parse(readFileSync(join(stateDirectory, 'local.json'), 'utf8'))

  const isHealthy = async (): Promise<boolean> => {
    try {
      const { apiUrl, processes } = local()
      // The file of the run before may still be there.
      if (!processes.some(({ pid }) => pid === supervisor.pid)) return false
      return (await fetch(`${apiUrl}/api/healthz`, { headers: { connection: 'close' } })).ok
    } catch {
      return false
    }
  }
  const platform: PlatformProcess = {
    supervisor,
    stateDirectory,
    ended,
    local,
    printed: () => text,
    pidOf: (name) => local().processes.find((one) => one.name === name)?.pid ?? 0,
    async healthy() {
      const until = Date.now() + READY_MS
      while (!(await isHealthy())) {
        if (supervisor.exitCode !== null || Date.now() > until) throw new Error(`not healthy: ${text}`)
        await sleep(100)
      }
      return local()
    },
    async end(signal) {
      supervisor.kill(signal)
      return ended
    },
  }
  started.add(platform)
  return platform
}

/** Those of the list that still run, and whatever else they started. */
export const stillRunning = (processes: ListedProcess[]): string[] => {
  const groups = new Set(processes.filter(({ name }) => name !== 'supervisor').map(({ pid }) => pid))
  const pids = new Set(processes.map(({ pid }) => pid))
  return processTable()
    .filter(({ pid, group }) => pids.has(pid) || groups.has(group))
    .map(({ pid, command }) => `${pid} ${command}`)
}

/** One that was killed is gone as soon as the machine gets round to it. */
export const untilNoneRuns = async (processes: ListedProcess[], withinMs = patienceMs): Promise<string[]> => {
  const until = Date.now() + withinMs
  while (stillRunning(processes).length > 0 && Date.now() < until) await sleep(50)
  return stillRunning(processes)
}

/** After the tests: ends what a failed one left. Ids that were listed may be those of others by now. */
export const endAllPlatforms = async (): Promise<void> => {
  for (const { supervisor } of started) supervisor.kill('SIGKILL')
  await Promise.all([...started].map(({ ended }) => ended))
  for (const folder of new Set([...started].map(({ stateDirectory }) => stateDirectory)))
    await endLeftovers(folder, readLocalJson(folder)?.processes ?? [])
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}
