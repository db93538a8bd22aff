// `npm start`: brings the platform up, shows what a new user needs, and takes everything down again on Ctrl-C.

import { isStartProblem, type StartOptions, startOptions } from './options.ts'
import { type Output, terminalOutput } from './output.ts'
import { ensureSample } from './sample.ts'
import { type Platform, startPlatform } from './supervisor.ts'
import { reloadOnChange } from './watch.ts'
import { consoleLines, curlLines, ffmpegAdvice } from './welcome.ts'

const messageOf = (error: unknown): string => {
  if (isStartProblem(error)) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

const showUpload = (platform: Platform, options: StartOptions, output: Output): void => {
  output.line('  Upload a film of your own:')
  output.line()
  for (const line of curlLines(platform, options)) output.line(`    ${line}`)
  output.line()
  output.line('  Ctrl-C stops everything; the next start goes on where it was.')
  output.line()
}

/** Never fails: without its sample title the platform is as good. */
const greet = async (platform: Platform, options: StartOptions, output: Output, signal: AbortSignal) => {
  for (const line of [...consoleLines(platform, options), ...ffmpegAdvice(platform)]) output.line(line)
  try {
    const { stateDirectory } = options
    if (options.sample) {
      const url = await ensureSample({ platform, stateDirectory, output, signal })
      output.line(`  Sample     ${url}`)
      output.line()
    }
  } catch (error) {
    if (!signal.aborted) output.problem(error instanceof Error ? error.message : String(error))
  }
  if (!signal.aborted) showUpload(platform, options, output)
}

export const start = async (argv: string[], folder: string): Promise<void> => {
  const output = terminalOutput(process.stdout)
  const ending = new AbortController()
  const reasons: string[] = []
  const end = (reason?: string): void => {
    if (reason) reasons.push(reason)
    else if (ending.signal.aborted) process.exit(1) // A second Ctrl-C: the parts end by themselves.
    ending.abort()
  }
  process.on('SIGINT', () => end())
  process.on('SIGTERM', () => end())
  process.on('SIGHUP', () => end())

  let platform: Platform | undefined
  try {
    const options = startOptions(argv, process.env, folder)
    output.line()
    platform = await startPlatform({ options, output, giveUp: end, signal: ending.signal })
    if (options.watch) reloadOnChange(folder, output, platform.reload)
    const greeting = greet(platform, options, output, ending.signal)
    await new Promise<void>((resolve) => {
      if (ending.signal.aborted) resolve()
      ending.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    output.line()
    await greeting
  } catch (error) {
    if (!ending.signal.aborted) reasons.push(messageOf(error))
  }
  if (reasons.length === 0) output.line('  Stopping…')
  await platform?.stop()
  for (const reason of reasons) output.problem(reason)
  process.exit(reasons.length > 0 ? 1 : 0)
}
