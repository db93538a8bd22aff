// The worker on a machine, as its service manager keeps it: begun after the boot, begun again when it dies, ended with the machine.
import { setTimeout as sleep } from 'node:timers/promises'
import { type PartProcess, type PartSpec, startPart } from '../platform/part-process.ts'

export interface GuestOptions {
  readonly spec: () => PartSpec
  readonly onStart: (pid: number) => void
  readonly onReady: (port: number) => void
  readonly onDeath: (manner: string) => void
}

export interface Guest {
  begin(): void
  /** SIGTERM, and SIGKILL to what is left of it after a while. */
  end(): Promise<void>
  /** As when the power goes. */
  cut(): void
}

const RESTART_MS = 500
/** One that never comes up is not begun in vain all the time. */
const LONGEST_MS = 10_000

export const createGuest = ({ spec, onStart, onReady, onDeath }: GuestOptions): Guest => {
  let part: PartProcess | undefined
  let turn: symbol | undefined

  const run = async (mine: symbol): Promise<void> => {
    for (let inVain = 0; turn === mine; inVain++) {
      const started = startPart(spec())
      part = started
      onStart(started.pid)
      const comeUp = (port: number) => {
        inVain = -1
        onReady(port)
      }
      started.ready.then(comeUp, () => started.stop())
      const manner = await started.ended
      if (turn !== mine) return
      onDeath(manner)
      await sleep(Math.min(RESTART_MS * 2 ** Math.max(inVain, 0), LONGEST_MS))
    }
  }

  return {
    begin() {
      if (turn) return
      turn = Symbol()
      void run(turn)
    },
    async end() {
      turn = undefined
      await part?.stop()
    },
    cut() {
      turn = undefined
      try {
        if (part) process.kill(-part.pid, 'SIGKILL')
      } catch {
        // Nobody is left in it.
      }
    },
  }
}
