// The real orchestrations of encode on the local engine, over hundreds of chunks that cost nothing, and through a kill.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type DurableHost, discard, freshDirectory, startHost } from './durable-host.ts'

const chunks = 600
const window = 32
const folder = join(import.meta.dirname, 'app-encode')
const target = { tenantId: `ten_${'0'.repeat(20)}`, assetId: `ast_${'1'.repeat(20)}`, version: 1 }

let directory: string
let host: DurableHost
const begin = () =>
  startHost(directory, {
    folder,
    env: { CHUNKS: String(chunks), WINDOW: String(window), RAN_DIRECTORY: directory },
  })
beforeEach(async () => {
  directory = freshDirectory()
  host = await begin()
})
afterEach(async () => {
  await host.stop()
  discard(directory)
})

const ran = (): string[] => readFileSync(join(directory, 'ran'), 'utf8').trim().split('\n')
const chunksRun = (): number[] =>
  ran().flatMap((line) => (line.startsWith('encode-chunk ') ? [Number(line.split(' ')[1])] : []))

it('runs every chunk once, near its neighbours, and finishes after the last', async () => {
  const { output, runtimeStatus } = await host.run('encode-asset', target)
  expect([runtimeStatus, output]).toMatchObject(['Completed', { ok: true }])
  const order = chunksRun()
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: chunks }, (_, n) => n))
  expect(order[0]).toBe(0)
  // The window slides: nothing runs far ahead of what is still missing, but for the one part that was held up.
  const held = new Set(order.filter((chunk) => chunk % window === 7 % window))
  let missing = 1
  const done = new Set(held)
  for (const chunk of order) {
    if (held.has(chunk)) continue
    while (done.has(missing)) missing++
    expect(chunk).toBeLessThan(missing + 6 * window)
    done.add(chunk)
  }
  expect(ran().at(-1)).toMatch(/^encode-finish/)
})

it('goes on after a kill, and leaves no chunk out', async () => {
  const id = await host.client.startNew('encode-asset', { input: target })
  await host.settled(id, () => {
    try {
      return chunksRun().length > chunks / 3
    } catch {
      return false
    }
  })
  await host.kill()
  await sleep(50)
  host = await begin()
  expect((await host.settled(id)).runtimeStatus).toBe('Completed')
  expect(new Set(chunksRun()).size).toBe(chunks)
  // Only what was running when the kill came has run again.
  expect(chunksRun().length).toBeLessThanOrEqual(chunks + 16)
})
