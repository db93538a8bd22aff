// A worker as a service of its own, as it runs on a machine of the fleet: the built program, its lines, and signals to it.
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { build, isStale } from '../../host/platform/build.ts'
import { repository } from '../host/running-app.ts'

interface Line {
  readonly event: string
  readonly [field: string]: unknown
}

const started = new Set<WorkerProcess>()

export type WorkerProcess = Awaited<ReturnType<typeof startWorkerProcess>>

export async function startWorkerProcess(env: NodeJS.ProcessEnv) {
  if (isStale(repository)) await build(repository)
  const child = spawn(process.execPath, ['dist/worker.mjs'], {
    cwd: repository,
    env: { ...process.env, ...env },
    // A group of its own: its ffmpeg ends with it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const pid = child.pid ?? 0
  let said = ''
  const voice = new EventEmitter()
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part) => {
      said += part
      voice.emit('more')
    })
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  const lines = (): Line[] =>
    [...said.matchAll(/^\{"event":.*\}$/gm)].map(([line]) => JSON.parse(line) as Line)
  const worker = {
    pid,
    ended,
    said: () => said,
    lines,
    /** Units of which it said so, and was believed. */
    done: () =>
      lines().flatMap(({ event, outcome, heard, unit }) =>
        event === 'fleet.reported' && outcome === 'done' && heard === 'heard' ? [String(unit)] : [],
      ),
    signal(name: NodeJS.Signals) {
      try {
        process.kill(pid, name)
      } catch {
        // It has ended meanwhile.
      }
    },
    /** Resolves with the first line that is so. */
    async until(so: (line: Line) => boolean, patienceMs = 60_000): Promise<Line> {
      const signal = AbortSignal.timeout(patienceMs)
      for (;;) {
        const line = lines().find(so)
        if (line) return line
        if (signal.aborted) throw new Error(`not said within ${patienceMs / 1000} s: ${said.slice(-4000)}`)
        await once(voice, 'more', { signal }).catch(() => undefined)
      }
    },
    async kill() {
      try {
        process.kill(-pid, 'SIGKILL')
      } catch {
        // Nobody is left in it.
      }
      return ended
    },
  }
  started.add(worker)
  return worker
}

/** After the tests: ends what they left. */
export const endAllWorkers = async (): Promise<void> => {
  await Promise.all([...started].map((worker) => worker.kill()))
  started.clear()
}
