// Keeps a part of the platform alive: starts it again when it dies, and gives up when it dies again and again.
import { setTimeout as sleep } from 'node:timers/promises'
import { type PartProcess, type PartSpec, startPart } from './part-process.ts'

export interface KeptPart {
  /** The same over restarts, since others were told of it. */
  readonly port: number
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface KeepOptions {
  /** Given the port to listen on; 0 lets the part choose at its first start. */
  spec: (port: number) => PartSpec
  port: number
  /** At each start, before the part can answer. */
  onStart: (part: PartProcess) => void
  say: (line: string) => void
  /** It answers again after it died. */
  onBack: (name: string) => void
  giveUp: (reason: string) => void
  /** One of several that others stand in for: it is started again however often it ends. */
  endless?: boolean
}

const CRASHES = 3
const WITHIN_MS = 60_000
const PAUSE_MS = 200

/** True at the last of too many crashes in a short time. */
export const isHopeless = (crashesAtMs: readonly number[], nowMs: number): boolean =>
  crashesAtMs.filter((at) => nowMs - at < WITHIN_MS).length >= CRASHES

export const keepPart = async (options: KeepOptions): Promise<KeptPart> => {
  const crashesAtMs: number[] = []
  const asked = new WeakSet<PartProcess>()
  let closed = false
  let { port } = options

  const launch = (): PartProcess => {
    const part = startPart(options.spec(port))
    options.onStart(part)
    // One that hangs at its start ends too, and counts as a crash.
    part.ready.catch(() => part.stop())
    return part
  }
  let part = launch()

  const stopPart = async (): Promise<void> => {
    asked.add(part)
    await part.stop()
  }
  const watch = async (watched: PartProcess): Promise<void> => {
    const manner = await watched.ended
    if (asked.has(watched)) return
    crashesAtMs.push(Date.now())
    const { name } = watched
    if (!options.endless && isHopeless(crashesAtMs, Date.now())) {
      closed = true
      return options.giveUp(`${name} ended ${CRASHES} times within a minute, the last time by ${manner}`)
    }
    options.say(`${name} ended (${manner}); starting it again`)
    await sleep(PAUSE_MS)
    if (closed || watched !== part) return
    part = launch()
    part.ready.then(
      () => options.onBack(name),
      () => {},
    )
    return watch(part)
  }

  try {
    port = await part.ready
  } catch (error) {
    await stopPart()
    throw error
  }
  void watch(part)

  return {
    port,
    async restart() {
      await stopPart()
      if (closed) return
      part = launch()
      void watch(part)
      await part.ready
    },
    async stop() {
      closed = true
      await stopPart()
    },
  }
}
