// Serves one function app from its folder: settings, load, durable engine, timers, HTTP, in that order.
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Durable, LoadedApp } from '../contract.ts'
import type { RunnableFunction } from './bindings.ts'
import { type CrashWatch, watchCrashes } from './crash.ts'
import { type HostSettings, readHostJson } from './host-json.ts'
import { type HttpServer, listen } from './http-server.ts'
import { createInvoke, type Invoke } from './invoke.ts'
import { type App, loadApp } from './load.ts'
import { createLoadedApp, isDisabled, needsDurable } from './loaded-app.ts'
import { createLog, type Log } from './log.ts'
import { defaultBodyLimitBytes } from './request-body.ts'
import { createRouter, type Router } from './routes.ts'
import { applySettings, describeHost, portFrom, readLocalSettings } from './settings.ts'
import { createThrottle } from './throttle.ts'
import { createTimer, type Timer } from './timers.ts'

export interface ServeOptions {
  readonly folder: string
  /** 0 for any free one; undefined for `PORT`, the settings' `LocalHttpPort` or 7071. */
  readonly port?: number | undefined
  /** Durable history and timer status live here. */
  readonly stateDirectory: string
  /** Loopback unless something else is asked for. */
  readonly hostname?: string | undefined
  readonly env?: Readonly<Record<string, string>>
  /** Seconds without a byte after which the real host gives a request up. */
  readonly idleSeconds?: number
}

export interface Served {
  readonly port: number
  close(): Promise<void>
}

/** How long a shutdown waits for requests and timer runs. */
const graceMs = 30_000

/** One app a process: the worker's module, the library's state and the environment are all the process's own. */
export async function serveApp(options: ServeOptions): Promise<Served> {
  const folder = resolve(options.folder)
  const state = resolve(options.stateDirectory)
  const env = Object.assign(process.env, options.env)
  const local = readLocalSettings(folder)
  applySettings(env, local.values)
  const settings = readHostJson(folder, env)
  const log = createLog({ lowest: settings.logLevel })
  if (local.cors) log('warning', 'Host.Startup', 'Host.CORS of local.settings.json has no effect here.')
  for (const key of settings.unknownKeys) log('warning', 'Host.Startup', `host.json: '${key}' is not known`)

  const server = await listen(
    options.port ?? portFrom(env['PORT'], local.port),
    options.hostname ?? '127.0.0.1',
  )
  let durable: Durable | undefined
  const watch = watchCrashes({
    log,
    exit: (code) => process.exit(code),
    abandon: () => server.abandon(),
  })
  try {
    describeHost(env, folder, server.port)
    const app = await loadApp(folder, log)
    const functions = app.functions.filter(({ name }) => settings.functions?.includes(name) ?? true)
    const router = createRouter(functions, settings.routePrefix)
    reportRoutes(router, functions, log)
    const invoke = createInvoke({
      app,
      log,
      timeoutSeconds: settings.functionTimeoutSeconds,
      clientBinding: () => durable?.clientBinding() ?? '',
      onTimeout: watch.crash,
    })
    const enabled = functions.filter(({ name }) => !isDisabled(name, env))
    const timers = enabled
      .filter(({ trigger }) => trigger === 'timerTrigger')
      .map((target) => createTimer(target, { invoke, log, env, directory: join(state, 'timers') }))
    if (needsDurable(enabled)) {
      durable = await startDurable({
        app: createLoadedApp(folder, enabled, invoke),
        settings,
        state,
        port: server.port,
        log,
      })
    }
    open(server, { app, functions, router, invoke, timers, settings, durable, log, env, options })
    for (const timer of timers) timer.start()
    return { port: server.port, close: () => close({ app, server, timers, durable, watch, folder }) }
  } catch (error) {
    watch.stop()
    await server.abandon()
    throw error
  }
}

function reportRoutes(router: Router, functions: readonly RunnableFunction[], log: Log): void {
  for (const { template, methods, target } of router.routes) {
    log(
      'information',
      'Host.Startup',
      `Mapped function route '${template}' [${methods.join(',')}] to '${target.name}'`,
    )
  }
  for (const warning of router.warnings) log('warning', 'Host.Startup', warning)
  const keyed = functions.filter(({ binding }) => (binding['authLevel'] ?? 'anonymous') !== 'anonymous')
  if (keyed.length === 0) return
  const names = keyed.map(({ name }) => name).join(', ')
  log(
    'warning',
    'Host.Startup',
    `rule 18: no key is checked here, as under func start; it would be for: ${names}`,
  )
}

interface DurableParts {
  readonly app: LoadedApp
  readonly settings: HostSettings
  readonly state: string
  readonly port: number
  readonly log: Log
}

async function startDurable({ app, settings, state, port, log }: DurableParts): Promise<Durable> {
  const { createDurable } = await import('../durable/index.ts')
  const levels = { info: 'information', warn: 'warning', error: 'error' } as const
  const durable = await createDurable({
    app,
    hostJson: settings,
    directory: join(state, 'durable'),
    origin: `http://localhost:${port}`,
    log: (level, message) => log(levels[level], 'Host.Triggers.DurableTask', message),
  })
  await durable.start()
  return durable
}

interface Parts {
  readonly app: App
  readonly functions: readonly RunnableFunction[]
  readonly router: Router
  readonly invoke: Invoke
  readonly timers: readonly Timer[]
  readonly settings: HostSettings
  readonly durable: Durable | undefined
  readonly log: Log
  readonly env: NodeJS.ProcessEnv
  readonly options: ServeOptions
}

function open(server: HttpServer, parts: Parts): void {
  const { app, functions, router, invoke, timers, settings, durable, log, env, options } = parts
  server.open({
    invoke,
    log,
    durable,
    inlet: app.inlet,
    bodyLimitBytes: Number(env['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'] ?? defaultBodyLimitBytes),
    idleSeconds: options.idleSeconds ?? 240,
    customHeaders: settings.customHeaders,
    throttle: createThrottle(settings.maxConcurrentRequests, settings.maxOutstandingRequests),
    admin: {
      functions,
      router,
      origin: `http://localhost:${server.port}`,
      isDisabled: ({ name }) => isDisabled(name, env),
      fire(target) {
        const timer = timers.find((one) => one.target === target)
        if (timer) timer.fire()
        else
          log(
            'error',
            'Host.Admin',
            `Only timers can be fired by hand; '${target.name}' has a ${target.trigger}.`,
          )
      },
    },
  })
}

interface Closing {
  readonly app: App
  readonly server: HttpServer
  readonly timers: readonly Timer[]
  readonly durable: Durable | undefined
  readonly watch: CrashWatch
  readonly folder: string
}

async function close({ app, server, timers, durable, watch, folder }: Closing): Promise<void> {
  const stopped = Promise.all(timers.map((timer) => timer.stop()))
  await Promise.all([
    server.drain(graceMs),
    Promise.race([stopped, sleep(graceMs, undefined, { ref: false })]),
  ])
  await durable?.close()
  await app.hooks.run('appTerminate', {
    functionAppDirectory: folder,
    hookData: {},
    appHookData: app.appHookData,
  })
  watch.stop()
}
