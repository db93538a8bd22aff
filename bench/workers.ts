// How an encode grows with its workers: 1, 2 and 4 of them, each on one core; then up to 1,000, simulated from what units took.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { crewOf } from '../tests/support/crew.ts'
import { fleetOf, poolsOfTests } from '../tests/support/fleet.ts'
import { type PlatformProcess, startPlatform, stateFolder } from '../tests/support/platform-process.ts'
import { asTenant } from '../tests/support/tenant.ts'
import { median } from './median.ts'
import type { BenchRow } from './row.ts'
import { drawFootage } from './scene.ts'
import { simulateEncode } from './simulated-encode.ts'
import { createTimedTools } from './timed-tools.ts'

const seconds = 60
const counts = [1, 2, 4]
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 1)
const lookMs = 100
const filmSeconds = 7200
const simulated = [1, 10, 100, 300, 1000]

interface Unit {
  readonly isSound: boolean
  readonly beginsAtMs: number
  readonly endsAtMs: number
}

interface Run {
  readonly wallSeconds: number
  readonly units: readonly Unit[]
  /** Largest that was seen: ffmpeg of one unit, and a worker with it. */
  readonly toolMb: number
  readonly workerMb: number
}

const residentMb = (pid: number): number => {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** Its ffmpeg inherits the core. */
function pin(platform: PlatformProcess, names: readonly string[]): void {
  const cores = availableParallelism()
  for (const [n, name] of names.entries())
    execFileSync('taskset', ['-apc', String(n % cores), String(platform.pidOf(name))], { stdio: 'ignore' })
}

async function encodeWith(workers: number, film: string, env = {}): Promise<Run> {
  const names = Array.from({ length: workers }, (_, n) => `encoder-local-${n + 1}`)
  const platform = startPlatform(stateFolder(), {
    env: {
      FLEET_POOLS: poolsOfTests({ count: workers, minimum: workers }),
      ENCODE_EXECUTOR: 'fleet',
      ENCODE_THREADS: '1',
      ENCODE_CHUNK_SEGMENTS: '2',
      ...env,
    },
  })
  try {
    const { apiUrl, tenant: own } = await platform.healthy()
    for (const name of names) await fleetOf(platform).until(name, 'ready')
    pin(platform, names)
    const crew = crewOf(platform)
    const tenant = asTenant(apiUrl, own.apiKey)
    const id = await tenant.upload(film)
    const startMs = performance.now()
    const begun = new Map<string, number>()
    const units: Unit[] = []
    let [toolMb, workerMb] = [0, 0]
    let encoding = true
    const watching = (async () => {
      for (; encoding; await sleep(lookMs)) {
        const held = new Set((await Promise.all(names.map(crew.holds))).flat())
        for (const unit of held) if (!begun.has(unit)) begun.set(unit, performance.now())
        for (const [unit, atMs] of begun) {
          if (held.has(unit)) continue
          units.push({ isSound: unit.endsWith('.audio'), beginsAtMs: atMs, endsAtMs: performance.now() })
          begun.delete(unit)
        }
        for (const name of names) {
          workerMb = Math.max(workerMb, residentMb(platform.pidOf(name)))
          for (const tool of crew.toolsOf(name)) toolMb = Math.max(toolMb, residentMb(tool))
        }
      }
    })()
    const { state, error } = await tenant.until(
      id,
      (a) => a.state === 'ready' || a.state === 'failed',
      900_000,
    )
    encoding = false
    await watching
    if (state !== 'ready') throw new Error(`the encode failed: ${error?.code}`)
    return { wallSeconds: (performance.now() - startMs) / 1000, units, toolMb, workerMb }
  } finally {
    await platform.end('SIGINT')
    await rm(platform.stateDirectory, { recursive: true, force: true })
  }
}

const tenths = (value: number): number => Math.round(value * 10) / 10
const mean = (list: number[]): number => list.reduce((sum, one) => sum + one, 0) / Math.max(1, list.length)

export async function benchWorkers(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'movidone-workers-'))
  try {
    const film = await drawFootage(folder, { seconds, kbps: 5000 })
    // Beside a chunk on the same core the sound has to wait: what it takes on its own is the CPU of its two ffmpegs.
    const tools = await createTimedTools(join(folder, 'tools'))
    const made: Run[][] = counts.map(() => [])
    for (let round = 0; round < rounds; round++)
      for (const [n, workers] of counts.entries())
        made[n]?.push(await encodeWith(workers, film, workers === 1 ? tools.env : {}))
    // Whatever else the machine does makes a run longer, never shorter.
    const quickest = (list: Run[]) => list.reduce((a, b) => (a.wallSeconds <= b.wallSeconds ? a : b))
    const runs = made.map(quickest)
    const [alone] = runs as [Run]
    const sound = (await tools.take()).sound / rounds
    if (sound === 0) throw new Error('no ffmpeg that made the sound was seen')
    const cores = availableParallelism()
    const scaling = runs.map(({ wallSeconds }, n): BenchRow => {
      const ideal = Math.min(counts[n] ?? 1, cores)
      return {
        ...{ name: `encode of ${seconds} s of 1080p, ${counts[n]} workers of one core` },
        ...{ value: tenths(alone.wallSeconds / wallSeconds), unit: '× one' },
        note: `${tenths(wallSeconds)} s, the quickest of ${rounds}; the ideal line is at ${ideal} on the ${cores} cores here`,
      }
    })
    const secondsOf = ({ beginsAtMs, endsAtMs }: Unit) => (endsAtMs - beginsAtMs) / 1000
    const chunks = alone.units.filter(({ isSound }) => !isSound)
    const gaps = chunks.flatMap((unit, n) => {
      const next = chunks[n + 1]
      return next ? [Math.max(0, next.beginsAtMs - unit.endsAtMs) / 1000] : []
    })
    const facts = {
      // Of the size that is deployed: twice those here.
      chunkSeconds: 2 * median(chunks.map(secondsOf)),
      soundSeconds: (sound / seconds) * filmSeconds,
      // A gap between two looks is seen as often as it is long: many of them come to what they are.
      overheadSeconds: mean(gaps),
      filmSeconds,
    }
    return [
      ...scaling,
      {
        ...{
          name: 'workers: time between units',
          value: tenths(facts.overheadSeconds * 1000),
          unit: 'ms/unit',
        },
        note: `one worker, ${alone.units.length} units: offer, claim, report, event; seen each ${lookMs} ms`,
      },
      {
        ...{
          name: 'workers: memory of a unit',
          value: Math.round(Math.max(...runs.map(({ toolMb }) => toolMb))),
          unit: 'MB',
        },
        note: `its ffmpeg; the worker itself ${Math.round(Math.max(...runs.map(({ workerMb }) => workerMb)))} MB`,
      },
      ...simulated.map((workers): BenchRow => {
        const { totalSeconds, bound } = simulateEncode({ ...facts, workers })
        return {
          ...{
            name: `two-hour film, ${workers} workers (simulated)`,
            value: Math.round(totalSeconds),
            unit: 's',
          },
          note: `bound by ${bound}`,
        }
      }),
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
