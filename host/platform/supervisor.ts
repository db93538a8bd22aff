// Brings the platform up in the order its parts need each other, watches them, and takes all of them down.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { appSettings } from './app-settings.ts'
import { armSettings, armSpec, awakeIn, followMachines } from './arm-part.ts'
import { build, isStale } from './build.ts'
import { chooseFfmpeg, type Ffmpeg } from './ffmpeg.ts'
import { fleetLine, type LocalFleet, localFleet } from './fleet.ts'
import { freePort, sameOrAnyPort } from './free-port.ts'
import { type KeptPart, keepPart } from './keeper.ts'
import { endLeftovers } from './leftovers.ts'
import { type ListedProcess, readLocalJson, writeLocalJson } from './local-json.ts'
import { type LocalSecrets, localSecrets } from './local-tenant.ts'
import { lockState } from './lock.ts'
import { openLog } from './log-file.ts'
import { type StartOptions, startProblem } from './options.ts'
import type { Output } from './output.ts'
import type { PartProcess, PartSpec } from './part-process.ts'
import { functionsSpec, type StoreName, storeSpec } from './parts.ts'
import { secretFile } from './secret-file.ts'

export interface Platform {
  readonly apiUrl: string
  readonly consoleUrl: string
  readonly secrets: LocalSecrets
  readonly ffmpeg: Ffmpeg
  readonly hasFleet: boolean
  /** Builds anew, and lets the functions host load it. */
  reload(): Promise<void>
  stop(): Promise<void>
}

export interface Surroundings {
  options: StartOptions
  output: Output
  /** A part that can't be kept alive: the platform has to end. */
  giveUp: (reason: string) => void
  /** Ctrl-C while it is starting. */
  signal: AbortSignal
}

const HEALTHY_MS = 120_000
const POLL_MS = 50
const ACCOUNT = 'movidone'

const secondsSince = (startedAtMs: number): string => `${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`

/** All of them, even when one fails: what was started has to be known before it can be stopped. */
const allOf = async <T extends readonly unknown[]>(work: [...T]) => {
  await Promise.allSettled(work)
  return Promise.all(work)
}

const waitUntilHealthy = async (apiUrl: string, signal: AbortSignal): Promise<void> => {
  const until = Date.now() + HEALTHY_MS
  let last = 'no answer'
  while (Date.now() < until) {
    signal.throwIfAborted()
    try {
      const response = await fetch(`${apiUrl}/api/healthz`)
      last = `${response.status} ${await response.text()}`
      if (response.ok) return
    } catch (error) {
      last = String((error as Error).cause ?? error)
    }
    await sleep(POLL_MS)
  }
  throw startProblem(`The app does not become healthy; its last answer was: ${last}`)
}

export const startPlatform = async ({ options, output, giveUp, signal }: Surroundings): Promise<Platform> => {
  const { folder, stateDirectory } = options
  const fleet = localFleet(options, process.env)
  const lock = lockState(stateDirectory)
  const port = await freePort(options.port)
  const apiUrl = `http://127.0.0.1:${port}`
  const consoleUrl = `${apiUrl}/console/`
  lock.tell({ pid: process.pid, apiUrl })
  const last = readLocalJson(stateDirectory)
  const secrets = localSecrets(last)
  const before = last?.processes ?? []
  // An earlier version kept them a second time.
  rmSync(join(stateDirectory, 'secrets.json'), { force: true })
  const kept = new Map<string, KeptPart>()
  const listed = new Map<string, ListedProcess>([
    ['supervisor', { name: 'supervisor', pid: process.pid, port }],
  ])

  const writeList = (): void =>
    writeLocalJson(stateDirectory, { apiUrl, consoleUrl, ...secrets, processes: [...listed.values()] })
  // Written before the part it names can answer, so whoever sees the platform healthy finds all of it here.
  const list = (name: string, pid: number, at: number): void => {
    listed.set(name, { name, pid, port: at })
    writeList()
  }
  const unlist = (name: string): void => {
    if (listed.delete(name)) writeList()
  }
  const keep = async (spec: (port: number) => PartSpec, at: number): Promise<KeptPart> => {
    const onStart = (part: PartProcess): void => list(part.name, part.pid, listed.get(part.name)?.port ?? at)
    const onBack = (name: string): void => output.part(name, 'is back')
    const say = (line: string): void => output.problem(line)
    const part = await keepPart({ spec, port: at, onStart, say, onBack, giveUp })
    kept.set(spec(at).name, part)
    return part
  }
  const startStore = async (name: StoreName): Promise<{ port: number; key: string }> => {
    const startedAtMs = Date.now()
    const log = openLog(join(stateDirectory, 'logs', `${name}.log`))
    const at = await sameOrAnyPort(before.find((one) => one.name === name)?.port)
    const part = await keep(storeSpec(name, options, log), at)
    list(name, listed.get(name)?.pid ?? 0, part.port)
    const key = secretFile(join(stateDirectory, name, 'account-key'), 64)
    const provision = await import('./provision.ts')
    if (name === 'cosmos')
      await provision.provisionCosmos({ endpoint: `http://127.0.0.1:${part.port}/`, key })
    else {
      const url = `http://127.0.0.1:${part.port}/${ACCOUNT}`
      const uploadOrigins = [apiUrl, `http://localhost:${port}`, ...options.uploadOrigins]
      await provision.provisionBlobs({ url, name: ACCOUNT, key, uploadOrigins })
    }
    output.part(name, secondsSince(startedAtMs))
    return { port: part.port, key }
  }
  const startArm = (fleet: LocalFleet, settings: Record<string, string>, at: number): Promise<KeptPart> => {
    const log = openLog(join(stateDirectory, 'logs', 'arm.log'))
    const listWorker = (name: string, to: { pid?: number | undefined; port?: number | undefined }) =>
      list(name, to.pid ?? listed.get(name)?.pid ?? 0, to.port ?? 0)
    const onLine = followMachines(output, { list: listWorker, unlist })
    return keep(armSpec({ options, fleet, settings, log, onLine }), at)
  }
  const buildIfStale = async (): Promise<void> => {
    const startedAtMs = Date.now()
    if (!isStale(folder)) return output.part('build', 'up to date')
    await build(folder)
    output.part('build', secondsSince(startedAtMs))
  }
  const stop = async (): Promise<void> => {
    // Workers give back what they hold, which needs the app; whatever is left needs the stores.
    for (const names of [['arm'], ['functions'], ['storage', 'cosmos']])
      await Promise.all(names.map((name) => kept.get(name)?.stop()))
    lock.release()
  }

  try {
    const left = await endLeftovers(stateDirectory, before)
    if (left > 0)
      output.line(`  ended ${left} process${left === 1 ? '' : 'es'} that an earlier run left behind`)
    const [storage, cosmos, ffmpeg] = await allOf([
      startStore('storage'),
      startStore('cosmos'),
      chooseFfmpeg(process.env, stateDirectory),
      buildIfStale(),
    ])
    signal.throwIfAborted()
    output.part('ffmpeg', `${ffmpeg.version} (${ffmpeg.ffmpegPath})`)

    const startedAtMs = Date.now()
    const { COSMOS_DATABASE } = await import('./provision.ts')
    const settings = {
      ...fleet?.settings,
      ...appSettings({
        stateDirectory,
        apiUrl,
        blob: { url: `http://127.0.0.1:${storage.port}/${ACCOUNT}`, name: ACCOUNT, key: storage.key },
        cosmos: { endpoint: `http://127.0.0.1:${cosmos.port}/`, key: cosmos.key, database: COSMOS_DATABASE },
        secrets,
        ffmpeg,
      }),
    }
    const log = openLog(join(stateDirectory, 'logs', 'functions.log'))
    const echo = options.watch ? (line: string) => output.line(line) : undefined
    const armPort = fleet && (await freePort(0))
    const forApp = { ...settings, ...(armPort ? armSettings(stateDirectory, armPort) : {}) }
    const [functions, arm] = await allOf([
      keep(functionsSpec({ options, settings: forApp, log, echo }), port),
      fleet && armPort ? startArm(fleet, settings, armPort) : undefined,
    ])
    await waitUntilHealthy(apiUrl, signal)
    output.part('functions', secondsSince(startedAtMs))
    if (fleet) output.part('fleet', fleetLine(fleet, awakeIn(stateDirectory)))

    return {
      apiUrl,
      consoleUrl,
      secrets,
      ffmpeg,
      hasFleet: fleet !== undefined,
      async reload() {
        await build(folder)
        await functions.restart()
        await arm?.restart()
        await waitUntilHealthy(apiUrl, signal)
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
