// The platform as a whole: what it tells, what it refuses, what it starts again, and that nothing of it is left behind.
import { statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { isHopeless } from '../../host/platform/keeper.ts'
import { isLeftover } from '../../host/platform/leftovers.ts'
import {
  endAllPlatforms,
  startPlatform,
  stateFolder,
  stillRunning,
  untilNoneRuns,
} from '../support/platform-process.ts'

afterAll(endAllPlatforms)

/** What its parts may take to notice that the supervisor is gone, and to end. */
const ORPHANS_END_MS = 60_000

const isTaken = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(true))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(false)))
  })

describe('the platform', () => {
  it('tells where it is before it is healthy, lets nobody else on its folder, and ends without a trace', async () => {
    const folder = stateFolder()
    const platform = startPlatform(folder)
    const local = await platform.healthy()

    expect(Object.keys(local)).toEqual(['apiUrl', 'consoleUrl', 'adminKey', 'tenant', 'processes'])
    expect(local.apiUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(local.consoleUrl).toBe(`${local.apiUrl}/console/`)
    expect(local.tenant.id).toMatch(/^ten_[0-9a-hjkmnp-tv-z]{20}$/)
    expect(local.tenant.apiKey).toMatch(/^ten_[0-9a-z]{20}\.key_[0-9a-z]{20}\.[\w-]{43}$/)
    expect(local.adminKey.length).toBeGreaterThan(40)
    expect(local.processes.map(({ name }) => name)).toEqual(['supervisor', 'storage', 'cosmos', 'functions'])
    expect(new Set(local.processes.map(({ port }) => port)).size).toBe(3)
    expect(statSync(join(folder, 'local.json')).mode & 0o777).toBe(0o600)
    expect(stillRunning(local.processes)).toHaveLength(4)

    // The folder is what it names, although the port is taken as well.
    const second = startPlatform(folder, { args: ['--port', new URL(local.apiUrl).port] })
    expect(await second.ended).toBe(1)
    expect(second.printed()).toContain(`process ${platform.supervisor.pid}`)
    expect(second.printed()).toContain(local.apiUrl)
    expect(second.printed()).not.toMatch(/\n\s+at /)
    expect(platform.local()).toEqual(local)
    expect((await fetch(`${local.apiUrl}/api/healthz`)).status).toBe(200)

    expect(await platform.end('SIGINT')).toBe(0)
    expect(stillRunning(local.processes)).toEqual([])
    expect(platform.printed()).not.toContain(local.tenant.apiKey)
    expect(platform.printed()).not.toContain(local.adminKey)
  })

  it('leaves nothing behind when its supervisor is killed, and starts again with the same keys and addresses', async () => {
    const folder = stateFolder()
    const platform = startPlatform(folder)
    const before = await platform.healthy()
    await platform.end('SIGKILL')
    expect(await untilNoneRuns(before.processes, ORPHANS_END_MS)).toEqual([])

    const again = startPlatform(folder)
    const after = await again.healthy()
    expect(after.tenant).toEqual(before.tenant)
    expect(after.adminKey).toBe(before.adminKey)
    const portsOf = ({ processes }: typeof after) =>
      processes.filter(({ name }) => name === 'storage' || name === 'cosmos').map(({ port }) => port)
    const portsAfter = portsOf(after)
    // The same, unless somebody else has taken it meanwhile.
    for (const [n, port] of portsOf(before).entries())
      if (portsAfter[n] !== port) expect(await isTaken(port)).toBe(true)
    expect(await again.end('SIGTERM')).toBe(0)
    expect(stillRunning(after.processes)).toEqual([])
  })

  it('starts at once although parts of a killed one still run, and ends those', async () => {
    const folder = stateFolder()
    const platform = startPlatform(folder)
    const before = await platform.healthy()
    await platform.end('SIGKILL')
    const again = startPlatform(folder)
    const after = await again.healthy()
    const old = before.processes.filter(({ pid }) => !after.processes.some((one) => one.pid === pid))
    expect(stillRunning(old)).toEqual([])
    await again.end('SIGTERM')
  })

  it('starts a part that dies again, at the same address, and gives up on the app at its third death', async () => {
    const platform = startPlatform(stateFolder())
    const before = await platform.healthy()
    for (const name of ['storage', 'cosmos']) {
      process.kill(platform.pidOf(name), 'SIGKILL')
      while (platform.pidOf(name) === before.processes.find((one) => one.name === name)?.pid) await sleep(20)
    }
    const after = await platform.healthy()
    expect(after.processes.map(({ name, port }) => [name, port])).toEqual(
      before.processes.map(({ name, port }) => [name, port]),
    )
    for (let death = 1; death <= 3; death++) {
      // Three are within a minute, on a busy machine too: the last one does not wait until it is back.
      if (death < 3) await platform.healthy()
      const pid = platform.pidOf('functions')
      process.kill(pid, 'SIGKILL')
      while (death < 3 && platform.pidOf('functions') === pid) await sleep(20)
    }
    expect(await platform.ended).toBe(1)
    expect(platform.printed()).toContain('functions ended 3 times within a minute')
    expect(stillRunning(platform.local().processes)).toEqual([])
  })

  it('names the setting when its port is taken, or none', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as { port: number }
    for (const args of [['--port', String(port)], []]) {
      const platform = startPlatform(stateFolder(), { args, env: { PORT: String(port) } })
      expect(await platform.ended).toBe(1)
      expect(platform.printed()).toContain(`Port ${port} is taken`)
      expect(platform.printed()).toContain('PORT=')
    }
    taken.close()
    const odd = startPlatform(stateFolder(), { args: ['--port', 'seven'] })
    expect(await odd.ended).toBe(1)
    expect(odd.printed()).toContain("not 'seven'")
  })

  it('says which ffmpeg does not run', async () => {
    const platform = startPlatform(stateFolder(), { env: { FFMPEG_PATH: '/nowhere/ffmpeg' } })
    expect(await platform.ended).toBe(1)
    expect(platform.printed()).toContain('FFMPEG_PATH names /nowhere/ffmpeg')
    expect(stillRunning(platform.local().processes)).toEqual([])
  })
})

describe('its judgement', () => {
  it('gives up after three crashes within a minute, not in an hour', () => {
    expect(isHopeless([0, 10_000], 20_000)).toBe(false)
    expect(isHopeless([0, 10_000, 20_000], 20_000)).toBe(true)
    expect(isHopeless([0, 50_000, 100_000], 100_000)).toBe(false)
  })

  it('takes no strange process for a leftover', () => {
    const leaders = new Set([10])
    const state = '/home/me/.movidone'
    expect(
      isLeftover(
        { pid: 10, group: 10, command: `node child.ts --directory ${state}/storage` },
        leaders,
        state,
      ),
    ).toBe(true)
    expect(isLeftover({ pid: 12, group: 10, command: '/usr/bin/ffmpeg -i x' }, leaders, state)).toBe(true)
    expect(isLeftover({ pid: 10, group: 10, command: 'vim notes.txt' }, leaders, state)).toBe(false)
    expect(isLeftover({ pid: 11, group: 11, command: '/usr/bin/ffmpeg -i x' }, leaders, state)).toBe(false)
  })
})
