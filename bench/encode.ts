// What an encode through the platform costs, against one plain ffmpeg that makes the same ladder and sound: runs in turn.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { planLadder, type Rung } from '../shared/encode/ladder.ts'
import { type Platform, startPlatform } from '../tests/support/platform.ts'
import { asTenant } from '../tests/support/tenant.ts'
import { median } from './median.ts'
import type { BenchRow } from './row.ts'
import { drawFootage } from './scene.ts'
import { createTimedTools, type Kind, type TimedTools } from './timed-tools.ts'

const seconds = Number(process.env['BENCH_SECONDS'] ?? 60)
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 2)
const segmentSeconds = 4
const framesPerSecond = 25

interface Cost {
  readonly wallSeconds: number
  readonly cpuSeconds: number
}

/** Of a process and all children it has seen the end of (proc(5): utime, stime, cutime, cstime, in hundredths). */
function cpuSecondsOf(pid: number): number {
  const words = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return words.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100
}

const hlsOutput = ({ name, profile, maxrateKbps }: Rung, index: number, folder: string): string[] => [
  ...['-map', `[v${index}]`, '-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', profile],
  ...['-crf', '23', '-maxrate', `${maxrateKbps}k`, '-bufsize', `${2 * maxrateKbps}k`],
  ...['-g', String(segmentSeconds * framesPerSecond), '-sc_threshold', '0', '-bf', '3', '-threads', '2'],
  ...['-f', 'hls', '-hls_time', String(segmentSeconds), '-hls_segment_type', 'fmp4', '-hls_list_size', '0'],
  ...['-hls_fmp4_init_filename', `${name}.mp4`, join(folder, `${name}.m3u8`)],
]

/** One decode, all rungs, the sound beside them: what one would write without a platform. */
async function plainEncode(film: string, folder: string): Promise<Cost> {
  const rungs = planLadder({ width: 1920, height: 1080 }, framesPerSecond)
  const pads = rungs.map((_, n) => `[s${n}]`).join('')
  const scaled = rungs.map(
    ({ width, height }, n) =>
      `[s${n}]scale=${width}:${height}:flags=bicubic:out_range=tv,format=yuv420p[v${n}]`,
  )
  await mkdir(folder, { recursive: true })
  const argv = [
    ...['-v', 'error', '-nostdin', '-y', '-threads', '2', '-i', film],
    ...['-filter_complex', [`[0:v]split=${rungs.length}${pads}`, ...scaled].join(';')],
    ...rungs.flatMap((rung, n) => hlsOutput(rung, n, folder)),
    ...['-map', '0:a', '-c:a', 'aac', '-b:a', '128k', '-f', 'hls', '-hls_segment_type', 'fmp4'],
    ...['-hls_time', String(segmentSeconds), '-hls_list_size', '0', join(folder, 'audio.m3u8')],
  ]
  const before = cpuSecondsOf(process.pid)
  const startMs = performance.now()
  // As patient as the units are: what else runs on the machine weighs on both alike.
  const [code] = await once(spawn('nice', ['-n', '15', 'ffmpeg', ...argv], { stdio: 'inherit' }), 'close')
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}`)
  const wallSeconds = (performance.now() - startMs) / 1000
  return { wallSeconds, cpuSeconds: cpuSecondsOf(process.pid) - before }
}

interface Ours extends Cost {
  readonly assetId: string
  /** Of that, CPU seconds of the tools; the rest are the platform's own processes. */
  readonly tools: Readonly<Record<Kind, number>>
}

/** From `complete` to `ready`, with all that the platform does meanwhile: storing, sealing, images, its own documents. */
async function platformEncode(platform: Platform, tools: TimedTools, film: string): Promise<Ours> {
  const tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
  const cpu = () => platform.processes.reduce((sum, { pid }) => sum + cpuSecondsOf(pid), 0)
  await tools.take()
  const assetId = await tenant.upload(film)
  const before = cpu()
  const startMs = performance.now()
  let { state, error } = await tenant.asset(assetId)
  // Who asks often is part of what is measured.
  for (; state === 'encoding'; { state, error } = await tenant.asset(assetId)) await sleep(500)
  if (state !== 'ready') throw new Error(`the encode failed: ${error?.code}`)
  const wallSeconds = (performance.now() - startMs) / 1000
  return { assetId, wallSeconds, cpuSeconds: cpu() - before, tools: await tools.take() }
}

/** What the units of a title read, by their lines in the log, over the size of its source. */
function bytesRead(platform: Platform, assetId: string, sizeBytes: number): Map<string, number> {
  const read = new Map<string, number>()
  const log = readFileSync(join(platform.folder, 'logs', 'functions.log'), 'utf8')
  for (const [line] of log.matchAll(/\{"event":"encode\.read".*?\}/g)) {
    const { assetId: of, unit, bytes } = JSON.parse(line) as { assetId: string; unit: string; bytes: number }
    if (of !== assetId) continue
    const kind = unit.replace(/ \d+$/, '')
    read.set(kind, (read.get(kind) ?? 0) + bytes / sizeBytes)
  }
  return read
}

const hundredths = (value: number): number => Math.round(value * 100) / 100

type Shares = Record<Kind | 'own' | 'ladder', number>

/** `own` is what is no tool's; `ladder` is all but images and probe, which a plain ffmpeg does not make. */
function sharesOf({ cpuSeconds, tools }: Ours, plainSeconds: number): Shares {
  const { chunks, sound, images, probe } = tools
  const own = cpuSeconds - chunks - sound - images - probe
  const ladder = own + chunks + sound
  const seconds = { chunks, sound, images, probe, own, ladder }
  const shares = Object.entries(seconds).map(([name, some]) => [name, some / plainSeconds])
  return Object.fromEntries(shares) as Shares
}

export async function benchEncode(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'movidone-encode-'))
  const tools = await createTimedTools(join(folder, 'tools'))
  const platform = await startPlatform({ env: tools.env })
  try {
    const film = await drawFootage(folder, { seconds, kbps: 5000 })
    const { size } = await stat(film)
    const pairs: Array<{ plain: Cost; ours: Ours }> = []
    let read = new Map<string, number>()
    for (let round = 0; round < rounds; round++) {
      const plain = () => plainEncode(film, join(folder, 'plain'))
      const ours = () => platformEncode(platform, tools, film)
      // In turn, and in turn the first: what else the machine does is spread over both.
      const first = round % 2 === 0 ? { plain: await plain() } : { ours: await ours() }
      const pair = { plain: first.plain ?? (await plain()), ours: first.ours ?? (await ours()) }
      read = bytesRead(platform, pair.ours.assetId, size)
      pairs.push(pair)
    }
    const spread = (list: number[]): string =>
      `${rounds} pairs, ${hundredths(Math.min(...list))} to ${hundredths(Math.max(...list))}`
    const wall = pairs.map(({ plain, ours }) => ours.wallSeconds / plain.wallSeconds)
    const shares = pairs.map(({ plain, ours }) => sharesOf(ours, plain.cpuSeconds))
    const cpu = shares.map(({ ladder }) => ladder)
    const shareOf = (name: keyof Shares): string =>
      hundredths(median(shares.map((share) => share[name]))).toFixed(2)
    const plainCpu = median(pairs.map(({ plain }) => plain.cpuSeconds))
    const units = (read.get('chunk') ?? 0) + (read.get('audio') ?? 0)
    const beside = [...read].filter(([kind]) => !['chunk', 'audio'].includes(kind))
    return [
      {
        name: `encode of ${seconds} s of 1080p / one plain ffmpeg, CPU`,
        value: hundredths(median(cpu)),
        unit: '×',
        note: `floor 1.10, goal 1.00; ${spread(cpu)}; chunks ${shareOf('chunks')}, sound ${shareOf('sound')}, the platform ${shareOf('own')}; beside it images ${shareOf('images')}, probe ${shareOf('probe')}; the plain one takes ${Math.round(plainCpu)} s, two threads an encoder`,
      },
      {
        name: 'the same, wall',
        value: hundredths(median(wall)),
        unit: '×',
        note: `floor 1.10, goal 1.00; ${spread(wall)}; images and probe are in it`,
      },
      {
        name: 'bytes read by chunks and sound / source',
        value: hundredths(units),
        unit: '×',
        note: `floor 1.5; beside it ${beside.map(([kind, share]) => `${kind} ${hundredths(share)}`).join(', ')}`,
      },
    ]
  } finally {
    await platform.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
