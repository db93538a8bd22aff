// What the local Durable engine costs: a fan-out of 1,000 activities that do nothing, and a chain of 100, in a process of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { median } from './median.ts'
import type { BenchRow } from './row.ts'

const root = join(import.meta.dirname, '..')
const runs = 5

interface Engine {
  readonly child: ChildProcess
  readonly origin: string
}

async function startEngine(directory: string): Promise<Engine> {
  const folder = join(import.meta.dirname, 'engine-app')
  const args = ['host/main.ts', 'functions', '--folder', folder, '--port', '0', '--state', directory]
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /"ready":true,"port":(\d+)/.exec(line)
    if (found) return { child, origin: `http://127.0.0.1:${found[1]}` }
  }
  throw new Error('The host ended before it was ready.')
}

interface Cost {
  readonly wallMs: number
  readonly cpuMs: number
}

async function cpuMs({ origin }: Engine): Promise<number> {
  return ((await (await fetch(`${origin}/api/cost`)).json()) as Cost).cpuMs
}

/** From the request to the result: the engine itself answers when the instance has ended. */
async function measure(engine: Engine, [name, count]: [string, number]): Promise<Cost> {
  const beforeMs = await cpuMs(engine)
  const url = `${engine.origin}/durabletask/orchestrators/${name}?timeout=60&pollingInterval=0.005`
  const startMs = performance.now()
  const answer = await fetch(url, { method: 'POST', body: String(count) })
  const wallMs = performance.now() - startMs
  const result: unknown = await answer.json()
  if (result !== count) throw new Error(`${name} of ${count} gave ${JSON.stringify(result)}.`)
  return { wallMs, cpuMs: (await cpuMs(engine)) - beforeMs }
}

async function rowsOf(engine: Engine, load: [string, number], name: string): Promise<BenchRow[]> {
  // The first run warms the compiler up.
  await measure(engine, load)
  const costs: Cost[] = []
  while (costs.length < runs) costs.push(await measure(engine, load))
  const perActivity = (key: keyof Cost) => median(costs.map((cost) => cost[key])) / load[1]
  const note = `median of ${runs} runs; engine, library and app in one process`
  return [
    { name: `${name}: wall`, value: round(perActivity('wallMs')), unit: 'ms/activity', note },
    { name: `${name}: CPU`, value: round(perActivity('cpuMs')), unit: 'ms/activity', note },
    { name: `${name}: rate`, value: Math.round(1000 / perActivity('wallMs')), unit: 'activities/s', note },
  ]
}

const round = (value: number) => Number(value.toFixed(3))

export async function benchEngine(): Promise<BenchRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'engine-bench-'))
  const engine = await startEngine(directory)
  try {
    return [
      ...(await rowsOf(engine, ['FanOut', 1000], 'engine, fan-out of 1,000')),
      ...(await rowsOf(engine, ['Chain', 100], 'engine, chain of 100')),
    ]
  } finally {
    const exited = once(engine.child, 'exit')
    engine.child.kill('SIGTERM')
    await exited
    rmSync(directory, { recursive: true, force: true })
  }
}

if (process.argv[1] === import.meta.filename) {
  const rows = await benchEngine()
  for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`)
  const width = Math.max(...rows.map(({ name }) => name.length))
  for (const { name, value, unit } of rows)
    process.stdout.write(`${name.padEnd(width)}  ${String(value).padStart(9)} ${unit}\n`)
}
