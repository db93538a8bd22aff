// The platform with a fleet: encoders that sleep until somebody asks, whose wakes are seen, and of which nothing is left behind.
import { readFileSync } from 'node:fs'
import { afterAll, expect, it, vi } from 'vitest'
import { fleetOf } from '../support/fleet.ts'
import {
  endAllPlatforms,
  startPlatform,
  stateFolder,
  stillRunning,
  untilNoneRuns,
} from '../support/platform-process.ts'

afterAll(endAllPlatforms)
// The watch looks every ten seconds, and a machine is looked at every six.
vi.setConfig({ testTimeout: 240_000 })

const ORPHANS_END_MS = 60_000
const [one, two, edge] = ['encoder-local-1', 'encoder-local-2', 'edge-local-1']
const env = { ENCODE_WORKERS: '', MOVIDONE_BOOT_SECONDS: '0.5' }
const parts = ['supervisor', 'storage', 'cosmos', 'arm', 'functions']
const namesOf = ({ processes }: { processes: Array<{ name: string }> }) => processes.map(({ name }) => name)

it('has two encoders asleep; one that is woken works, outlives a kill of all, and sleeps again', async () => {
  const folder = stateFolder()
  let platform = startPlatform(folder, { env })
  const local = await platform.healthy()
  expect(namesOf(local).sort()).toEqual([...parts].sort())
  expect(stillRunning(local.processes)).toHaveLength(parts.length)
  await expect.poll(platform.printed).toContain('2 encoders asleep')
  let fleet = fleetOf(platform)
  expect((await fleet.view()).nodes.map(({ id, state }) => [id, state])).toEqual([
    [one, 'stopped'],
    [two, 'stopped'],
  ])
  expect(platform.printed()).not.toContain('is waking')

  await fleet.wake(1)
  await fleet.until(one, 'ready')
  await expect.poll(platform.printed).toContain(`${one} works`)
  expect(platform.printed()).toContain(`${one} is waking`)
  expect(platform.printed()).not.toContain(two)
  const awake = platform.local()
  expect(namesOf(awake)).toContain(one)
  expect(stillRunning(awake.processes)).toHaveLength(parts.length + 1)
  const told = (name: string) => readFileSync(`/proc/${platform.pidOf(name)}/environ`, 'utf8')
  for (const secret of [local.adminKey, local.tenant.apiKey]) {
    expect(told('functions')).toContain(secret)
    expect(told(one)).not.toContain(secret)
  }

  await platform.end('SIGKILL')
  expect(await untilNoneRuns(awake.processes, ORPHANS_END_MS)).toEqual([])
  platform = startPlatform(folder, { env })
  await platform.healthy()
  fleet = fleetOf(platform)
  await expect.poll(platform.printed).toContain('1 encoder at work, 1 encoder asleep')
  await expect.poll(() => namesOf(platform.local())).toContain(one)
  await fleet.until(one, 'ready')

  await fleet.drain({ nodes: [one], keep: 0 })
  await fleet.until(one, 'stopped')
  await expect.poll(platform.printed).toContain(`${one} sleeps again`)
  await expect.poll(() => namesOf(platform.local())).not.toContain(one)

  // Without capacity for the first the other one is woken, and the terminal says why.
  await fleet.fault({ kind: 'scarce-now', vm: one })
  await fleet.wake(1)
  await fleet.until(two, 'ready')
  await expect.poll(platform.printed).toContain(`${one} could not be woken: there is no capacity`)

  const last = platform.local()
  expect(await platform.end('SIGINT')).toBe(0)
  expect(stillRunning(last.processes)).toEqual([])
})

it('has those that are always awake there from the start', async () => {
  const platform = startPlatform(stateFolder(), { env: { ...env, ENCODE_WORKERS: '2', EDGE_NODES: '1' } })
  await platform.healthy()
  const fleet = fleetOf(platform)
  await expect.poll(platform.printed).toContain('2 encoders at work, 1 edge asleep')
  for (const name of [one, two]) await fleet.until(name, 'ready')
  expect(platform.printed()).not.toContain(edge)
  const { processes } = platform.local()
  expect(stillRunning(processes)).toHaveLength(parts.length + 2)
  const [pid, later] = [platform.pidOf(one), () => platform.pidOf(one)]
  process.kill(pid, 'SIGKILL')
  await expect.poll(later).not.toBe(pid)
  await fleet.until(one, 'ready')

  // An edge serves where its document, and the list of processes, say that it does.
  const edges = fleetOf(platform, 'edge')
  await edges.wake(1)
  await edges.until(edge, 'ready')
  const { address } = (await edges.view()).nodes[0] ?? {}
  expect((await fetch(`http://${address}/api/healthz`)).status).toBe(200)
  const awake = platform.local().processes
  expect(address).toBe(`127.0.0.1:${awake.find(({ name }) => name === edge)?.port}`)

  expect(await platform.end('SIGTERM')).toBe(0)
  expect(stillRunning([...processes, ...awake])).toEqual([])
})

it('names the setting that is not right', async () => {
  for (const [wrong, said] of [
    [{ ENCODE_WORKERS: 'two' }, 'ENCODE_WORKERS must be a number'],
    [{ EDGE_NODES: '-1' }, 'EDGE_NODES must be a number'],
    [{ MOVIDONE_BOOT_SECONDS: 'soon' }, 'MOVIDONE_BOOT_SECONDS must be a number'],
    [{ FLEET_POOLS: '{' }, 'FLEET_POOLS is not JSON'],
    [{ FLEET_POOLS: '{}' }, 'FLEET_POOLS names no pool'],
    [{ EDGE_NODES: '1', MOVIDONE_ARM_FAULTS: '{"seed":1}' }, 'MOVIDONE_ARM_FAULTS must be such as'],
  ] as const) {
    const platform = startPlatform(stateFolder(), { env: wrong })
    expect(await platform.ended).toBe(1)
    expect(platform.printed()).toContain(said)
    expect(platform.printed()).not.toMatch(/\n\s+at /)
  }
})
