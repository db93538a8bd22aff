// Starts one part of the local platform as the platform itself does: a child that says when it is ready and ends with us.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface RunningPart {
  readonly port: number
  readonly directory: string
  /** Ends the child and removes its folder. */
  stop(): Promise<void>
}

/** `program` is relative to the project's root. */
export async function startPart(program: string, flags: readonly string[] = []): Promise<RunningPart> {
  const file = fileURLToPath(new URL(`../../${program}`, import.meta.url))
  const directory = await mkdtemp(join(tmpdir(), 'movidone-test-'))
  const child = spawn(process.execPath, [file, '--directory', directory, '--port', '0', ...flags], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const stop = async () => {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
    await rm(directory, { recursive: true, force: true })
  }
  const complaints: string[] = []
  child.stderr.on('data', (bytes) => complaints.push(String(bytes)))
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{"ready":true')) continue
    child.stdout.resume()
    return { port: (JSON.parse(line) as { port: number }).port, directory, stop }
  }
  await stop()
  throw new Error(`${program} did not start: ${complaints.join('')}`)
}
