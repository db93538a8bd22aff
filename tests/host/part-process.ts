// Starts a part of the local platform as the supervisor does, for the tests that kill it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface PartProcess {
  port: number
  pid: number
  /** Ends the process by this signal, and waits until it is gone. */
  end(signal: NodeJS.Signals): Promise<void>
  /** Closes its standard input, as the death of the supervisor does. */
  orphan(): Promise<number | null>
}

const running = new Set<ChildProcess>()

export const startPart = async (script: string, ...args: string[]): Promise<PartProcess> => {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  running.add(child)
  const gone = once(child, 'exit').finally(() => running.delete(child))
  const ready = once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>
  const first = await Promise.race([
    ready,
    gone.then(([code]) => Promise.reject(new Error(`${script} ended: ${code}`))),
  ])
  const { port } = JSON.parse(first[0]) as { port: number }
  return {
    port,
    pid: child.pid!,
    async end(signal) {
      child.kill(signal)
      await gone
    },
    async orphan() {
      child.stdin.destroy()
      const [code] = await gone
      return code
    },
  }
}

export const endAllParts = (): void => {
  for (const child of running) child.kill('SIGKILL')
}
