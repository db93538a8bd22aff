// What units write down is read about once by each process, and shown to players seldom: neither grows with the square of a film.
import { expect, test } from 'vitest'
import type { Asset } from '../../shared/assets/model.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { createEncode } from '../../shared/encode/index.ts'
import { createLedger } from '../../shared/encode/ledger.ts'
import type { Unit, UnitStore } from '../../shared/encode/ports.ts'
import type { Outcome, Prepared } from '../../shared/encode/work.ts'
import { beeps, draw, greyFrames, lavfi, plainH264 } from './film.ts'
import { setStage, target } from './stage.ts'

const jobId = 'encode-x-v1'
const unitOf = (n: number): Unit => ({
  ...{ id: `${jobId}.${n}`, jobId, type: 'unit', schema: 1, kind: 'chunk', firstSegment: n },
  ...{ frames: 100, done: true, sizes: { v720: [1] } },
})

/** A store whose clock is that of the test, and which counts what it hands out. */
function createStore(clock: { nowMs: number }) {
  const kept = new Map<string, Unit & { second: number }>()
  let handedOut = 0
  const second = () => Math.floor(clock.nowMs / 1000)
  const store = {
    put: async (unit: Unit) => void kept.set(unit.id, { ...unit, second: second() }),
    since: async (_job: string, sinceSeconds: number) => {
      const items = [...kept.values()].filter((unit) => unit.second >= sinceSeconds)
      handedOut += items.length
      return { items, latestSeconds: Math.max(sinceSeconds, ...items.map((unit) => unit.second)) }
    },
  } as unknown as UnitStore
  return { store, handedOut: () => handedOut }
}

test('a thousand units of two processes: each sees all of them soon, and reads each a few times at most', async () => {
  const time = { nowMs: 1_000_000_000 }
  const { store, handedOut } = createStore(time)
  const clock = { now: () => time.nowMs }
  const [mine, other] = [createLedger(store, clock), createLedger(store, clock)]
  for (let n = 0; n < 1000; n++) {
    const [writer, reader] = n % 2 ? [mine, other] : [other, mine]
    await writer.put(unitOf(n))
    // Its own at once, that of others a second later at most.
    expect((await writer.read(jobId)).some(({ id }) => id === unitOf(n).id)).toBe(true)
    time.nowMs += 1000
    expect(await reader.read(jobId)).toHaveLength(n + 1)
  }
  expect(handedOut()).toBeLessThan(2 * 1000 * 5)
})

test('concurrent readers ask once, and nobody asks again within a second', async () => {
  const time = { nowMs: 1_000_000_000 }
  const { store, handedOut } = createStore(time)
  await store.put(unitOf(1))
  const ledger = createLedger(store, { now: () => time.nowMs })
  await Promise.all(Array.from({ length: 20 }, () => ledger.read(jobId)))
  await ledger.read(jobId)
  expect(handedOut()).toBe(1)
  await ledger.read(jobId, 0)
  expect(handedOut()).toBe(2)
})

test('the first minute is shown as it is made; then the list grows every two seconds, and is whole at the end', async () => {
  const time = { nowMs: systemClock.now() }
  const film = draw([...lavfi(greyFrames('5', 120), beeps(120)), ...plainH264])
  const stage = setStage(film, { chunkSegments: 8 })
  const clock = { ...systemClock, now: () => time.nowMs }
  const encode = createEncode({ ...stage.parts, clock })
  const prepared = (await encode.prepare(target)) as Outcome<Prepared>
  const planned = { ...target, plan: prepared.ok ? prepared.plan : '' }
  const shown = () => Number(/timeline-(\d+)/.exec((stage.asset() as Asset).timeline ?? '')?.[1] ?? 0)
  await encode.audio(planned)
  for (const [chunk, segments] of [1, 2, 4, 12, 20].entries()) {
    await encode.chunk({ ...planned, chunk })
    expect(shown()).toBe(segments)
  }
  time.nowMs += 1999
  await encode.chunk({ ...planned, chunk: 5 })
  expect(shown()).toBe(20)
  time.nowMs += 1
  await encode.chunk({ ...planned, chunk: 6 })
  // On a slow machine it is looked at on the way too, and then shows what was there before.
  expect([28, 30]).toContain(shown())
  expect(await encode.finish(planned)).toMatchObject({ ok: true })
  expect((stage.asset() as Asset).state).toBe('ready')
  const last = [...stage.media].find(([name]) => name === stage.asset()?.timeline)
  expect(JSON.parse(Buffer.from(last?.[1] ?? []).toString()).renditions[0].segments).toHaveLength(31)
})
