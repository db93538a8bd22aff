// What a process leaves behind when it is killed is taken up by the next one; what Azure would lose fails by name.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DurableHost, discard, freshDirectory, startHost } from './durable-host.ts'

let directory: string
let host: DurableHost
beforeEach(() => {
  directory = freshDirectory()
})
afterEach(async () => {
  await host.stop()
  discard(directory)
})

async function begin({ isHeld = false } = {}): Promise<void> {
  host = await startHost(directory, { env: { SLOW_IS_HELD: isHeld ? 'yes' : 'no' } })
}
async function killAndRestart(): Promise<void> {
  await host.kill()
  await begin()
}

const isRunning = ({ runtimeStatus }: { runtimeStatus: string }) => runtimeStatus === 'Running'
const interrupted =
  /^Activity function 'Slow' failed: it was running when its process ended, and it has no retry policy/

describe('an activity that was running (rule 12)', () => {
  it('fails by name without a retry policy, and runs again with one', async () => {
    await begin({ isHeld: true })
    const plain = await host.client.startNew('RunsSlow', { input: { isRetried: false, ms: 50 } })
    const retried = await host.client.startNew('RunsSlow', { input: { isRetried: true, ms: 50 } })
    const untouched = await host.run('RunsSlow', { isRetried: false, ms: 1 })
    expect(untouched.output).toBe('ran for 1')
    await host.says('Slow runs for 50.', 2)
    await killAndRestart()
    expect((await host.settled(plain)).output).toMatch(interrupted)
    expect((await host.settled(retried)).output).toBe('ran for 50')
  })

  it('does not fail when it was only waiting for its turn', async () => {
    await begin({ isHeld: true })
    const id = await host.client.startNew('ManySlow', { input: 40 })
    await host.says('Slow runs for 150.', 8)
    await killAndRestart()
    const { output } = (await host.settled(id)) as unknown as { output: string[] }
    const failed = output.filter((text) => interrupted.test(text))
    expect(output).toHaveLength(40)
    // As many as ran side by side: host.json allows 8.
    expect(failed).toHaveLength(8)
    expect(output.filter((text) => text === 'ran for 150')).toHaveLength(32)
  })
})

describe('timers, events, instances', () => {
  it('fires a timer that fell due meanwhile', async () => {
    await begin()
    const id = await host.client.startNew('ForgottenTimer', { input: 3000 })
    await host.settled(id, isRunning)
    await host.kill()
    await sleep(3000)
    await begin()
    expect((await host.settled(id)).output).toBe('done')
  })

  it('keeps an instance that waits, and events acknowledged straight before the kill', async () => {
    await begin()
    const id = await host.client.startNew('EventValues', { input: 6 })
    await host.settled(id, isRunning)
    for (const value of [1, 2, 3]) await host.client.raiseEvent(id, 'value', value)
    await killAndRestart()
    for (const value of [4, 5, 6]) await host.client.raiseEvent(id, 'value', value)
    expect((await host.settled(id)).output).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('keeps starts acknowledged straight before the kill, and what has ended', async () => {
    await begin()
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
    await begin()
    const id = await host.client.startNew('RunsSlow', { input: { isRetried: false, ms: 600 } })
    await host.says('Slow runs for 600.')
    await host.stop()
    await begin()
    expect((await host.settled(id)).output).toBe('ran for 600')
  })

  it('fails what ran when the app crashes (rule 10)', async () => {
    await begin({ isHeld: true })
    const id = await host.client.startNew('RunsSlow', { input: { isRetried: false, ms: 50 } })
    await host.says('Slow runs for 50.')
    await host.client.startNew('Crashes')
    await host.exited()
    await begin()
    expect((await host.settled(id)).output).toMatch(interrupted)
  })
})
