// What hangs, loses count or differs in Azure is refused here at once, and each refusal says why.
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

/** Refused at once: it waits for none of its timers, of which the shortest takes a minute. */
async function refusal(name: string, input?: unknown): Promise<string> {
  const startMs = Date.now()
  const { runtimeStatus, output } = await host.run(name, input)
  expect(runtimeStatus).toBe('Failed')
  expect(Date.now() - startMs).toBeLessThan(50_000)
  return output as unknown as string
}

describe('tasks given to Task.any or Task.all again', () => {
  it('refuses a pending task, and takes a new one each time', async () => {
    expect((await host.run('FreshEachTime')).output).toBe('fine')
    expect(await refusal('PendingAgain')).toMatch(
      /'PendingAgain' failed: A pending task \(timer\) .* second time/,
    )
  })

  it('refuses a pending external event', async () => {
    expect(await refusal('EventAgain')).toMatch(/A pending task \(event 'never'\)/)
  })

  it('refuses a task that stands twice in one list', async () => {
    expect(await refusal('TwiceInOne')).toMatch(/A pending task \(activity 'Wait'\)/)
  })

  it('allows what lists nothing twice: the same Task.any object, the task itself', async () => {
    expect((await host.run('SameObjectAgain')).output).toEqual([true, 60])
  })

  it('refuses tasks that have all finished, for which Azure waits for ever', async () => {
    expect(await refusal('AllFinished')).toMatch(/Every task given to Task.all or Task.any has finished/)
  })

  it('refuses a finished task among new ones, which Azure would run again', async () => {
    expect(await refusal('FinishedAmongNew')).toMatch(/has finished \(activity 'Wait'\)/)
  })
})

describe('names', () => {
  it('refuses an unknown activity and lists the known ones (rule 13)', async () => {
    const text = await refusal('UnknownActivity')
    expect(text).toMatch(/The function 'NoSuchActivity' doesn't exist.*not an activity function/)
    expect(text).toContain("'Greet'")
  })

  it('refuses an unknown sub-orchestrator, past any catch', async () => {
    expect(await refusal('UnknownChild')).toMatch(/The function 'NoSuchOrchestrator' doesn't exist/)
  })

  it('takes the start of an unknown orchestrator and then fails it, as Azure does', async () => {
    expect(await refusal('Nowhere')).toMatch(
      /^Orchestrator function 'Nowhere' failed: The function 'Nowhere' doesn't exist, is disabled, or is not an orchestrator function\. Additional info: The following are the known orchestrator functions: .*'Chain'/,
    )
  })

  it('refuses event names that look like integers, raised or awaited', async () => {
    const id = await host.client.startNew('IntegerEvent', { input: 'one' })
    await expect(host.client.raiseEvent(id, '0', 1)).rejects.toThrow(/400.*looks like an integer/)
    await host.client.raiseEvent(id, 'one', 1)
    expect((await host.settled(id)).output).toBe('raised')
    expect(await refusal('IntegerEvent', '0')).toMatch(/'0' looks like an integer/)
  })

  it('refuses a sub-orchestration whose id is in use', async () => {
    const input = 'never'
    const id = await host.client.startNew('IntegerEvent', { input, instanceId: 'in-use' })
    await host.settled(id, ({ runtimeStatus }) => runtimeStatus === 'Running')
    expect(await refusal('BusyChild', 'in-use')).toMatch(/status Running already exists.*'in-use'/)
  })
})

describe('changing code', () => {
  it('says so in the real sentence when an activity has another name', async () => {
    expect(await refusal('Undecided', 'name')).toBe(
      "Non-Deterministic workflow detected: A previous execution of this orchestration scheduled an activity task with sequence number 0 named 'Wait', but the current orchestration replay instead scheduled an activity task named 'Boom' with this sequence number.  Was a change made to the orchestrator code after this instance had already started running?",
    )
  })

  it('says so when the task is of another kind, or is gone', async () => {
    expect(await refusal('Undecided', 'kind')).toMatch(/^Non-Deterministic.*instead scheduled a timer task/)
    expect(await refusal('Undecided', 'gone')).toMatch(/^Non-Deterministic.*hasn't scheduled this task/)
  })

  it('fails what yields no task, in the words of the library', async () => {
    expect(await refusal('YieldsNumber')).toMatch(
      /^Orchestrator function 'YieldsNumber' failed: Durable Functions programming constraint violation: Orchestration yielded data of type number/,
    )
  })
})

describe('retries', () => {
  it('refuses to go on once the time of a retry policy is over, where Azure would wait for ever', async () => {
    expect(await refusal('RetryTimeout')).toMatch(/retryTimeoutInMilliseconds of 'Boom' has passed/)
  })
})

describe('actions that are not supported', () => {
  it.each(['callHttp', 'callEntity', 'signalEntity', 'df.lock'])('names %s', async (action) => {
    expect(await refusal('Unsupported', action)).toContain(`failed: ${action} is not supported`)
  })
})

describe('sizes', () => {
  const limit = 1_048_576
  const places = ['activity input', 'activity output', 'child input', 'next input', 'output']

  it.each(places)('takes and refuses 1 MB as %s', async (where) => {
    expect(await host.run('Large', { where, sizeBytes: limit - 1000 })).toMatchObject({
      runtimeStatus: 'Completed',
    })
    expect(await refusal('Large', { where, sizeBytes: limit })).toMatch(
      /bytes as JSON; .* hold 1048576 at most/,
    )
  })

  it('takes and refuses 16 KB as custom status', async () => {
    const where = 'custom status'
    expect(await host.run('Large', { where, sizeBytes: 8190 })).toMatchObject({ runtimeStatus: 'Completed' })
    expect(await refusal('Large', { where, sizeBytes: 8191 })).toMatch(/The custom status is 16386 bytes/)
  })

  it('takes and refuses 1 MB as input of a start and as an event', async () => {
    const [fits, tooLarge] = ['x'.repeat(limit - 2), 'x'.repeat(limit - 1)]
    expect((await host.run('ReturnsInput', fits)).output).toBe(fits)
    await expect(host.client.startNew('ReturnsInput', { input: tooLarge })).rejects.toThrow(/413/)
    const id = await host.client.startNew('IntegerEvent', { input: 'large' })
    await expect(host.client.raiseEvent(id, 'large', tooLarge)).rejects.toThrow(/413/)
    await host.client.raiseEvent(id, 'large', fits)
    expect((await host.settled(id)).output).toBe('raised')
  })
})

describe('endings', () => {
  it('loses an event that was delivered before continueAsNew and never awaited, and warns', async () => {
    const id = await host.client.startNew('Forgetful')
    await host.client.raiseEvent(id, 'early', 1)
    await host.client.raiseEvent(id, 'go', 1)
    expect((await host.settled(id)).output).toBe('over')
    await host.says("event 'early' was never awaited and is lost")
  })

  it('holds a failure back, too, until the last open task has ended', async () => {
    const startMs = Date.now()
    expect(await host.run('Fails')).toMatchObject({
      output: "Orchestrator function 'Fails' failed: after all",
    })
    expect(Date.now() - startMs).toBeGreaterThan(1500)
  })
})
