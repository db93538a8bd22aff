// Runs the test app on the local host in a process of its own, and gives the tests the real durable client to it.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { InvocationContext } from '@azure/functions'
import type { DurableClient, DurableOrchestrationStatus } from 'durable-functions'
import * as df from 'durable-functions'

/** What is waited for comes, late on a machine that does much else. */
const patienceMs = 120_000
const root = join(import.meta.dirname, '../..')
const appFolder = join(import.meta.dirname, 'app-durable')

export interface DurableHost {
  readonly client: DurableClient
  readonly origin: string
  readonly rpc: string
  log(): string
  /** Waits until the process has printed a text so many times. */
  says(text: string, times?: number): Promise<void>
  /** Starts an orchestration and waits for its end. */
  run(name: string, input?: unknown, instanceId?: string): Promise<DurableOrchestrationStatus>
  /** Waits until the status is final, or as asked for. */
  settled(
    id: string,
    isEnough?: (status: DurableOrchestrationStatus) => boolean,
  ): Promise<DurableOrchestrationStatus>
  /** Resolves when the process has ended by itself. */
  exited(): Promise<void>
  /** Like `kill -9`. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export const freshDirectory = () => mkdtempSync(join(tmpdir(), 'durable-'))
export const discard = (directory: string) => rmSync(directory, { recursive: true, force: true })

const isFinal = ({ runtimeStatus }: DurableOrchestrationStatus) =>
  ['Completed', 'Failed', 'Terminated'].includes(runtimeStatus)

/** Ends in an error that holds what the process printed when it does not get ready. */
export async function startHost(
  directory: string,
  options: { folder?: string; env?: Record<string, string> } = {},
): Promise<DurableHost> {
  const { folder = appFolder, env = {} } = options
  const args = ['host/main.ts', 'functions', '--folder', folder, '--port', '0', '--state', directory]
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'pipe', env: { ...process.env, ...env } })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => {
      output += part.toString()
    })
  const port = await readyPort(child, () => output)
  const origin = `http://127.0.0.1:${port}`
  const binding = await (await fetch(`${origin}/api/binding`)).json()
  const client = clientOf(binding)

  async function settled(id: string, isEnough = isFinal): Promise<DurableOrchestrationStatus> {
    for (const untilMs = Date.now() + patienceMs; ; await sleep(25)) {
      const status = await client.getStatus(id)
      if (isEnough(status)) return status
      if (isFinal(status) || Date.now() > untilMs)
        throw new Error(`${id} is ${status.runtimeStatus}: ${JSON.stringify(status)}\n${output}`)
    }
  }

  return {
    client,
    origin,
    rpc: `${origin}/durabletask`,
    log: () => output,
    settled,
    async run(name, input, instanceId) {
      return settled(await client.startNew(name, { input, ...(instanceId ? { instanceId } : {}) }))
    },
    async says(text, times = 1) {
      for (const untilMs = Date.now() + patienceMs; output.split(text).length <= times; await sleep(10))
        if (Date.now() > untilMs) throw new Error(`"${text}" was not printed ${times} times: ${output}`)
    },
    exited: () => end(child),
    kill: () => end(child, 'SIGKILL'),
    stop: () => end(child, 'SIGTERM'),
  }
}

function clientOf(binding: unknown): DurableClient {
  // Unset, the library would rewrite the links to port 7071.
  process.env['WEBSITE_HOSTNAME'] ??= 'localhost'
  const input = df.input.durableClient()
  const context = { options: { extraInputs: [input] }, extraInputs: { get: () => binding } }
  return df.getClient(context as unknown as InvocationContext)
}

function readyPort(child: ChildProcess, output: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.stdout!.on('data', () => {
      const found = /"ready":true,"port":(\d+)/.exec(output())
      if (found) resolve(Number(found[1]))
    })
    // Not at its exit: its last words may still be on their way.
    child.once('close', (code) => reject(new Error(`The host ended with ${code}: ${output()}`)))
  })
}

async function end(child: ChildProcess, signal?: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('close', resolve))
  if (signal) child.kill(signal)
  await exited
}
