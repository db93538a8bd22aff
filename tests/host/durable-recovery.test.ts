// What a process leaves behind when it is killed is taken up by the next one; what Azure would lose fails by name.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DurableHost, discard, freshDirectory, startHost } from './durable-host.ts'

let directory: string
let host: DurableHost
beforeEach(async () => {
  directory = freshDirectory()
  host = await startHost(directory)
})
afterEach(async () => {
  await host.stop()
  discard(directory)
})

async function killAndRestart(): Promise<void> {
  await host.kill()
  host = await startHost(directory)
}

const isRunning = ({ runtimeStatus }: { runtimeStatus: string }) => runtimeStatus === 'Running'
const interrupted =
  /^Activity function 'Slow' failed: it was running when its process ended, and it has no retry policy/

describe('an activity that was running (rule 12)', () => {
  it('fails by name without a retry policy, and runs again with one', async () => {
    const plain = await host.client.startNew('RunsSlow', { input: { isRetried: false, ms: 1500 } })
    const retried = await host.client.startNew('RunsSlow', { input: { isRetried: true, ms: 1500 } })
    const untouched = await host.run('RunsSlow', { isRetried: false, ms: 1 })
    expect(untouched.output).toBe('ran for 1')
    await host.says('Slow runs for 1500.', 2)
    await killAndRestart()
    expect((await host.settled(plain)).output).toMatch(interrupted)
    expect((await host.settled(retried)).output).toBe('ran for 1500')
  })

  it('does not fail when it was only waiting for its turn', async () => {
    const id = await host.client.startNew('ManySlow', { input: 40 })
    await host.says('Slow runs for 150.', 10)
    await killAndRestart()
    const { output } = (await host.settled(id)) as unknown as { output: string[] }
    const failed = output.filter((text) => interrupted.test(text))
    expect(output).toHaveLength(40)
    expect(failed.length).toBeGreaterThan(0)
    // As many as ran side by side: host.json allows 8.
    expect(failed.length).toBeLessThanOrEqual(8)
    expect(output.filter((text) => text === 'ran for 150')).toHaveLength(40 - failed.length)
  })
})

describe('timers, events, instances', () => {
  it('fires a timer that fell due meanwhile', async () => {
    const id = await host.client.startNew('ForgottenTimer', { input: 3000 })
    await host.settled(id, isRunning)
    await host.kill()
    await sleep(3000)
    host = await startHost(directory)
    expect((await host.settled(id)).output).toBe('done')
  })

  it('keeps an instance that waits, and events acknowledged straight before the kill', async () => {
    const id = await host.client.startNew('EventValues', { input: 6 })
    await host.settled(id, isRunning)
    for (const value of [1, 2, 3]) await host.client.raiseEvent(id, 'value', value)
    await killAndRestart()
    for (const value of [4, 5, 6]) await host.client.raiseEvent(id, 'value', value)
    expect((await host.settled(id)).output).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('keeps starts acknowledged straight before the kill, and what has ended', async () => {
    const ended = await host.run('Chain')
    const starts = Array.from({ length: 20 }, () => host.client.startNew('EventValues', { input: 1 }))
    const ids = await Promise.all(starts)
    await killAndRestart()
    for (const id of ids) {
      await host.client.raiseEvent(id, 'value', id)
      expect((await host.settled(id)).output).toEqual([id])
    }
    expect(await host.client.getStatus(ended.instanceId)).toEqual(ended)
  })
})

describe('the end of a process', () => {
  it('lets running activities finish when it is asked to stop', async () => {
    const id = await host.client.startNew('RunsSlow', { input: { isRetried: false, ms: 600 } })
    await host.says('Slow runs for 600.')
    await host.stop()
    host = await startHost(directory)
    expect((await host.settled(id)).output).toBe('ran for 600')
  })

  it('fails what ran when the app crashes (rule 10)', async () => {
    const id = await host.client.startNew('RunsSlow', { input: { isRetried: false, ms: 5000 } })
    await host.says('Slow runs for 5000.')
    await host.client.startNew('Crashes')
    await host.exited()
    host = await startHost(directory)
    expect((await host.settled(id)).output).toMatch(interrupted)
  })
})
