// The patterns of the official Durable samples, through the real client and library, on the local engine.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DurableHost, discard, freshDirectory, startHost } from './durable-host.ts'

let host: DurableHost
const directory = freshDirectory()
beforeAll(async () => {
  host = await startHost(directory)
})
afterAll(async () => {
  await host?.stop()
  discard(directory)
})

const outcome = async (...args: Parameters<DurableHost['run']>) => {
  const { runtimeStatus, output } = await host.run(...args)
  return { runtimeStatus, output }
}
const completed = (output: unknown) => ({ runtimeStatus: 'Completed', output })

describe('chaining and fan-out', () => {
  it('runs activities one after another', async () => {
    expect(await outcome('Chain')).toEqual(completed(['Hello, Paris!', 'Hello, Lyon!', 'Hello, Nice!']))
  })

  it('runs activities side by side and adds up, in the order of the list', async () => {
    expect(await outcome('FanOut', 60)).toEqual(completed(17_700))
  })
})

describe('limits', () => {
  it('runs as many activities side by side as host.json says (rule 15)', async () => {
    expect(await outcome('Crowds', 40)).toEqual(completed(8))
  })
})

describe('retries', () => {
  it('repeats an activity until it succeeds', async () => {
    expect(await outcome('Retry', { failures: 2, attempts: 4 })).toEqual(completed(3))
  })

  it('gives up after the last attempt, with the last error', async () => {
    const gaveUp = "gave up: Activity function 'Flaky' failed:  attempt 3 failed"
    expect(await outcome('Retry', { failures: 9, attempts: 3 })).toEqual(completed(gaveUp))
  })

  it('counts one attempt as one', async () => {
    const gaveUp = "gave up: Activity function 'Flaky' failed:  attempt 1 failed"
    expect(await outcome('Retry', { failures: 9, attempts: 1 })).toEqual(completed(gaveUp))
  })

  it('keeps hidden numbers apart from those of the orchestrator', async () => {
    expect(await outcome('RetryMix')).toEqual(
      completed({
        first: [3, 'Hello, x!', 2],
        second: 'Hello, y!',
        timedOut: false,
        value: 4,
        third: 'Hello, z!',
      }),
    )
  })

  it('waits after the failure for the interval times the backoff, once more after the last attempt', async () => {
    const id = (await host.run('Retry', { failures: 9, attempts: 3 })).instanceId
    const { historyEvents } = (await (
      await fetch(`${host.rpc}/instances/${id}?showHistory=true`)
    ).json()) as {
      historyEvents: { EventType: string; FireAt: string; Timestamp: string }[]
    }
    const delays = historyEvents
      .filter(({ EventType }) => EventType === 'TimerCreated')
      .map(({ FireAt, Timestamp }) => Date.parse(FireAt) - Date.parse(Timestamp))
    expect(delays).toEqual([50, 100, 200])
  })
})

describe('sub-orchestrations', () => {
  it('runs them in a row and side by side', async () => {
    const greetings = ['Hello, Paris!', 'Hello, Lyon!', 'Hello, Nice!']
    expect(await outcome('Parent', undefined, 'family')).toEqual(
      completed({ own: greetings, sums: [30, 60] }),
    )
    expect((await host.client.getStatus('family-chain')).output).toEqual(greetings)
  })

  it('repeats one by its policy, and tells it its parent', async () => {
    expect(await outcome('RetryChild', { failures: 2 }, 'retried')).toEqual(
      completed({ attempt: 3, parent: 'retried' }),
    )
  })

  it('hands its failure to the parent', async () => {
    expect(await outcome('RetryChild', { failures: 9 })).toEqual(
      completed("Orchestrator function 'FlakyChild' failed: child attempt 3 failed"),
    )
  })
})

describe('an activity with a durable client', () => {
  it('starts what nobody waits for', async () => {
    expect(await outcome('Starter', 'started-by-activity')).toEqual(completed('started-by-activity'))
    expect(await host.settled('started-by-activity')).toMatchObject({ runtimeStatus: 'Completed' })
  })
})

describe('timers', () => {
  it('polls with them', async () => {
    expect(await outcome('Monitor', { goodAfter: 3, polls: 5 })).toEqual(completed('good after 3'))
    expect(await outcome('Monitor', { goodAfter: 9, polls: 2 })).toEqual(completed('gave up'))
  })

  it('ends at once when a lost race cancels its timer', async () => {
    const startMs = Date.now()
    expect(await outcome('Timeout', { workMs: 10, limitMs: 100_000 })).toEqual(completed('in time'))
    expect(Date.now() - startMs).toBeLessThan(90_000)
  })

  it('lets the timer win over slow work', async () => {
    const id = await host.client.startNew('Timeout', { input: { workMs: 1500, limitMs: 300 } })
    expect(await host.settled(id)).toMatchObject(completed('timed out'))
  })

  it('keeps an instance running whose timer was forgotten (rule 14)', async () => {
    const startMs = Date.now()
    expect(await outcome('ForgottenTimer', 3500)).toEqual(completed('done'))
    expect(Date.now() - startMs).toBeGreaterThan(2400)
  })

  it('fires up to a second early, as Azure Storage makes it (rule 19)', async () => {
    // Before work that takes less than was asked for, however late a busy machine makes both.
    expect(await outcome('Timeout', { workMs: 900, limitMs: 1000 })).toEqual(completed('timed out'))
    expect((await host.run('EarlyTimer', 3000)).output).toBeGreaterThanOrEqual(2000)
  })

  it('takes a timer of months without firing it', async () => {
    const id = await host.client.startNew('ForgottenTimer', { input: 90 * 86_400_000 })
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect((await host.client.getStatus(id)).runtimeStatus).toBe('Running')
    await host.client.terminate(id, 'enough')
    expect(await host.settled(id)).toMatchObject({ runtimeStatus: 'Terminated', output: 'enough' })
  })
})

describe('events and continue-as-new', () => {
  it('counts every event, also those that come while it continues as new', async () => {
    const id = await host.client.startNew('Counter', { input: { count: 0, until: 20 } })
    for (let n = 0; n < 20; n++) await host.client.raiseEvent(id, 'add', 1)
    expect(await host.settled(id)).toMatchObject({
      ...completed(20),
      input: { count: 20, until: 20 },
      customStatus: { count: 20 },
    })
  })

  it('keeps events that come while it waits for open tasks before it continues as new', async () => {
    const id = await host.client.startNew('SlowCounter', { input: 0 })
    await Promise.all([0, 1, 2].map((n) => host.client.raiseEvent(id, 'add', n)))
    expect(await host.settled(id)).toMatchObject(completed(3))
    expect(host.log()).not.toMatch(/event 'add' was never awaited/)
  })

  it('waits for a person: approved, refused, expired', async () => {
    const input = { code: 42, tries: 2, limitMs: 60_000 }
    const answer = async (...codes: number[]) => {
      const id = await host.client.startNew('Approval', { input })
      for (const code of codes) await host.client.raiseEvent(id, 'answer', code)
      return (await host.settled(id)).output
    }
    expect(await answer(1, 42)).toBe('approved')
    expect(await answer(1, 2)).toBe('refused')
    expect(await outcome('Approval', { ...input, limitMs: 300 })).toEqual(completed('expired'))
  })

  it('matches event names with their case (rule 14)', async () => {
    const id = await host.client.startNew('CustomStatus')
    await host.client.raiseEvent(id, 'NEXT', null)
    await host.client.raiseEvent(id, 'next', null)
    const second = await host.settled(id, ({ customStatus }) => JSON.stringify(customStatus) === '{"step":2}')
    expect(second.runtimeStatus).toBe('Running')
    await host.client.raiseEvent(id, 'next', null)
    expect(await host.settled(id)).toMatchObject(completed('over'))
  })
})

describe('what an orchestrator sees', () => {
  it('has guids, a version and a replay flag as Azure gives them', async () => {
    const { output } = await host.run('Facts')
    expect(output).toMatchObject({ version: '1.0', guids: [36, false], replaying: [true, false] })
    const id = await host.client.startNew('Facts', { version: '7.1' })
    expect((await host.settled(id)).output).toMatchObject({ version: '7.1' })
  })
})
