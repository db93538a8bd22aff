// The commands that run one function app: `app` for people, `functions` as a child of the platform.
import { flushCompileCache } from 'node:module'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Served, serveApp } from './serve.ts'
import { messageOf, startupError } from './startup-error.ts'

const usage = 'usage: npm run host -- <folder of a function app> [--port n] [--host address]'

export async function runCommand(command: 'app' | 'functions', args: readonly string[]): Promise<void> {
  try {
    const { folder, port, state, host } = readArguments(command, args)
    const served = await serveApp({ folder, port, stateDirectory: state, hostname: host })
    // Before anybody is told that it is ready, and may ask it to end.
    endWith(command, served)
    const address = `Functions of ${folder} answer at http://localhost:${served.port}/`
    process.stdout.write(
      `${command === 'app' ? address : JSON.stringify({ ready: true, port: served.port })}\n`,
    )
    // Not at its end, which may be a kill: the next start has what this one compiled.
    flushCompileCache()
  } catch (error) {
    const known = error instanceof Error && error.name === 'StartupError'
    process.stderr.write(`${known ? messageOf(error) : ((error as Error).stack ?? String(error))}\n`)
    process.exit(1)
  }
}

function readArguments(command: string, args: readonly string[]) {
  const { values, positionals } = parse(args)
  const folder = command === 'app' ? positionals[0] : values.folder
  if (!folder) throw startupError(usage)
  const port = values.port === undefined ? undefined : Number(values.port)
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port < 65_536)) {
    throw startupError(`--port is '${values.port}', not a port.`)
  }
  return {
    folder: resolve(folder),
    port,
    host: values.host,
    state: values.state ?? resolve(folder, '.movidone'),
  }
}

function parse(args: readonly string[]) {
  try {
    const string = { type: 'string' } as const
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { folder: string, port: string, state: string, host: string },
    })
  } catch (error) {
    throw startupError(`${messageOf(error)} ${usage}`)
  }
}

function endWith(command: 'app' | 'functions', served: Served): void {
  let ending = false
  const end = (): void => {
    if (ending) process.exit(1)
    ending = true
    served.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${messageOf(error)}\n`)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', end)
  // Ctrl-C reaches every process of the terminal; the platform decides the order of the end.
  process.on('SIGINT', command === 'app' ? end : () => {})
}
