// Runs one part of the platform as a process: ready when it says so, ended gently at first, and nothing of it left behind.
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogFile } from './log-file.ts'
import { startProblem } from './options.ts'

/** A second, on an idle machine; one that is busy with other things takes its time, and whoever waits has Ctrl-C. */
const READY_MS = 120_000

export interface PartSpec {
  readonly name: string
  readonly script: string
  readonly arguments: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly folder: string
  readonly graceMs: number
  readonly log: LogFile
  readonly echo?: ((line: string) => void) | undefined
}

export interface PartProcess {
  readonly name: string
  readonly pid: number
  /** Resolves with the port once it answers there; rejects when it ends before. */
  readonly ready: Promise<number>
  /** Resolves with the manner of its end. */
  readonly ended: Promise<string>
  stop(): Promise<void>
}

/** Each part leads a group of its own, so that the processes it started (ffmpeg) end with it, and Ctrl-C does not reach it. */
const endGroup = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody is left in it.
  }
}

export const startPart = (spec: PartSpec): PartProcess => {
  const child = spawn(process.execPath, [spec.script, ...spec.arguments], {
    cwd: spec.folder,
    env: spec.env,
    detached: true,
    // The pipe of standard input stays open as long as this process lives, and tells the part when it does not.
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const pid = child.pid ?? 0
  child.stdin.on('error', () => {})

  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', () => {
      if (pid) endGroup(pid, 'SIGKILL')
    })
    // Its last words have been heard by then.
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
  const said = new Promise<number>((resolve) => {
    spec.log.follow(child.stdout, (line) => {
      if (!line.startsWith('{"ready":true')) return spec.echo?.(line)
      resolve((JSON.parse(line) as { port: number }).port)
    })
    spec.log.follow(child.stderr, spec.echo)
  })
  const late = sleep(READY_MS, 'late' as const, { ref: false })
  const ready = Promise.race([said, ended, late]).then((outcome) => {
    if (typeof outcome === 'number') return outcome
    const why = outcome === 'late' ? `was not ready within ${READY_MS / 1000} s` : `ended (${outcome})`
    const last = spec.log.lastLines().map((line) => `    ${line}`)
    throw startProblem([`${spec.name} ${why}; more in ${spec.log.path}`, ...last].join('\n'))
  })
  ready.catch(() => {}) // Whoever waits for it sees it; nobody has to.

  return {
    name: spec.name,
    pid,
    ready,
    ended,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      const grace = sleep(spec.graceMs, 'late' as const, { ref: false })
      // Once it has ended its group has too, and the id may be that of others.
      if ((await Promise.race([ended, grace])) === 'late') endGroup(pid, 'SIGKILL')
      await ended
    },
  }
}
