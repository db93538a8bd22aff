// Decides how a part of the platform lives as a process: it says once that it is ready, and ends with whoever started it.
import { flushCompileCache } from 'node:module'
import { parseArgs } from 'node:util'

export interface Part {
  port: number
  close(): Promise<void>
}

const CLOSE_GRACE_MS = 4_000

/** Command line of a part: its folder, its port (0: any), and whatever else the part names. */
export const partArguments = (): { directory: string; port: number; options: Record<string, string> } => {
  const { values } = parseArgs({
    options: { directory: { type: 'string' }, port: { type: 'string', default: '0' } },
    strict: false,
  })
  if (typeof values['directory'] !== 'string') throw new Error('--directory names the folder of this part')
  const options = Object.entries(values).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  return {
    directory: values['directory'],
    port: Number(values['port']),
    options: Object.fromEntries(options),
  }
}

/**
 * The parent holds the other end of standard input: when it dies, however it dies, the kernel closes
 * that pipe, which no signal handler could promise.
 */
export const runPart = async (start: (fail: (error: Error) => void) => Promise<Part>): Promise<void> => {
  let part: Part | undefined
  let ending = false
  const end = (exitCode: number): void => {
    if (ending) return
    ending = true
    setTimeout(() => process.exit(exitCode), CLOSE_GRACE_MS).unref()
    void (part?.close() ?? Promise.resolve()).then(
      () => process.exit(exitCode),
      () => process.exit(1),
    )
  }
  const fail = (error: Error): void => {
    process.stderr.write(`${error.message}\n`)
    end(1)
  }
  process.once('SIGTERM', () => end(0))
  process.on('SIGINT', () => {}) // Ctrl-C reaches the whole terminal; the supervisor decides the order of the end.
  process.stdin.once('close', () => end(0)).resume()

  try {
    part = await start(fail)
    process.stdout.write(`${JSON.stringify({ ready: true, port: part.port })}\n`)
    // Not at its end, which may be a kill: the next start has what this one compiled.
    flushCompileCache()
  } catch (error) {
    fail(error as Error)
  }
}
