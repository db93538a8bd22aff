// Kills the host at random moments under a mixed load: every acknowledged thing is there, every result the same.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { seeded } from '../support/seeded.ts'
import { type DurableHost, discard, freshDirectory, startHost } from './durable-host.ts'

const kills = Number(process.env['KILLS'] ?? 20)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

const squares = (from: number, to: number) => {
  let sum = 0
  for (let n = from; n < to; n++) sum += n * n
  return sum
}

/** Input and result of each kind of instance. */
const kinds: Record<string, { input: unknown; output: unknown }> = {
  LoadFan: { input: 24, output: squares(0, 24) },
  LoadChain: { input: 12, output: squares(0, 12) },
  LoadTimers: { input: 2, output: ['near', 'near'] },
  LoadParent: { input: 3, output: [1, 5, 14, squares(0, 5)] },
  LoadAgain: { input: { left: 6, sum: 0 }, output: squares(1, 7) },
}

/** What the host has acknowledged, and what it may or may not have got. */
interface Ledger {
  readonly started: Map<string, string>
  readonly events: { value: number; tries: number }[]
}

async function start(host: DurableHost, ledger: Ledger, [id, name]: [string, string]): Promise<void> {
  try {
    await host.client.startNew(name, { instanceId: id, input: kinds[name]?.input ?? null })
  } catch (error) {
    // Written, but the word of it was lost in a kill.
    if (!String(error).includes('409')) throw error
  }
  ledger.started.set(id, name)
}

async function raise(host: DurableHost, event: Ledger['events'][number]): Promise<void> {
  event.tries++
  await host.client.raiseEvent('events', 'value', event.value)
}

/** Goes on with the load until the kill cuts it off; what was not acknowledged is sent again next time. */
async function press(host: DurableHost, ledger: Ledger, round: number): Promise<void> {
  const owed = [...ledger.events.filter((event) => event.tries < 0)]
  for (const event of owed) {
    event.tries = -event.tries
    await resend(host, event)
  }
  for (const name of Object.keys(kinds)) await start(host, ledger, [`${name}-${round}`, name])
  for (let value = 0; ; value++) {
    const event = { value: round * 1000 + value, tries: 0 }
    ledger.events.push(event)
    await resend(host, event)
  }
}

/** Negative tries mark an event as not acknowledged. */
async function resend(host: DurableHost, event: Ledger['events'][number]): Promise<void> {
  try {
    await raise(host, event)
    await sleep(15)
  } catch (error) {
    event.tries = -event.tries
    throw error
  }
}

it(`keeps everything through ${kills} kills (seed ${seed})`, {
  timeout: 60_000 + kills * 40_000,
}, async () => {
  const random = seeded(seed)
  const directory = freshDirectory()
  mkdirSync(join(directory, 'load'))
  const env = { LOAD_DIRECTORY: join(directory, 'load') }
  const ledger: Ledger = { started: new Map(), events: [] }
  let host = await startHost(directory, { env })
  try {
    await start(host, ledger, ['events', 'LoadEvents'])
    // On a slow machine a round may end before it has raised anything.
    for (let round = 0; round < kills || ledger.events.length <= kills; round++) {
      const pressing = press(host, ledger, round).catch(() => {})
      await sleep(30 + random() * 900)
      await host.kill()
      await pressing
      host = await startHost(directory, { env })
    }
    for (const event of ledger.events.filter(({ tries }) => tries < 0)) {
      event.tries = -event.tries
      await resend(host, event)
    }
    await host.client.raiseEvent('events', 'value', -1)
    for (const [id, name] of ledger.started) {
      const { output } = await host.settled(id)
      if (name in kinds) expect(output, `${id} (SEED=${seed})`).toEqual(kinds[name]!.output)
    }
    await checkEvents(host, ledger)
    await checkHistory(host, ledger)
  } catch (error) {
    throw new Error(`SEED=${seed} KILLS=${kills}: ${(error as Error).message}`, { cause: error })
  } finally {
    await host.stop()
    discard(directory)
  }
})

/** An event acknowledged at the first try came exactly once; one that was sent n times came once to n times. */
async function checkEvents(host: DurableHost, { events }: Ledger): Promise<void> {
  const seen = (await host.client.getStatus('events')).output as number[]
  const counts = Map.groupBy(seen, (value) => value)
  for (const { value, tries } of events) {
    const count = counts.get(value)?.length ?? 0
    expect(count, `event ${value}, sent ${tries} times (SEED=${seed})`).toBeGreaterThanOrEqual(1)
    expect(count, `event ${value}, sent ${tries} times (SEED=${seed})`).toBeLessThanOrEqual(tries)
  }
}

/** Each task has ended once in its history, and none is left open. */
async function checkHistory(host: DurableHost, { started }: Ledger): Promise<void> {
  for (const [id, name] of started) {
    if (name !== 'LoadFan') continue
    const answer = await fetch(`${host.rpc}/instances/${id}?showHistory=true`)
    const { historyEvents } = (await answer.json()) as { historyEvents: { EventType: string }[] }
    const count = (type: string) => historyEvents.filter(({ EventType }) => EventType === type).length
    expect([count('TaskCompleted'), count('TaskScheduled'), count('ExecutionCompleted')], id).toEqual([
      24, 0, 1,
    ])
  }
}
