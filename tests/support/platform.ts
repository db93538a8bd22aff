// Starts the whole platform for a flow test, as `npm start` does, on a folder and a port of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Platform {
  readonly apiUrl: string
  readonly consoleUrl: string
  readonly adminKey: string
  readonly tenant: { readonly id: string; readonly apiKey: string }
  readonly processes: ReadonlyArray<{ name: string; pid: number; port: number }>
  readonly folder: string
  readonly child: ChildProcess
  /** What it printed so far. */
  output(): string
  /** Ctrl-C; the folder goes too unless it was given. */
  stop(): Promise<void>
}

export interface PlatformOptions {
  /** State of an earlier run to go on with. */
  readonly folder?: string
  readonly env?: Readonly<Record<string, string>>
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const patienceMs = 60_000

export async function startPlatform({ folder, env = {} }: PlatformOptions = {}): Promise<Platform> {
  const state = folder ?? (await mkdtemp(join(tmpdir(), 'movidone-flow-')))
  await rm(join(state, 'local.json'), { force: true })
  const child = spawn(process.execPath, ['host/main.ts', 'start', '--port', '0', '--state', state], {
    cwd: root,
    env: { ...process.env, MOVIDONE_SAMPLE: 'off', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => {
      printed += part.toString()
    })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const local = await ready(state, child, () => printed)
  return {
    ...local,
    folder: state,
    child,
    output: () => printed,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT')
      await ended
      if (!folder) await rm(state, { recursive: true, force: true })
    },
  }
}

async function ready(state: string, child: ChildProcess, printed: () => string) {
  for (const until = Date.now() + patienceMs; Date.now() < until; ) {
    if (child.exitCode !== null) throw new Error(`the platform did not start:\n${printed()}`)
    const text = await readFile(join(state, 'local.json'), 'utf8').catch(() => '')
    const local =
      text === '' ? undefined : (JSON.parse(text) as Omit<Platform, 'folder' | 'child' | 'output' | 'stop'>)
    const healthy = local && (await fetch(`${local.apiUrl}/api/healthz`).catch(() => undefined))
    if (local && healthy?.ok) return local
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  child.kill('SIGKILL')
  throw new Error(`the platform was not ready in ${patienceMs / 1000} s:\n${printed()}`)
}
