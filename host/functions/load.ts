// Loads an app the way the Node worker does: entry points of `main`, hooks, capabilities, then no more registering.
import { globSync, readFileSync } from 'node:fs'
import http from 'node:http'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkFunctions, type RunnableFunction } from './bindings.ts'
import { type Core, installCoreModule, type ProgrammingModel } from './core-module.ts'
import type { Log } from './log.ts'
import { messageOf, startupError } from './startup-error.ts'
import { createStreamInlet, type StreamInlet } from './stream-inlet.ts'

export interface App {
  readonly folder: string
  readonly functions: readonly RunnableFunction[]
  readonly model: ProgrammingModel
  readonly hooks: Core['hooks']
  readonly appHookData: object
  /** Where requests go in when the app asked for streaming; undefined in buffered mode. */
  readonly inlet: StreamInlet | undefined
}

/** What the real worker announces; `HttpUri` comes on top when the app streams. */
const capabilityNames = [
  'RawHttpBodyBytes',
  'RpcHttpTriggerMetadataRemoved',
  'RpcHttpBodyOnly',
  'IgnoreEmptyValuedRpcHttpHeaders',
  'UseNullableValueDictionaryForHttp',
  'WorkerStatus',
  'TypedDataCollection',
  'HandlesWorkerTerminateMessage',
]

export async function loadApp(folder: string, log: Log): Promise<App> {
  const core = installCoreModule(log)
  await loadEntryPoints(folder, log)
  const appHookData = {}
  await core.hooks.run('appStart', { functionAppDirectory: folder, hookData: {}, appHookData })
  const model = core.model()
  if (!model || core.functions.size === 0) {
    throw startupError(
      'No function was registered: call app.http() or the like from the entry point (rule 9).',
    )
  }
  const inlet = await connect(model)
  core.lock()
  return {
    folder,
    functions: checkFunctions(core.functions.values()),
    model,
    hooks: core.hooks,
    appHookData,
    inlet,
  }
}

async function loadEntryPoints(folder: string, log: Log): Promise<void> {
  const { main, type } = readPackage(folder)
  if (!main) throw startupError(`package.json in ${folder} has no "main": it names the entry point (rule 9).`)
  const files = globSync(main, { cwd: folder }).sort()
  if (files.length === 0) throw startupError(`No file matches "main": "${main}" of package.json (rule 9).`)
  const require = createRequire(join(folder, 'package.json'))
  for (const file of files) {
    const path = join(folder, file)
    try {
      if (file.endsWith('.mjs') || (type === 'module' && !file.endsWith('.cjs')))
        await import(pathToFileURL(path).href)
      else require(path)
    } catch (error) {
      log('error', 'Host.Startup', error instanceof Error ? (error.stack ?? error.message) : String(error))
      // On Azure the host would go on without a single function and still call itself Running.
      throw startupError(`The entry point "${file}" could not be loaded: ${messageOf(error)} (rule 9)`, error)
    }
  }
}

function readPackage(folder: string): { main?: string; type?: string } {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { main?: string; type?: string }
  } catch (error) {
    throw startupError(`${join(folder, 'package.json')} cannot be read: ${messageOf(error)}`, error)
  }
}

/**
 * With streaming on, the library opens a server of its own on every interface for the host to forward requests
 * to. It gets a stand-in instead: the same events, no second socket, and nothing listens beyond loopback.
 */
async function connect(model: ProgrammingModel): Promise<StreamInlet | undefined> {
  const inlet = createStreamInlet()
  const original = http.createServer
  http.createServer = (() => inlet.server) as unknown as typeof http.createServer
  syncBuiltinESMExports()
  let pending: Promise<Record<string, string>>
  try {
    // The library makes its server before it first waits, so no other code ever meets the stand-in.
    pending = model.getCapabilities(Object.fromEntries(capabilityNames.map((name) => [name, 'true'])))
  } finally {
    http.createServer = original
    syncBuiltinESMExports()
  }
  return (await pending)['HttpUri'] === undefined ? undefined : inlet
}
