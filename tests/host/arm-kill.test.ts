// The resource manager as a process: what it acknowledged outlives any kill, its machines' workers end and come back with it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it, vi } from 'vitest'
import { processTable } from '../../host/platform/process-table.ts'
import { createMachines } from '../../shared/azure/machines.ts'
import { systemClock } from '../../shared/core/clock.ts'
import type { Power } from '../../shared/fleet/ports.ts'
import { armPlace } from '../support/arm.ts'
import { seeded } from '../support/seeded.ts'

// Processes that are started, killed and awaited many times: on a machine that does much else this takes its time.
vi.setConfig({ testTimeout: 240_000 })

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const kills = Number(process.env['KILLS'] ?? 6)
const root = fileURLToPath(new URL('../..', import.meta.url))
const names = ['encoder-a-1', 'encoder-a-2', 'encoder-b-1']
const folders: string[] = []
const started: Array<{ kill(signal: NodeJS.Signals): unknown }> = []

afterAll(async () => {
  for (const one of started) one.kill('SIGKILL')
  await sleep(500)
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const stateFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'movidone-arm-'))
  folders.push(folder)
  return folder
}

/** The first of them; never 0, which would be this test's own group. */
const workerOf = (folder: string): number => {
  const [worker] = workersOf(folder)
  if (!worker) throw new Error('no worker runs')
  return worker.pid
}
/** Workers of machines in that folder. */
const workersOf = (folder: string) =>
  processTable().filter(({ command }) => command.includes('app-guest/worker.ts') && command.includes(folder))

async function start(folder: string, planned: ReadonlyArray<{ name: string; on?: boolean }>) {
  const arm = {
    ...armPlace,
    planned: planned.map((one) => ({ size: 'local', zone: '', ...one })),
    times: { startMs: 80, bootMs: 80, stopMs: 40 },
    program: join(root, 'tests/host/app-guest/worker.ts'),
    folder: root,
    stateDirectory: folder,
  }
  const child = spawn(
    process.execPath,
    [join(root, 'host/arm/child.ts'), '--directory', join(folder, 'arm')],
    { env: { ...process.env, ARM: JSON.stringify(arm) }, stdio: ['pipe', 'pipe', 'inherit'] },
  )
  started.push(child)
  const ended = once(child, 'exit')
  const happened: string[] = []
  const ready = new Promise<number>((resolve) =>
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { ready, port, machine, is } = JSON.parse(line)
      if (ready) resolve(port)
      else happened.push(`${machine} ${is}`)
    }),
  )
  const port = await Promise.race([ready, ended.then(() => Promise.reject(new Error('arm ended')))])
  const token = readFileSync(join(folder, 'arm', 'token'), 'utf8').trim()
  const machines = createMachines(
    { ...armPlace, clientId: undefined, local: { url: `http://127.0.0.1:${port}`, token } },
    { clock: systemClock },
  )
  return {
    happened,
    machines,
    orphan: () => child.stdin.destroy(),
    ended,
    async end(signal: NodeJS.Signals) {
      child.kill(signal)
      await ended
    },
  }
}

const asleep = names.map((name) => ({ name }))
const runningOf = async ({ machines }: Awaited<ReturnType<typeof start>>) =>
  [...(await machines.all())].filter(([, { power }]) => power === 'running').map(([name]) => name)

it(`what was acknowledged holds after ${kills} kills at any moment (SEED=${seed})`, async () => {
  console.log(`SEED=${seed}`)
  const random = seeded(seed)
  const folder = stateFolder()
  const wanted = new Map<string, Power>()
  for (let n = 0; n < kills; n++) {
    const arm = await start(folder, asleep)
    // Operations that were cut off go on, and end as they were begun.
    for (const [name, power] of wanted)
      await expect.poll(async () => (await arm.machines.look(name))?.power).toBe(power)
    // Each that runs has its worker, and no other has.
    const spare = async () => workersOf(folder).length - (await runningOf(arm)).length
    await expect.poll(spare, { interval: 500 }).toBe(0)
    let killed = false
    const asking = (async () => {
      while (!killed) {
        const name = names[Math.floor(random() * names.length)] ?? ''
        const what = random() < 0.6 ? 'start' : 'deallocate'
        const answer = await arm.machines[what](name).catch(() => undefined)
        // No answer: it may have been heard or not.
        if (answer?.is === 'begun') wanted.set(name, what === 'start' ? 'running' : 'deallocated')
        else if (!answer) wanted.delete(name)
        await sleep(random() * 60)
      }
    })()
    await sleep(random() * 500)
    killed = true
    // In the middle of whatever it does.
    await Promise.all([arm.end('SIGKILL'), asking])
    await expect.poll(() => workersOf(folder)).toEqual([])
  }
})

it('workers come back with it, and end with it however it ends', async () => {
  const folder = stateFolder()
  const planned = [{ name: 'encoder-a-1', on: true }, { name: 'encoder-a-2' }]
  let arm = await start(folder, planned)
  await expect.poll(() => workersOf(folder).length).toBe(1)
  expect(await runningOf(arm)).toEqual(['encoder-a-1'])
  await arm.machines.start('encoder-a-2')
  await expect.poll(() => arm.happened).toContain('encoder-a-2 works')
  for (const how of ['SIGTERM', 'orphan', 'SIGKILL'] as const) {
    expect(workersOf(folder)).toHaveLength(2)
    if (how === 'orphan') arm.orphan()
    else await arm.end(how)
    await arm.ended
    await expect.poll(() => workersOf(folder)).toEqual([])
    arm = await start(folder, planned)
    await expect.poll(() => workersOf(folder).length).toBe(2)
  }
  // A worker that dies is started again; one whose machine sleeps is not.
  const before = workersOf(folder).map(({ pid }) => pid)
  for (const pid of before) process.kill(pid, 'SIGKILL')
  const newer = () => workersOf(folder).filter(({ pid }) => !before.includes(pid))
  await expect.poll(() => newer().length).toBe(2)
  await arm.machines.deallocate('encoder-a-2')
  await expect.poll(() => arm.happened).toContain('encoder-a-2 asleep')
  expect(workersOf(folder)).toHaveLength(1)
  await arm.end('SIGTERM')
})

it('a worker that hangs is ended too, and a machine that is planned no more stays until it sleeps', async () => {
  const folder = stateFolder()
  let arm = await start(folder, asleep)
  await arm.machines.start('encoder-b-1')
  await expect.poll(() => arm.happened).toContain('encoder-b-1 works')
  const hanging = workerOf(folder)
  process.kill(hanging, 'SIGSTOP')
  await arm.end('SIGKILL')
  await sleep(300)
  // It can't notice that it is alone.
  expect(workersOf(folder)).toHaveLength(1)
  const left = [{ name: 'encoder-a-1' }]
  arm = await start(folder, left)
  await expect.poll(() => workersOf(folder).filter(({ pid }) => pid !== hanging).length).toBe(1)
  expect(workersOf(folder)).toHaveLength(1)
  expect([...(await arm.machines.all()).keys()].sort()).toEqual(['encoder-a-1', 'encoder-b-1'])
  process.kill(workerOf(folder), 'SIGSTOP')
  await arm.machines.deallocate('encoder-b-1')
  await expect.poll(() => arm.happened).toContain('encoder-b-1 asleep')
  expect(workersOf(folder)).toEqual([])
  await arm.end('SIGTERM')
  arm = await start(folder, left)
  expect([...(await arm.machines.all()).keys()]).toEqual(['encoder-a-1'])
  await arm.end('SIGTERM')
})
