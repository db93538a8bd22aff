// The workers of a platform, as a test watches them: what each holds, what it has done, and its ffmpeg.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { processTable } from '../../host/platform/process-table.ts'
import type { PlatformProcess } from './platform-process.ts'
import type { Tenant } from './tenant.ts'

interface Line {
  readonly event: string
  readonly unit?: string
  readonly outcome?: string
  readonly heard?: string
}

const isOver = ({ state }: { state: string }) => state === 'ready' || state === 'failed'

export type Crew = ReturnType<typeof crewOf>

export function crewOf({ stateDirectory, pidOf }: PlatformProcess) {
  const lines = async (name: string): Promise<Line[]> => {
    const text = await readFile(join(stateDirectory, 'logs', `${name}.log`), 'utf8').catch(() => '')
    // The last may be half written.
    return [...text.matchAll(/\{"event":.*\}(?=\n)/g)].map(([line]) => JSON.parse(line) as Line)
  }
  const crew = {
    lines,
    /** Units of which it said so, and was believed. */
    done: async (name: string): Promise<string[]> =>
      (await lines(name))
        .filter(
          ({ event, outcome, heard }) =>
            event === 'fleet.reported' && outcome === 'done' && heard === 'heard',
        )
        .map(({ unit }) => unit ?? ''),
    /** What it has claimed and not reported, nor lost. */
    async holds(name: string): Promise<string[]> {
      const held = new Set<string>()
      for (const { event, unit = '' } of await lines(name)) {
        if (event === 'fleet.worker-started') held.clear()
        if (event === 'fleet.claimed') held.add(unit)
        if (event === 'fleet.reported' || event === 'fleet.claim-lost') held.delete(unit)
      }
      return [...held]
    },
    /**
     * Uploads until it is in the middle of a chunk of what was uploaded: a faster one may do the whole of a title. Where what
     * begins waits (`setPace`), it still is when this resolves.
     */
    async untilHolds(name: string, tenant: Tenant, film: Uint8Array): Promise<{ id: string; unit: string }> {
      for (;;) {
        const id = await tenant.upload(film)
        const isChunk = (unit: string) => new RegExp(`${id}-v1\\.\\d+$`).test(unit)
        for (let waits = 1; waits % 10 !== 0 || !isOver(await tenant.asset(id)); waits++) {
          const unit = (await crew.holds(name)).find(isChunk)
          if (unit) return { id, unit }
          await sleep(50)
        }
      }
    },
    toolsOf: (name: string): number[] =>
      processTable().flatMap(({ pid, group, command }) =>
        group === pidOf(name) && /^\S*ffmpeg -nostdin /.test(command) ? [pid] : [],
      ),
  }
  return crew
}
